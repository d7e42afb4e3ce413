// The map as a table: rows are the output, columns the input; numbers in the cells.

import { $, abs, axes, causeOf, causeText, each, fill, finite, label, look, make, max, number, paint, register, seenBy, select, state, sum, t, tokenText, view, weightAt, weightSaid } from "../core/core.js";

const cellText = (weight) => {
  if (isNaN(weight ?? 0)) return "✕";
  if (!(abs(weight) >= 0.01)) return "";
  return abs(weight) >= 0.995 ? number(weight, 0) : number(weight, 2).replace(/^(−?)0/, "$1");
};

const drawCell = (row, column) => {
  const cause = causeOf(row, column);
  const title = cause && causeText(cause);
  const weight = weightAt(row, column);
  const cell = make(cause ? "td.masked" : "td", {
    tabindex: -1, "data-row": row, "data-column": column, title,
    "aria-label": `${tokenText("query", row)}, ${tokenText("key", column)}: ${title || weightSaid(row, column)}`,
  }, cause ? "" : cellText(weight));
  const known = weight ?? view.plane.largest[row * view.chart.wide + column];
  if (!cause && !isNaN(known)) paint(cell, known, seenBy(row));
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

const listen = (table) => {
  const at = (act) => ({ target }) => {
    const cell = target.closest("td[data-row]");
    if (cell) act(+cell.dataset.row, +cell.dataset.column);
  };
  table.onpointerover = at(look);
  table.onpointerleave = () => look();
  table.onclick = at(select);
  table.addEventListener("focusin", at(select));
};

const cellAt = (row, column) => $("stage").querySelector("tbody").children[row].children[column + 1];

// Larger maps: canvas.js.
register("matrix", {
  fits: ({ chart }) => max(chart.high, chart.wide) <= 64,

  draw(box) {
    const { divergence, chart } = view.plane;
    const { columns, key, rows } = chart;
    const total = (value, name) => make("td.sum", { title: t(finite(value) ? name : "no_sum") }, finite(value) ? number(value, 2) : "–");
    const [across, down] = sumsOf(view.plane);
    const apart = (text) => (divergence ? [make("td.sum", { title: t("divergence") }, text)] : []);
    const head = make("tr", make("td.sum"), ...columns.map(drawHeading), make("td.sum", "Σ"), ...apart("JSD"));
    const body = rows.map((row) =>
      make(
        "tr", make("th", { scope: "row", "data-row": row }, label("query", row)),
        ...columns.map((column) => drawCell(row, column)),
        total(across[row], "row_sum"),
        ...apart(number(divergence?.[row], 2)),
      ),
    );
    const coverage = down.map((value) => total(value, "coverage"));
    const foot = make("tr", make("td.sum", "Σ"), ...coverage, make("td.sum"));
    const table = make(
      "table.map", { role: "grid", "aria-label": t("alignment"), dir: key.direction },
      make("caption", { dir: "auto" }, `${axes()} · Σ: ${t("row_sum")}, ${t("coverage")}`),
      make("thead", head), make("tbody", ...body), make("tfoot", foot),
    );
    listen(table);
    fill(box, table);
  },

  // The crosshair: bold headings, framed row and column of one cell.
  mark(row, column) {
    each(".map .on, .map .at", (cell) => cell.classList.remove("on", "at"));
    each(`.map [data-row="${row}"], th[data-column="${column}"]`, (cell) => cell.classList.add("on"));
    cellAt(row, column)?.classList.add("at");
    each(".map [tabindex='0']", (cell) => (cell.tabIndex = -1));
    const chosen = cellAt(state.q, state.k);
    if (chosen) chosen.tabIndex = 0;
  },

  focus: () => cellAt(state.q, state.k).focus(),
});
