// The map as a table: rows are the output, columns the input; numbers in the cells.

import { $, abs, axes, causeOf, causeText, each, fill, finite, label, look, make, max, number, paint, register, seenBy, select, state, sum, t, tokenText, view, weightAt, weightSaid } from "../core/core.js";

const cellText = (weight) => {
  if (Number.isNaN(weight)) return "✕";
  if (!(abs(weight) >= 0.01)) return "";
  return abs(weight) >= 0.995 ? number(weight, 0) : number(weight, 2).replace(/^(-?)0/, "$1");
};

const drawCell = (row, column) => {
  const cause = causeOf(row, column);
  const weight = weightAt(row, column);
  const spoken = cause ? causeText(cause) : weightSaid(row, column);
  const cell = make("td", {
    tabindex: "-1",
    "data-row": row,
    "data-column": column,
    "aria-label": `${tokenText("query", row)}, ${tokenText("key", column)}: ${spoken}`,
  });
  if (cause) {
    cell.className = "masked";
    cell.title = causeText(cause);
  } else {
    fill(cell, cellText(weight));
    const { largest, chart } = view.plane;
    const known = weight ?? largest[row * chart.wide + column];
    if (!isNaN(known)) paint(cell, known, seenBy(row));
  }
  return cell;
};

// Long tokens stand upright on the matrix; one or two characters stay as they are.
const drawHeading = (column) => {
  const token = label("key", column);
  if ([...token.textContent].length <= 2) token.classList.add("short");
  return make("th", { scope: "col", "data-column": column }, token);
};

// Of rows and of columns; of an outline those of all weights, kept and not.
const sumsOf = ({ chart, sums }) => {
  const added = (from, to, at) => from.map((one) => sum(to.map((other) => at(one, other))));
  return sums ?? [added(chart.rows, chart.columns, weightAt), added(chart.columns, chart.rows, (column, row) => weightAt(row, column))];
};

const draw = (box) => {
  const { divergence, chart } = view.plane;
  const { columns, key, rows } = chart;
  const total = (value, name) => make("td.sum", { title: t(finite(value) ? name : "no_sum") }, finite(value) ? number(value, 2) : "–");
  const [across, down] = sumsOf(view.plane);
  const apart = (text) => (divergence ? [make("td.sum", { title: t("divergence") }, text)] : []);
  const blank = () => make("td.sum");
  const head = make("tr", blank(), ...columns.map(drawHeading), make("td.sum", "Σ"), ...apart("JSD"));
  const body = rows.map((row) =>
    make(
      "tr", make("th", { scope: "row", "data-row": row }, label("query", row)),
      ...columns.map((column) => drawCell(row, column)),
      total(across[row], "row_sum"),
      ...(divergence ? apart(number(divergence[row], 2)) : []),
    ),
  );
  const coverage = down.map((value) => total(value, "coverage"));
  const foot = make("tr", make("td.sum", "Σ"), ...coverage, blank());
  const table = make(
    "table.map", { role: "grid", "aria-label": t("alignment"), dir: key.direction },
    make("caption", { dir: "auto" }, `${axes()} · Σ: ${t("row_sum")}, ${t("coverage")}`),
    make("thead", head), make("tbody", ...body), make("tfoot", foot),
  );
  listen(table);
  fill(box, table);
};

const listen = (table) => {
  const at = (event) => {
    const cell = event.target.closest("td[data-row]");
    return cell && [+cell.dataset.row, +cell.dataset.column];
  };
  const choose = (event) => {
    const place = at(event);
    if (place && (place[0] !== state.q || place[1] !== state.k)) select(...place);
  };
  table.onpointerover = (event) => at(event) && look(...at(event));
  table.onpointerleave = () => look();
  table.onclick = choose;
  table.addEventListener("focusin", choose);
};

// The crosshair: bold headings, framed row and column of one cell.
const mark = (row, column) => {
  each(".map .on, .map .at", (cell) => cell.classList.remove("on", "at"));
  each(`.map [data-row="${row}"], th[data-column="${column}"]`, (cell) => cell.classList.add("on"));
  cellAt(row, column)?.classList.add("at");
  each(".map [tabindex='0']", (cell) => (cell.tabIndex = -1));
  const chosen = cellAt(state.q, state.k);
  if (chosen) chosen.tabIndex = 0;
};

const cellAt = (row, column) => $("stage").querySelector(`td[data-row="${row}"][data-column="${column}"]`);

register("matrix", {
  tab: 0,
  fits: ({ chart }) => max(chart.high, chart.wide) <= 64, // above: canvas.js
  draw,
  mark,
  focus: () => cellAt(state.q, state.k).focus(),
});
