// Two models on the same example: A, B, or what changes from A to B.

import { $, data, fill, option, state, t, view } from "./state.js";
import { difference, divergences, planeOf } from "./unpack.js";

// The plane that was chosen to be looked at; with a partner each row has a divergence.
export function compared(map, head) {
  const first = planeOf(map, head);
  const other = view.others[state.m];
  if (!other) return first;
  const second = planeOf(other, head);
  const shown = [first, second, difference(first, second)][state.c] ?? first;
  return { ...shown, divergence: divergences(first, second) };
}

export function drawCompare() {
  const [a, b] = data.names;
  $("pair_of_models").hidden = !view.others.length;
  fill($("compare"), option(0, `A: ${a}`), option(1, `B: ${b}`), option(2, "B − A")).value = state.c;
}
