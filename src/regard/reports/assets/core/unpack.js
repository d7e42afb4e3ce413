// From the numbers of the file to one map.

import { data, examples, floor, state } from "./state.js";
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
const opened = (map, sides, buffer) => {
  const [query, key] = [sides[map.query], sides[map.key]];
  const [rows, columns] = [[...query.text.keys()], [...key.text.keys()]];
  const full = { ...map, query, key, rows, columns, high: rows.length, wide: columns.length, mirrored: key.direction === "rtl" };
  const count = map.heads.length * full.high * full.wide;
  if (map.outline) full.buffer = buffer;
  else full.weights = numbersAt(buffer, map.coding, map.start, count);
  full.shares = map.shares.map(([name, start]) => [name, numbersAt(buffer, map.coding, start, count)]);
  full.causeAt = map.causes.length ? new Uint8Array(buffer, map.causeStart, count) : null;
  full.scores = map.scoreStart >= 0 ? new Float32Array(buffer, map.scoreStart, count) : null;
  return full;
};

const kept = new Map();

// The numbers of an example with its maps; a few examples stay open.
export const openExample = async (index) => {
  if (!kept.has(index)) {
    const { maps, sides } = examples[index];
    const buffer = await unpack("w" + index);
    if (kept.size > 8) kept.delete(kept.keys().next().value);
    kept.set(index, { buffer, maps: maps.map((map) => opened(map, sides, buffer)) });
  }
  return kept.get(index);
};

// One head, or the mean of all (head -1): a cell is masked if every head masks it.
const wholeOf = (map, head) => {
  const size = map.high * map.wide;
  const [from, to] = head < 0 ? [0, size] : [head * size, (head + 1) * size];
  const cut = (array) => array && array.subarray(from, to);
  const shares = head < 0 ? [] : map.shares.map(([name, numbers]) => [name, decoded(numbers, from, to)]);
  let [weights, causes, scores] = [decoded(map.weights, from, to), cut(map.causeAt), cut(map.scores)];
  if (head < 0) {
    [weights, causes, scores] = [new Float32Array(size), causes && new Uint8Array(causes), null];
    const heads = map.heads.length;
    for (let h = 0; h < heads; h += 1) {
      const part = decoded(map.weights, h * size, (h + 1) * size);
      for (let cell = 0; cell < size; cell += 1) {
        weights[cell] += part[cell] / heads;
        if (causes && !map.causeAt[h * size + cell]) causes[cell] = 0;
      }
    }
  }
  return { map, weights, causes, scores, shares };
};

// One head of any map; `end` is the weight at which its colours end.
export const planeOf = (map, head) => {
  const plane = map.outline ? views.outline.read(map, head) : wholeOf(map, head);
  const larger = (most, weight, cell) => (weight > most && !plane.causes?.[cell] ? weight : most);
  return { ...plane, end: (state.d && (plane.tops ?? plane.weights).reduce(larger, 0)) || 1 };
};

// How many keys each row may see.
export const seenOf = (plane) => {
  const { causes, map } = plane;
  if (plane.seen) return plane.seen;
  const width = map.wide;
  plane.seen = new Uint32Array(map.high).fill(width);
  if (causes) for (let cell = 0; cell < causes.length; cell += 1) if (causes[cell]) plane.seen[floor(cell / width)] -= 1;
  return plane.seen;
};
