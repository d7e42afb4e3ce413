// The tabs: one view of the chosen map at a time.

import * as canvas from "./canvas.js";
import * as matrix from "./matrix.js";
import { $, state, view } from "./state.js";

const largest = 64; // rows or columns up to which a real table is drawn
let shown = matrix;

export function drawTab() {
  const { query, key } = view.plane.map;
  shown = Math.max(query.text.length, key.text.length) > largest ? canvas : matrix;
  shown.draw($("stage"));
}

export const markTab = (row, column) => shown.mark(row, column);
