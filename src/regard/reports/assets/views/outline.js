// What is kept of a long input, as a plane: an overview of shape, and the largest weights
// of every row.

import { decoded, numbersAt, register } from "../core/core.js";

const read = (map, head) => {
  const { buffer, outline, query } = map;
  const { shape, rows, top } = outline;
  const area = shape[0] * shape[1];
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
};

register("outline", { read });
