// From the numbers of the file to one map.

import { data, examples, floor, indices, state } from "./state.js";
import { views } from "./views.js";

const tables = {};

// A view of the buffer that reads its codes as numbers: the inverse of Coding.decode.
export const numbersAt = (buffer, coding, start, count) => {
  const codes = new { u8: Uint8Array, u16: Uint16Array, f32: Float32Array }[coding](buffer, start, count);
  const levels = data.codings[coding];
  tables[coding] ??= levels && Float32Array.from({ length: levels + 2 }, (_, code) => (code > levels ? NaN : (code / levels) ** 2));
  return { codes, table: tables[coding] };
};

export const decoded = ({ codes, table }, from, to) => {
  if (!table) return codes.subarray(from, to);
  const numbers = new Float32Array(to - from);
  for (let at = from; at < to; at += 1) numbers[at - from] = table[codes[at]];
  return numbers;
};

// The codes of a map stay as they are until one of its heads is looked at.
const opened = (chart, sides, buffer) => {
  const [query, key] = [sides[chart.query], sides[chart.key]];
  const [rows, columns] = [indices(query.text), indices(key.text)];
  const { outline } = chart;
  const { down = 1, across = 1 } = outline ?? {};
  const full = { ...chart, down, across, outlined: outline, query, key, rows, columns, high: rows.length, wide: columns.length, mirrored: key.direction === "rtl" };
  const count = chart.heads.length * full.high * full.wide;
  if (!outline) full.weights = numbersAt(buffer, chart.coding, chart.start, count);
  full.shares = chart.shares.map(([name, start]) => [name, numbersAt(buffer, chart.coding, start, count)]);
  full.causeAt = chart.causes.length ? new Uint8Array(buffer, chart.causeStart, count) : null;
  full.scores = chart.scoreStart >= 0 ? new Float32Array(buffer, chart.scoreStart, count) : null;
  return full;
};

const kept = new Map();

// The numbers of an example with its maps; a few examples stay open.
export const openExample = async (index) => {
  if (!kept.has(index)) {
    const { maps, sides } = examples[index];
    const buffer = await unpack("w" + index);
    if (kept.size > 8) kept.delete(kept.keys().next().value);
    kept.set(index, { buffer, maps: maps.map((chart) => opened(chart, sides, buffer)) });
  }
  return kept.get(index);
};

// One head, or the mean of all (head -1): a cell is masked if every head masks it.
const wholeOf = (chart, head) => {
  const size = chart.high * chart.wide;
  const [from, to] = head < 0 ? [0, size] : [head * size, (head + 1) * size];
  const cut = (array) => array && array.subarray(from, to);
  const shares = head < 0 ? [] : chart.shares.map(([name, numbers]) => [name, decoded(numbers, from, to)]);
  let [weights, masks, scores] = [decoded(chart.weights, from, to), cut(chart.causeAt), cut(chart.scores)];
  if (head < 0) {
    [weights, masks, scores] = [new Float32Array(size), masks && new Uint8Array(masks), null];
    const heads = chart.heads.length;
    for (let h = 0; h < heads; h += 1) {
      const part = decoded(chart.weights, h * size, (h + 1) * size);
      for (let cell = 0; cell < size; cell += 1) {
        weights[cell] += part[cell] / heads;
        if (masks && !chart.causeAt[h * size + cell]) masks[cell] = 0;
      }
    }
  }
  return { chart, weights, masks, scores, shares };
};

// One head of any map; `end` is the weight at which its colours end.
export const planeOf = (chart, head) => {
  const plane = chart.outlined ? views.outline.read(chart, head) : wholeOf(chart, head);
  const larger = (most, weight, cell) => (weight > most && !plane.masks?.[cell] ? weight : most);
  return { ...plane, end: (state.d && (plane.tops ?? plane.weights).reduce(larger, 0)) || 1 };
};

// How many keys each row may see.
export const seenOf = (plane) => {
  const { masks, chart } = plane;
  if (plane.seen) return plane.seen;
  const width = chart.wide;
  plane.seen = new Uint32Array(chart.high).fill(width);
  if (masks) for (let cell = 0; cell < masks.length; cell += 1) if (masks[cell]) plane.seen[floor(cell / width)] -= 1;
  return plane.seen;
};
