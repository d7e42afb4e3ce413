// From the file to numbers: base64, deflate, and the levels of the square root.

import { $, data } from "./state.js";

export async function unpack(text) {
  const letters = atob(text);
  const packed = new Uint8Array(letters.length);
  for (let at = 0; at < packed.length; at += 1) packed[at] = letters.charCodeAt(at);
  const opened = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(opened).arrayBuffer();
}

export const sizeOf = (map) => map.query.text.length * map.key.text.length;

// The codes of a map stay as they are until one of its heads is looked at.
function opened(map, sides, buffer) {
  const full = { ...map, query: sides[map.query], key: sides[map.key] };
  const count = map.heads.length * sizeOf(full);
  const levels = data.codings[map.coding];
  const Codes = { u8: Uint8Array, u16: Uint16Array, f32: Float32Array }[map.coding];
  full.codes = new Codes(buffer, map.start, count);
  full.table = levels && Float32Array.from({ length: levels + 2 }, (_, code) => (code > levels ? NaN : (code / levels) ** 2));
  full.causeAt = map.causes.length ? new Uint8Array(buffer, map.causeStart, count) : null;
  full.scores = map.scoreStart >= 0 ? new Float32Array(buffer, map.scoreStart, count) : null;
  return full;
}

const kept = new Map();

export async function mapsOf(index) {
  if (kept.has(index)) return kept.get(index);
  const { maps, sides } = data.examples[index];
  const buffer = maps.length ? await unpack($("w" + index).textContent) : null;
  const found = maps.map((map) => opened(map, sides, buffer));
  if (kept.size > 8) kept.delete(kept.keys().next().value);
  kept.set(index, found);
  return found;
}

// The inverse of regard.reports.encoding.Coding, for one head.
function weightsOf(map, head) {
  const size = sizeOf(map);
  const codes = map.codes.subarray(head * size, (head + 1) * size);
  if (!map.table) return codes;
  const weights = new Float32Array(size);
  for (let cell = 0; cell < size; cell += 1) weights[cell] = map.table[codes[cell]];
  return weights;
}

// One head, or the mean of all (head -1): a cell is masked if every head masks it.
export function planeOf(map, head) {
  const size = sizeOf(map);
  const cut = (array, h) => array && array.subarray(h * size, (h + 1) * size);
  if (head >= 0) {
    return { map, weights: weightsOf(map, head), causes: cut(map.causeAt, head), scores: cut(map.scores, head) };
  }
  const weights = new Float32Array(size);
  const causes = map.causeAt && new Uint8Array(cut(map.causeAt, 0));
  const heads = map.heads.length;
  for (let h = 0; h < heads; h += 1) {
    const part = weightsOf(map, h);
    for (let cell = 0; cell < size; cell += 1) {
      weights[cell] += part[cell] / heads;
      if (causes && !map.causeAt[h * size + cell]) causes[cell] = 0;
    }
  }
  return { map, weights, causes, scores: null };
}
