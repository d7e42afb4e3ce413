// From the numbers of the file to one map.

import { data, examples, indices, state } from "./state.js";
import { views } from "./views.js";

// Reads numbers of the buffer from one place after `start` to another: the inverse of
// Coding.decode.
export const reader = (buffer, coding, start) => (from, to) => {
  const codes = new { u8: Uint8Array, u16: Uint16Array, f32: Float32Array, cause: Uint8Array, u32: Uint32Array }[coding](buffer, start, to).subarray(from, to);
  const levels = data.codings[coding];
  if (!levels) return codes;
  const numbers = new Float32Array(codes);
  for (let at = 0; at < numbers.length; at += 1) numbers[at] = numbers[at] > levels ? NaN : (numbers[at] / levels) ** 2;
  return numbers;
};

// The numbers of a map are read when one of its heads is looked at.
const opened = (chart, sides, buffer) => {
  const [query, key] = [sides[chart.query], sides[chart.key]];
  const [rows, columns] = [indices(query.text), indices(key.text)];
  const { outline, coding, scoreStart, causeStart } = chart;
  const { down = 1, across = 1 } = outline ?? {};
  return {
    ...chart, stored: buffer, down, across, outlined: outline, query, key, rows, columns, high: rows.length, wide: columns.length, mirrored: key.direction === "rtl",
    weights: reader(buffer, coding, chart.start),
    shares: chart.shares.map(([name, start]) => [name, reader(buffer, coding, start)]),
    causeAt: causeStart >= 0 ? reader(buffer, "cause", causeStart) : null, // false[cell] is slow
    scores: scoreStart >= 0 && reader(buffer, "f32", scoreStart),
  };
};

const kept = []; // of eight examples, each with its number

// The maps of an example, each with the numbers of all.
export const openExample = async (index) => {
  const { maps, sides } = examples[index];
  const place = index % 8;
  if (kept[place]?.[0] !== index) kept[place] = [index, await unpack("w" + index)];
  const [, buffer] = kept[place];
  return maps.map((chart) => opened(chart, sides, buffer)).filter((chart) => chart.high * chart.wide);
};

// One head, or the mean of all (head -1): a cell is masked if every head masks it.
const wholeOf = (chart, head) => {
  const { causeAt, scores, shares, weights } = chart;
  const size = chart.high * chart.wide;
  const of = (read, at = head) => read && read(at * size, (at + 1) * size);
  if (head >= 0) return { chart, weights: of(weights), masks: of(causeAt), scores: of(scores), shares: shares.map(([name, read]) => [name, of(read)]) };
  const [maps, masks] = [weights, causeAt].map((read) => chart.heads.map((_, at) => of(read, at)));
  const mean = (_, cell) => maps.reduce((total, map) => total + map[cell], 0) / maps.length;
  const hidden = (cause, cell) => masks.every((mask) => mask[cell]) && cause;
  return { chart, weights: maps[0].map(mean), masks: causeAt && masks[0].map(hidden), shares: [] };
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
  const seen = (row) => chart.wide - (masks && masks.subarray(row * chart.wide, (row + 1) * chart.wide).filter(Boolean).length);
  return (plane.seen ??= chart.rows.map(seen));
};
