// What is kept of a long input, as a plane: an overview of shape, and the largest weights
// of every row.

import { reader, register } from "../core/core.js";

register("outline", {
  read(chart, head) {
    const { stored, high, outlined } = chart;
    const { meanScale, shape, sums, top } = outlined;
    const of = (kind, start, size) => reader(stored, kind, start)(head * size, (head + 1) * size);
    const overview = (start, scale) => of("u8", start, shape[0] * shape[1]).map((value) => value * scale);
    const tops = of("u16", outlined.top_weights, high * top);
    const columns = of("u32", outlined.top_keys, high * top);
    const cut = (numbers, row) => numbers.subarray(row * top, (row + 1) * top);
    return {
      chart, tops, sums: sums?.[head], shares: [], seen: of("u32", outlined.visible, high),
      kept: (row) => cut(columns, row),
      found: (row, column) => cut(tops, row)[cut(columns, row).indexOf(column)],
      least: (row) => cut(tops, row).at(-1),
      largest: overview(outlined.largest, 1), mean: overview(outlined.mean, meanScale),
    };
  },
});
