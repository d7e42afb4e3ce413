// Two models of the same input: one, the other, or what changes from A to B.

import { $, abs, data, fill, max, on, option, planeOf, register, showMap, state, view } from "../core/core.js";

// B - A, with the largest difference as `signed`.
const difference = (first, second) => {
  const weights = second.weights.map((weight, cell) => weight - first.weights[cell]);
  const signed = weights.reduce((most, weight) => max(most, abs(weight) || 0), 0) || 1;
  return { ...first, weights, signed, scores: null, shares: [] };
};

// c: 0 A, 1 B, 2 B - A.
register("compare", {
  choices: { c: 0 }, start: () => on("compare", "change", (value) => ((state.c = +value), showMap())),

  // The plane that was chosen to be looked at; with a partner each row has a divergence.
  plane(first) {
    const other = view.others[state.m];
    if (!other) return first;
    const second = planeOf(other, state.h);
    const shown = [first, second, difference(first, second)][state.c] ?? first;
    return { ...shown, divergence: other.apart.at(state.h) };
  },

  show() {
    const [a, b] = data.names;
    $("pair_of_models").hidden = !view.others.length;
    fill($("compare"), option(0, `A: ${a}`), option(1, `B: ${b}`), option(2, "B − A")).value = state.c;
  },
});
