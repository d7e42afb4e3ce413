// All layers and heads at once, small. Choosing one opens it in every other view.

import { $, drawPictures, fill, make, max, moveInGrid, number, offer, on, press, register, showMap, showMaps, state, t, view } from "../core/core.js";

const ordered = () => {
  const all = view.maps.flatMap((chart, m) => chart.heads.map((_, h) => ({ chart, m, h })));
  const sign = state.o === "importance" ? -1 : 1;
  const measure = ({ chart, h }) => sign * chart[state.o]?.[h];
  return state.o === "given" ? all : all.sort((a, b) => measure(a) - measure(b));
};

const open = (m, h) => {
  [state.m, state.h] = [m, h];
  showMap();
};

const cellOf = ({ chart, m, h }, strongest) => {
  const { effective, heads, importance, layer, said } = chart;
  const lines = [t("keys_read", { n: number(effective[h], 1) }), ...said[h].map((word) => t(word).split(":")[0])];
  if (importance) lines.splice(1, 0, t("important", { n: number(importance[h], 3) }));
  const button = make(
    "button", { title: `${layer} · ${t("head")} ${heads[h]}`, onclick: () => open(m, h) },
    make("span.thumbnail"), make("b", `L${m + 1} H${h + 1}`), ...lines.map((line) => make("small", line)),
  );
  button.at = [m, h];
  if (importance) button.style.borderWidth = `${1 + (4 * max(0, importance[h])) / strongest}px`;
  return button;
};

// Enter opens as on every button, `a` opens the mean of the layer's heads.
const move = (_, event) => {
  const { at } = event.target;
  if (at && event.key === "a") open(at[0], -1);
  moveInGrid(_, event);
};

register("heads", {
  choices: { o: "given" },

  start() {
    on("heads", "keydown", move);
    on("order", "change", (value) => ((state.o = value), showMaps()));
  },

  maps() {
    const all = ordered();
    $("grid").hidden = !all[1];
    if (!all[1]) return;
    const known = ["given", "entropy", "diagonality", ...(all.every(({ chart }) => chart.importance) ? ["importance"] : [])];
    if (!known.includes(state.o)) state.o = "given";
    offer($("order"), known, "order_", state.o);
    const strongest = max(1e-12, ...all.flatMap(({ chart }) => chart.importance ?? []));
    const cells = all.map((each) => cellOf(each, strongest));
    const most = max(...view.maps.map((chart) => chart.heads.length));
    const table = state.o === "given" && most > 1;
    if (table) for (const cell of cells) cell.style.gridColumn = cell.at[1] + 1;
    $("heads").style.gridTemplateColumns = table ? `repeat(${most}, minmax(5.5rem, 7rem))` : "";
    fill($("heads"), ...cells);
    drawPictures(cells, ({ at: [m, h] }) => [view.maps[m], h]);
  },

  show() {
    for (const cell of $("heads").children) {
      const [m, h] = cell.at;
      const chosen = m === state.m && (h === state.h || state.h < 0);
      press(cell, chosen, chosen && h === max(0, state.h));
    }
  },
});
