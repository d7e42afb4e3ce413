// Small pictures of maps in one box, through which arrows go.

import { everything, pixelsOf, pooled } from "./blocks.js";
import { moveOf } from "./selection.js";
import { clamp, fill } from "./state.js";
import { planeOf } from "./unpack.js";

// A picture of a head of a map (`mapOf` a cell and its number) into the first box of each
// cell, with pauses in which the page answers; until the cells are replaced by others.
export const drawPictures = async (cells, mapOf) => {
  const maps = cells.map(mapOf); // now: another example may be on view before all are drawn
  for (const [at, cell] of cells.entries()) {
    if (!(at % 8)) await new Promise((done) => setTimeout(done));
    if (!cell.isConnected) return;
    const [chart, head] = maps[at];
    fill(cell.firstChild, pixelsOf(pooled(planeOf(chart, head), ...everything(chart, 96), "largest"), chart));
  }
};

// One button of a box has the focus, and the arrows, Home and End give it to another.
export const moveInGrid = (_, event) => {
  const cells = [...event.currentTarget.children];
  const at = cells.indexOf(event.target);
  const line = cells.filter((cell) => cell.offsetTop === cells[0].offsetTop).length;
  const move = at >= 0 && moveOf(event);
  if (!move) return;
  cells[at].tabIndex = -1;
  const next = cells[clamp(at + move[0] * line + move[1], cells.length)];
  next.tabIndex = 0;
  next.focus();
};
