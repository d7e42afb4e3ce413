// The map as a table: rows are the output, columns the input; numbers in the cells.

import { $, abs, axes, causeOf, causeText, each, fill, label, look, make, max, number, paint, register, seenBy, select, state, sum, t, tokenText, view, weightAt, weightText } from "../core/core.js";

const cellText = (weight) => {
  if (isNaN(weight)) return "✕";
  if (abs(weight) < 0.01) return "";
  return abs(weight) >= 0.995 ? number(weight, 0) : number(weight, 2).replace(/^(-?)0/, "$1");
};

const drawCell = (row, column) => {
  const cause = causeOf(row, column);
  const weight = weightAt(row, column);
  const spoken = cause ? causeText(cause) : weightText(weight);
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
    if (!isNaN(weight)) paint(cell, weight, seenBy(row));
  }
  return cell;
};

// Long tokens stand upright on the matrix; one or two characters stay as they are.
const drawHeading = (column) => {
  const token = label("key", column);
  if ([...token.textContent].length <= 2) token.classList.add("short");
  return make("th", { scope: "col", "data-column": column }, token);
};

const draw = (box) => {
  const { divergence, chart } = view.plane;
  const { columns, key, rows } = chart;
  const total = (cells, name) => make("td.sum", { title: name }, number(sum(cells), 2));
  const apart = (text) => (divergence ? [make("td.sum", { title: t("divergence") }, text)] : []);
  const blank = () => make("td.sum");
  const head = make("tr", blank(), ...columns.map(drawHeading), make("td.sum", "Σ"), ...apart("JSD"));
  const body = rows.map((row) =>
    make(
      "tr", make("th", { scope: "row", "data-row": row }, label("query", row)),
      ...columns.map((column) => drawCell(row, column)),
      total(columns.map((column) => weightAt(row, column)), t("row_sum")),
      ...(divergence ? apart(number(divergence[row], 2)) : []),
    ),
  );
  const coverage = columns.map((column) => total(rows.map((row) => weightAt(row, column)), t("coverage")));
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
