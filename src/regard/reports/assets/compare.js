// What is put on view: one model, another, or what changes from A to B; keys by their
// places or by their distances from the row.

import { $, data, fill, option, state, t, view } from "./state.js";
import { byLag, difference, divergences, planeOf } from "./unpack.js";

// The plane that was chosen to be looked at; with a partner each row has a divergence.
function compared(map, head) {
  const first = planeOf(map, head);
  const other = view.others[state.m];
  if (!other) return first;
  const second = planeOf(other, head);
  const shown = [first, second, difference(first, second)][state.c] ?? first;
  return { ...shown, divergence: divergences(first, second) };
}

// Only a sequence that reads itself has distances between its tokens.
const readsItself = ({ key, outline, query }) => key === query && !outline && key.text.length > 1 && key.text.length <= 1000;

// The plane on view, by lag where the reader wants that.
export function planeOnView(map, head) {
  const plane = compared(map, head);
  return state.l && readsItself(map) ? byLag(plane) : plane;
}

export function drawLag(map) {
  $("by_lag").hidden = !readsItself(map);
  $("lag").checked = Boolean(state.l);
}

export function drawCompare() {
  const [a, b] = data.names;
  $("pair_of_models").hidden = !view.others.length;
  fill($("compare"), option(0, `A: ${a}`), option(1, `B: ${b}`), option(2, "B − A")).value = state.c;
}
