// The map as a table: rows are the output, columns the input; numbers in the cells.

function label(side, index) {
  const map = plane.map;
  const flag = map[side + "Flags"][index];
  const kind = { 1: "joins", 2: "special" }[flag];
  return make(
    "bdi",
    { class: kind, lang: map[side + "Language"] || undefined, dir: map[side + "Direction"] },
    map[side][index],
  );
}

const tokenText = (side, index) =>
  (plane.map[side + "Flags"][index] === "1" ? "‑" : "") + plane.map[side][index];

function causeOf(row, column) {
  const code = plane.causes ? plane.causes[row * plane.map.key.length + column] : 0;
  return code ? plane.map.causes[code - 1] : "";
}

function causeText(cause) {
  const named = t("cause_" + cause);
  return t("masked_by", { cause: named.startsWith("cause_") ? cause : named });
}

const weightAt = (row, column) => plane.weights[row * plane.map.key.length + column];

function cellText(weight) {
  if (Number.isNaN(weight)) return "✕";
  if (weight < 0.01) return "";
  return weight >= 0.995 ? number(weight, 0) : number(weight, 2).replace(/^0/, "");
}

function drawCell(row, column) {
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
    if (!Number.isNaN(weight)) paint(cell, weight);
  }
  return cell;
}

// Long tokens stand upright on the matrix; one or two characters stay as they are.
function drawHeading(column) {
  const token = label("key", column);
  if ([...token.textContent].length <= 2) token.classList.add("short");
  return make("th", { scope: "col", "data-column": column }, token);
}

function drawTable() {
  const { query, key, keyDirection } = plane.map;
  const columns = [...key.keys()];
  const head = make(
    "tr", {}, make("td", { class: "sum" }),
    ...columns.map(drawHeading),
    make("td", { class: "sum" }, "Σ"),
  );
  const sum = (value, name) => make("td", { class: "sum", title: name }, number(value, 2));
  const rows = [...query.keys()].map((row) =>
    make(
      "tr", {}, make("th", { scope: "row", "data-row": row }, label("query", row)),
      ...columns.map((column) => drawCell(row, column)),
      sum(columns.reduce((total, column) => total + weightAt(row, column), 0), t("row_sum")),
    ),
  );
  const coverage = columns.map((column) =>
    sum([...query.keys()].reduce((total, row) => total + weightAt(row, column), 0), t("coverage")),
  );
  const foot = make("tr", {}, make("td", { class: "sum" }, "Σ"), ...coverage, make("td", { class: "sum" }));
  const axes = `${t("rows")} · ${t(keyDirection === "rtl" ? "columns_rtl" : "columns")} · Σ: ${t("row_sum")}, ${t("coverage")}`;
  const table = make(
    "table", { class: "map", role: "grid", "aria-label": t("alignment"), dir: keyDirection },
    make("caption", { dir: "auto" }, axes),
    make("thead", {}, head), make("tbody", {}, ...rows), make("tfoot", {}, foot),
  );
  table.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td[data-row]");
    if (cell) look(Number(cell.dataset.row), Number(cell.dataset.column));
  });
  table.addEventListener("pointerleave", () => look(state.q, state.k));
  const choose = (event) => {
    const cell = event.target.closest("td[data-row]");
    if (!cell) return;
    const [row, column] = [Number(cell.dataset.row), Number(cell.dataset.column)];
    if (row !== state.q || column !== state.k) select(row, column);
  };
  table.addEventListener("click", choose);
  table.addEventListener("focusin", choose);
  fill($("matrix"), table);
}

// The crosshair: bold headings, framed row and column of one cell.
function markTable(row, column) {
  for (const each of $("matrix").querySelectorAll(".on, .at")) each.classList.remove("on", "at");
  for (const each of $("matrix").querySelectorAll(`th[data-row="${row}"], th[data-column="${column}"], td[data-row="${row}"]`)) {
    each.classList.add("on");
  }
  cellAt(row, column)?.classList.add("at");
}

const cellAt = (row, column) =>
  $("matrix").querySelector(`td[data-row="${row}"][data-column="${column}"]`);

const moves = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  Home: [0, -Infinity], End: [0, Infinity], PageUp: [-Infinity, 0], PageDown: [Infinity, 0],
};

function moveByKey(event) {
  const move = moves[event.key];
  if (!move || !plane) return;
  event.preventDefault();
  const { query, key, keyDirection } = plane.map;
  const mirrored = keyDirection === "rtl" && event.key.startsWith("Arrow") ? -1 : 1;
  const clamp = (value, size) => Math.min(size - 1, Math.max(0, value));
  select(clamp(state.q + move[0], query.length), clamp(state.k + move[1] * mirrored, key.length));
  cellAt(state.q, state.k)?.focus();
}
