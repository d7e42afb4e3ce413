// A large map as blocks of cells, and blocks as pixels.

import { isDark, palette, placeOf } from "./colour.js";
import { abs, ceil, floor, min, penOf, picture, state } from "./state.js";
import { seenOf } from "./unpack.js";

// All of a map in at most `limit` blocks a side.
export const everything = (map, limit) => {
  const whole = (size, unit = 1) => {
    const stride = unit * ceil(size / unit / limit);
    return { begin: 0, count: size, stride, blocks: ceil(size / stride) };
  };
  return [whole(map.high, map.outline?.down), whole(map.wide, map.outline?.across)];
};

// The largest or the mean weight of each block (times the keys that its row may see, if
// that is the scale), and of how many cells. An outline already consists of blocks, of
// which larger ones are made.
export const pooled = (plane, rows, columns, kind) => {
  const { causes, map } = plane;
  const [high, wide] = map.outline ? [map.outline.down, map.outline.across] : [1, 1];
  const weights = map.outline ? plane[kind] : plane.weights;
  const width = ceil(map.wide / wide);
  const seen = seenOf(plane);
  const mean = kind === "mean";
  const values = new Float32Array(rows.blocks * columns.blocks);
  const counts = new Uint32Array(values.length);
  for (let row = rows.begin; row < rows.begin + rows.count; row += high) {
    const line = floor((row - rows.begin) / rows.stride) * columns.blocks;
    const times = state.scale === "uniform" && !plane.signed ? seen[row] : 1;
    const start = (row / high) * width + columns.begin / wide;
    const across = columns.stride / wide;
    for (let block = line, cell = start, next = start + across; block < line + columns.blocks; block += 1, next += across) {
      const end = min(next, start + ceil(columns.count / wide));
      for (; cell < end; cell += 1) {
        if (causes && causes[cell]) continue;
        const weight = weights[cell] * times;
        if (mean) values[block] += weight;
        else if (!counts[block] || !(abs(weight) <= abs(values[block]))) values[block] = weight;
        counts[block] += 1;
      }
    }
  }
  if (mean) counts.forEach((count, block) => count && (values[block] /= count));
  return { values, counts, rows, columns, end: plane.end };
};

const grey = (level) => [level, level, level];

// Blocks as pixels on a canvas of that many pixels; a right-to-left input is mirrored.
export const pixelsOf = ({ values, counts, rows, columns, end }, map) => {
  const width = columns.blocks;
  const pixels = new ImageData(width, rows.blocks);
  const [hatch, plain] = (isDark() ? [125, 22] : [146, 255]).map(grey);
  const colours = palette();
  const { mirrored } = map;
  for (let at = 0; at < values.length; at += 1) {
    const [row, column] = [floor(at / width), at % width];
    const known = isNaN(values[at]) ? [220, 0, 0] : colours[Math.round(placeOf(values[at], 1, end) * 1023)];
    const rgb = counts[at] ? known : (row + column) % 3 ? plain : hatch;
    const place = 4 * (row * width + (mirrored ? width - 1 - column : column));
    for (let c = 0; c < 3; c += 1) pixels.data[place + c] = rgb[c];
    pixels.data[place + 3] = 255;
  }
  const canvas = picture(width, rows.blocks);
  penOf(canvas).putImageData(pixels, 0, 0);
  return canvas;
};
