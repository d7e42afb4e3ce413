// From the numbers of the file to one map: the levels of the square root, and outlines.

import { data } from "./state.js";

export const sizeOf = (map) => map.query.text.length * map.key.text.length;

const tables = {};

// A view of the buffer that reads its codes as numbers: the inverse of Coding.decode.
function numbersAt(buffer, coding, start, count) {
  const codes = new { u8: Uint8Array, u16: Uint16Array, f32: Float32Array }[coding](buffer, start, count);
  const levels = data.codings[coding];
  tables[coding] ??= levels && Float32Array.from({ length: levels + 2 }, (_, code) => (code > levels ? NaN : (code / levels) ** 2));
  return { codes, table: tables[coding] };
}

function decoded({ codes, table }, from, to) {
  if (!table) return codes.subarray(from, to);
  const numbers = new Float32Array(to - from);
  for (let at = from; at < to; at += 1) numbers[at - from] = table[codes[at]];
  return numbers;
}

// The codes of a map stay as they are until one of its heads is looked at.
function opened(map, sides, buffer) {
  const full = { ...map, query: sides[map.query], key: sides[map.key] };
  const count = map.heads.length * sizeOf(full);
  if (map.outline) full.buffer = buffer;
  else full.weights = numbersAt(buffer, map.coding, map.start, count);
  full.shares = map.shares.map(([name, start]) => [name, numbersAt(buffer, map.coding, start, count)]);
  full.causeAt = map.causes.length ? new Uint8Array(buffer, map.causeStart, count) : null;
  full.scores = map.scoreStart >= 0 ? new Float32Array(buffer, map.scoreStart, count) : null;
  return full;
}

const kept = new Map();

// The numbers of an example with its maps; a few examples stay open.
export async function openExample(index) {
  if (!kept.has(index)) {
    const { maps, sides } = data.examples[index];
    const buffer = await unpack("w" + index);
    if (kept.size > 8) kept.delete(kept.keys().next().value);
    kept.set(index, { buffer, maps: maps.map((map) => opened(map, sides, buffer)) });
  }
  return kept.get(index);
}

// One head, or the mean of all (head -1): a cell is masked if every head masks it.
export function planeOf(map, head) {
  if (map.outline) return outlined(map, head);
  const size = sizeOf(map);
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
}

// Of a long input: an overview of blocks, and the largest weights of every row.
function outlined(map, head) {
  const { buffer, outline, query } = map;
  const { blocks, rows, top } = outline;
  const area = blocks[0] * blocks[1];
  const overview = (start, scale) => {
    const found = decoded(numbersAt(buffer, "u8", start, map.heads.length * area), head * area, (head + 1) * area);
    return found.map((value) => value * scale);
  };
  const length = query.text.length;
  const [from, to] = [head * length * top, (head + 1) * length * top];
  const tops = decoded(numbersAt(buffer, "u16", outline.weights, to), from, to);
  const columns = new Uint32Array(buffer, outline.columns, to).subarray(from);
  const seen = new Uint32Array(buffer, rows, (head + 1) * length).subarray(head * length);
  return {
    map, seen, causes: null, scores: null, shares: [], top, columns, tops,
    largest: overview(outline.largest, 1), mean: overview(outline.mean, outline.meanScale),
  };
}

// How many keys each row may see.
export function seenOf(plane) {
  const { causes, map } = plane;
  if (plane.seen) return plane.seen;
  const width = map.key.text.length;
  plane.seen = new Uint32Array(map.query.text.length).fill(width);
  if (causes) for (let cell = 0; cell < causes.length; cell += 1) if (causes[cell]) plane.seen[Math.floor(cell / width)] -= 1;
  return plane.seen;
}

// B - A, with the largest difference as `signed`.
export function difference(first, second) {
  const weights = second.weights.map((weight, cell) => weight - first.weights[cell]);
  const signed = weights.reduce((most, weight) => Math.max(most, Math.abs(weight) || 0), 0) || 1;
  return { ...first, weights, signed, scores: null, shares: [] };
}

// Jensen-Shannon divergence of each row, in nats: 0 alike, ln 2 apart.
export function divergences(first, second) {
  const width = first.map.key.text.length;
  return [...first.map.query.text.keys()].map((row) => {
    let sum = 0;
    for (let cell = row * width; cell < (row + 1) * width; cell += 1) {
      const [a, b] = [first.weights[cell], second.weights[cell]];
      const middle = (a + b) / 2;
      if (a > 0) sum += (a * Math.log(a / middle)) / 2;
      if (b > 0) sum += (b * Math.log(b / middle)) / 2;
    }
    return sum;
  });
}

// Of a sequence that reads itself: columns are how far away a key lies, from -n to n or,
// where nothing later may be seen, from -n to 0. What lies outside is masked.
export function byLag(plane) {
  const { causes, map, weights } = plane;
  const size = map.key.text.length;
  const cellOf = (row, lag) => (row + lag < 0 || row + lag >= size ? -1 : row * size + row + lag);
  const rows = [...map.query.text.keys()];
  const seen = (lag) => rows.some((row) => cellOf(row, lag) >= 0 && !causes?.[cellOf(row, lag)]);
  const lags = Array.from({ length: 2 * size - 1 }, (_, at) => at - size + 1).filter(seen);
  const cells = rows.flatMap((row) => lags.map((lag) => cellOf(row, lag)));
  const text = lags.map((lag) => (lag ? `i${lag < 0 ? "−" : "+"}${Math.abs(lag)}` : "i"));
  const key = { text, flags: "", raw: {}, language: "", direction: "ltr", words: null };
  const outside = map.causes.length + 1;
  return {
    ...plane, scores: null, shares: [], divergence: undefined, seen: undefined,
    map: { ...map, key, gold: null, causes: [...map.causes, "outside"] },
    weights: Float32Array.from(cells, (cell) => (cell < 0 ? 0 : weights[cell])),
    causes: Uint8Array.from(cells, (cell) => (cell < 0 ? outside : (causes?.[cell] ?? 0))),
  };
}
