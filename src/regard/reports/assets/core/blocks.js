// A large map as blocks of cells, and blocks as pixels.

import { isDark, palette, placeOf } from "./colour.js";
import { abs, ceil, clamp, floor, min, painted, round, state } from "./state.js";
import { seenOf } from "./unpack.js";

// `count` cells of a side of `size`, as near to `centre` as they get: from `begin`, in at
// most `limit` blocks of `stride`, a multiple of `unit`.
export const spanOf = (size, unit, limit, count = size, centre = 0) => {
  const stride = unit * ceil(count / unit / limit);
  const begin = clamp(floor((centre - count / 2) / stride) * stride, ceil((size - count) / stride) * stride + 1);
  const shown = min(count, size - begin);
  return { begin, count: shown, stride, blocks: ceil(shown / stride) };
};

// All of a map in at most `limit` blocks a side.
export const everything = ({ across, down, high, wide }, limit) => [spanOf(high, down, limit), spanOf(wide, across, limit)];

// The largest or the mean weight of each block (times the keys that its row may see, if
// that is the scale), and of how many cells. An outline already consists of blocks, of
// which larger ones are made.
export const pooled = (plane, rows, columns, kind) => {
  const { masks, chart } = plane;
  const { across: wide, down: high } = chart;
  const weights = plane[kind] ?? plane.weights;
  const width = ceil(chart.wide / wide);
  const seen = seenOf(plane);
  const mean = kind === "mean";
  const values = new Float32Array(rows.blocks * columns.blocks);
  const counts = new Uint32Array(values.length);
  for (let row = rows.begin; row < rows.begin + rows.count; row += high) {
    const line = floor((row - rows.begin) / rows.stride) * columns.blocks;
    const times = state.scale === "uniform" && !plane.signed ? seen[row] : 1;
    for (let column = columns.begin; column < columns.begin + columns.count; column += wide) {
      const cell = (row / high) * width + column / wide;
      if (masks?.[cell]) continue;
      const block = line + floor((column - columns.begin) / columns.stride);
      const weight = weights[cell] * times;
      if (mean) values[block] += weight;
      else if (!counts[block] || !(abs(weight) <= abs(values[block]))) values[block] = weight;
      counts[block] += 1;
    }
  }
  if (mean) counts.forEach((count, block) => count && (values[block] /= count));
  return { values, counts, rows, columns, end: plane.end };
};

// Blocks as pixels on a canvas of that many pixels; a right-to-left input is mirrored.
export const pixelsOf = ({ values, counts, rows, columns, end }, { mirrored }) => {
  const [hatch, plain] = isDark() ? [0xff7d7d7d, 0xff161616] : [0xff929292, 0xffffffff];
  const colours = palette();
  return painted(columns.blocks, rows.blocks, (row, shown) => {
    const column = mirrored ? columns.blocks - 1 - shown : shown;
    const at = row * columns.blocks + column;
    if (!counts[at]) return (row + column) % 3 ? plain : hatch;
    return isNaN(values[at]) ? 0xff0000dc : colours[round(placeOf(values[at], 1, end) * 1023)];
  });
};
