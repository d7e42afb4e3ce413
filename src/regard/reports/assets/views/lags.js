// A sequence that reads itself, with keys by how far they are from the row.

import { $, abs, indices, on, range, register, showMap, state, view } from "../core/core.js";

// Only a sequence that reads itself has distances between its tokens.
const readsItself = ({ key, outlined, query, wide }) => key === query && !outlined && wide > 1 && wide <= 1000;

// Columns are how far away a key lies, from -n to n or, where nothing later may be seen,
// from -n to 0. What lies outside is masked.
const byLag = (plane) => {
  const { masks, chart, weights } = plane;
  const size = chart.wide;
  const cellOf = (row, lag) => (row + lag < 0 || row + lag >= size ? -1 : row * size + row + lag);
  const { rows } = chart;
  const seen = (lag) => rows.some((row) => cellOf(row, lag) >= 0 && !masks?.[cellOf(row, lag)]);
  const lags = range(2 * size - 1, (at) => at - size + 1).filter(seen);
  const cells = rows.flatMap((row) => lags.map((lag) => cellOf(row, lag)));
  const text = lags.map((lag) => (lag ? `i${lag < 0 ? "−" : "+"}${abs(lag)}` : "i"));
  const key = { text, flags: "", raw: {}, direction: "ltr" };
  const outside = chart.causes.length + 1;
  return {
    ...plane, scores: null, shares: [], divergence: undefined, seen: undefined,
    chart: { ...chart, key, wide: lags.length, columns: indices(lags), mirrored: false, gold: null, causes: [...chart.causes, "outside"] },
    weights: Float32Array.from(cells, (cell) => (cell < 0 ? 0 : weights[cell])),
    masks: Uint8Array.from(cells, (cell) => (cell < 0 ? outside : (masks?.[cell] ?? 0))),
  };
};

register("lags", {
  choices: { l: 0 }, start: () => on("lag", "change", () => ((state.l ^= 1), (state.k = -1), showMap())), plane: (plane) => (state.l && readsItself(plane.chart) ? byLag(plane) : plane),

  show() {
    $("by_lag").hidden = !readsItself(view.maps[state.m]);
    $("lag").checked = state.l;
  },
});
