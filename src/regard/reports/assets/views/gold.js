// The links that people drew, beside those of a map, in the view of links.

import { begun, inks, make, register, state, t, view, views, weightText } from "../core/core.js";

const middle = 75; // of the height of links
const dot = (pen, x, radius, colour, dash) => begun(pen, colour, 2, dash).arc(x, middle, radius, 0, 7);

register("gold", {
  // A dot for the strongest word of each written word, a ring for a link that people drew,
  // of all words or of one (`only`, else -1); and how many are right.
  ring(pen, { places, words }, only) {
    const { gold } = view.chart;
    const [best, right, wrong, rate] = gold.judged.at(state.h)[+(state.g === "input")];
    const [ink] = inks();
    words.queries.forEach(([q], row) =>
      words.keys.forEach(([k], column) => {
        if (q < 0 || k < 0 || (only >= 0 && row !== only)) return;
        const has = (links) => links.some(([key, query]) => key === k && query === q);
        const [from, to] = [places.keys[column], places.queries[row]];
        const x = (from + to) / 2;
        if (has(gold.possible)) {
          if (best[q] !== k) views.arcs.curve(pen, from, to, 1, ink, [4, 4]);
          dot(pen, x, 7, ink, has(gold.sure) ? [] : [2, 2]);
          pen.stroke();
        }
        if (best[q] === k) dot(pen, x, 3.5, ink), pen.fill();
      }),
    );
    return [make("b", t("judged", { right, wrong, rate: weightText(rate) })), ` ${t("rings")} `];
  },
});
