// All layers and heads at once, small. Choosing one opens it in every other view.

import { $, drawPictures, fill, make, max, moveInGrid, number, offer, on, press, register, showMap, showMaps, state, t, view } from "../core/core.js";

const ordered = () => {
  const all = view.maps.flatMap((chart, m) => chart.heads.map((_, h) => ({ chart, m, h })));
  const sign = state.o === "importance" ? -1 : 1;
  const measure = ({ chart, h }) => sign * chart[{ diagonality: "offDiagonality" }[state.o] ?? state.o]?.[h];
  return state.o === "given" ? all : all.sort((a, b) => measure(a) - measure(b));
};

const open = (m, h) => {
  [state.m, state.h] = [m, h];
  showMap();
};

const cellOf = ({ chart, m, h }, strongest) => {
  const words = chart.said[h].map((word) => t(word).split(":")[0]);
  const button = make("button", { title: `${chart.layer} · ${t("head")} ${chart.heads[h]}`, onclick: () => open(m, h) });
  button.place = [m, h];
  const facts = [t("keys_read", { n: number(chart.effective[h], 1) })];
  if (chart.importance) {
    button.style.borderWidth = `${1 + (4 * max(0, chart.importance[h])) / strongest}px`;
    facts.push(t("important", { n: number(chart.importance[h], 3) }));
  }
  const lines = [...facts, ...words].map((line) => make("small", line));
  button.append(make("span.thumbnail"), make("b", `L${m + 1} H${h + 1}`), ...lines);
  return button;
};

const maps = () => {
  const all = ordered();
  $("grid").hidden = all.length < 2;
  if (all.length < 2) return;
  const known = ["given", "entropy", "diagonality", ...(all.every(({ chart }) => chart.importance) ? ["importance"] : [])];
  if (!known.includes(state.o)) state.o = "given";
  offer($("order"), known, "order_", state.o);
  const strongest = max(1e-12, ...all.flatMap(({ chart }) => chart.importance ?? []));
  const cells = all.map((each) => cellOf(each, strongest));
  const most = max(...view.maps.map((chart) => chart.heads.length));
  const table = state.o === "given" && most > 1;
  if (table) for (const cell of cells) if (!cell.place[1]) cell.style.gridColumnStart = 1;
  $("heads").style.gridTemplateColumns = table ? `repeat(${most}, minmax(5.5rem, 7rem))` : "";
  fill($("heads"), ...cells);
  drawPictures(cells.map((cell) => cell.firstChild), cells.map(({ place: [m, h] }) => [view.maps[m], h]));
};

const show = () => {
  for (const cell of $("heads").children) {
    const [m, h] = cell.place;
    const chosen = m === state.m && (h === state.h || state.h < 0);
    press(cell, chosen, chosen && h === max(0, state.h));
  }
};

// Enter opens as on every button, `a` opens the mean of the layer's heads.
const move = (_, event) => {
  const { place } = event.target;
  if (place && event.key === "a") open(place[0], -1);
  moveInGrid(_, event);
};

const start = () => {
  on("heads", "keydown", move);
  on("order", "change", (value) => ((state.o = value), showMaps()));
};

register("heads", { choices: { o: "given" }, start, maps, show });
