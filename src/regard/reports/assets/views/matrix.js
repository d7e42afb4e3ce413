// The map as a table: rows are the output, columns the input; numbers in the cells.

import { $, axes, causeOf, causeText, fill, label, look, make, number, paint, register, seenBy, select, state, t, tokenText, view, weightAt, weightText } from "../core/core.js";

function cellText(weight) {
  if (Number.isNaN(weight)) return "✕";
  if (Math.abs(weight) < 0.01) return "";
  return Math.abs(weight) >= 0.995 ? number(weight, 0) : number(weight, 2).replace(/^(-?)0/, "$1");
}

function drawCell(row, column, seen) {
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
    cell.textContent = cellText(weight);
    if (!Number.isNaN(weight)) paint(cell, weight, seen);
  }
  return cell;
}

// Long tokens stand upright on the matrix; one or two characters stay as they are.
function drawHeading(column) {
  const token = label("key", column);
  if ([...token.textContent].length <= 2) token.classList.add("short");
  return make("th", { scope: "col", "data-column": column }, token);
}

function draw(box) {
  const { divergence, map } = view.plane;
  const { columns, key, rows } = map;
  const sum = (cells, name) => make("td", { class: "sum", title: name }, number(cells.reduce((a, b) => a + b, 0), 2));
  const apart = (text) => (divergence ? [make("td", { class: "sum", title: t("divergence") }, text)] : []);
  const blank = () => make("td", { class: "sum" });
  const head = make("tr", {}, blank(), ...columns.map(drawHeading), make("td", { class: "sum" }, "Σ"), ...apart("JSD"));
  const body = rows.map((row) =>
    make(
      "tr", {}, make("th", { scope: "row", "data-row": row }, label("query", row)),
      ...columns.map((column) => drawCell(row, column, seenBy(row))),
      sum(columns.map((column) => weightAt(row, column)), t("row_sum")),
      ...(divergence ? apart(number(divergence[row], 2)) : []),
    ),
  );
  const coverage = columns.map((column) => sum(rows.map((row) => weightAt(row, column)), t("coverage")));
  const foot = make("tr", {}, make("td", { class: "sum" }, "Σ"), ...coverage, blank());
  const table = make(
    "table", { class: "map", role: "grid", "aria-label": t("alignment"), dir: key.direction },
    make("caption", { dir: "auto" }, `${axes()} · Σ: ${t("row_sum")}, ${t("coverage")}`),
    make("thead", {}, head), make("tbody", {}, ...body), make("tfoot", {}, foot),
  );
  listen(table);
  fill(box, table);
}

function listen(table) {
  const at = (event) => {
    const cell = event.target.closest("td[data-row]");
    return cell && [Number(cell.dataset.row), Number(cell.dataset.column)];
  };
  const choose = (event) => {
    const place = at(event);
    if (place && (place[0] !== state.q || place[1] !== state.k)) select(...place);
  };
  table.onpointerover = (event) => at(event) && look(...at(event));
  table.onpointerleave = () => look(state.q, state.k);
  table.onclick = choose;
  table.addEventListener("focusin", choose);
}

// The crosshair: bold headings, framed row and column of one cell.
function mark(row, column) {
  const stage = $("stage");
  for (const each of stage.querySelectorAll(".on, .at")) each.classList.remove("on", "at");
  for (const each of stage.querySelectorAll(`th[data-row="${row}"], th[data-column="${column}"], td[data-row="${row}"]`)) {
    each.classList.add("on");
  }
  cellAt(row, column)?.classList.add("at");
  stage.querySelector("td[tabindex='0']")?.setAttribute("tabindex", "-1");
  cellAt(state.q, state.k)?.setAttribute("tabindex", "0");
}

const cellAt = (row, column) => $("stage").querySelector(`td[data-row="${row}"][data-column="${column}"]`);

register("matrix", {
  tab: 0,
  fits: ({ map }) => Math.max(map.high, map.wide) <= 64, // above: canvas.js
  draw,
  mark,
  focus: () => cellAt(state.q, state.k).focus(),
});
