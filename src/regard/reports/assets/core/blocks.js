// A large map as blocks of cells, and blocks as pixels.

import { isDark, palette, placeOf } from "./colour.js";
import { abs, ceil, floor, penOf, picture, state } from "./state.js";
import { seenOf } from "./unpack.js";

// All of a map in at most `limit` blocks a side.
export const everything = (chart, limit) => {
  const whole = (size, unit) => {
    const stride = unit * ceil(size / unit / limit);
    return { begin: 0, count: size, stride, blocks: ceil(size / stride) };
  };
  return [whole(chart.high, chart.down), whole(chart.wide, chart.across)];
};

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

const grey = (level) => [level, level, level, 255];

// Blocks as pixels on a canvas of that many pixels; a right-to-left input is mirrored.
export const pixelsOf = ({ values, counts, rows, columns, end }, chart) => {
  const width = columns.blocks;
  const pixels = new ImageData(width, rows.blocks);
  const [hatch, plain] = (isDark() ? [125, 22] : [146, 255]).map(grey);
  const colours = palette();
  const { mirrored } = chart;
  for (let at = 0; at < values.length; at += 1) {
    const [row, column] = [floor(at / width), at % width];
    const known = isNaN(values[at]) ? [220, 0, 0, 255] : colours[Math.round(placeOf(values[at], 1, end) * 1023)];
    const rgb = counts[at] ? known : (row + column) % 3 ? plain : hatch;
    pixels.data.set(rgb, 4 * (row * width + (mirrored ? width - 1 - column : column)));
  }
  const canvas = picture(width, rows.blocks);
  penOf(canvas).putImageData(pixels, 0, 0);
  return canvas;
};
