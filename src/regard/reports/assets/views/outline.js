// What is kept of a long input, as a plane: an overview of shape, and the largest weights
// of every row.

import { decoded, numbersAt, register, view } from "../core/core.js";

const read = (chart, head) => {
  const { outline, query } = chart;
  const { buffer } = view;
  const { shape, top, visible } = outline;
  const area = shape[0] * shape[1];
  const overview = (start, scale) => {
    const found = decoded(numbersAt(buffer, "u8", start, chart.heads.length * area), head * area, (head + 1) * area);
    return found.map((value) => value * scale);
  };
  const length = query.text.length;
  const [from, to] = [head * length * top, (head + 1) * length * top];
  const tops = decoded(numbersAt(buffer, "u16", outline.top_weights, to), from, to);
  const columns = new Uint32Array(buffer, outline.top_keys, to).subarray(from);
  const seen = new Uint32Array(buffer, visible, (head + 1) * length).subarray(head * length);
  const cut = (numbers, row) => numbers.subarray(row * top, (row + 1) * top);
  const kept = (row) => cut(columns, row);
  const found = (row, column) => cut(tops, row)[kept(row).indexOf(column)];
  return {
    chart, seen, sums: outline.sums?.[head], masks: null, scores: null, shares: [], kept, found, tops,
    least: (row) => cut(tops, row).at(-1),
    largest: overview(outline.largest, 1), mean: overview(outline.mean, outline.meanScale),
  };
};

register("outline", { read });
