// The one selection that all views share: layer, head, query, key.

import { drawLegend } from "./colour.js";
import { announce, inspect } from "./inspector.js";
import { $, clamp, fill, number, option, state, t, values, view, writeHash } from "./state.js";
import { drawTab, focusTab, markTab } from "./tabs.js";
import { markTokens, topOf } from "./tokens.js";
import { planeOf } from "./unpack.js";
import { all, views } from "./views.js";

// Looking changes what is marked; selecting also changes the state and the address.
export const look = (row = state.q, column = state.k) => {
  markTab(row, column);
  markTokens(row, column);
  inspect(row, column);
  all("look", row, column);
};

export const select = (row, column) => {
  [state.q, state.k] = [row, column];
  look(row, column);
  announce(row);
  writeHash();
};

// What is said of a map is not true of a difference of two.
const drawPattern = () => {
  const { chart, signed } = view.plane;
  const words = chart.said.at(state.h).map((word) => t(word)); // the mean's are the last
  words.push(t("effective", { n: number(chart.effective.at(state.h), 1) }));
  fill($("pattern"), signed ? "" : `${t("pattern")}: ${words.join("; ")}.`);
};

// Of an outline the largest weights are kept, which cannot be averaged.
const hasMean = (chart) => chart.heads.length > 1 && !chart.outlined;

const drawChoice = () => {
  const { maps } = view;
  const { heads } = maps[state.m];
  fill($("layer"), ...maps.map((chart, index) => option(index, chart.layer || index + 1))).value = state.m;
  const mean = hasMean(maps[state.m]) ? [option(-1, t("average"))] : [];
  fill($("head"), ...mean, ...heads.map((name, index) => option(index, name))).value = state.h;
  $("choice").hidden = maps.length * heads.length === 1 && !maps[0].layer && !view.others.length && maps[0].key !== maps[0].query;
};

export const showMap = () => {
  state.m = clamp(state.m, view.maps.length);
  const chart = view.maps[state.m];
  state.h = state.h < 0 && hasMean(chart) ? -1 : clamp(state.h, chart.heads.length);
  view.plane = values(views).reduce((plane, each) => each.plane?.(plane) ?? plane, planeOf(chart, state.h));
  view.chart = view.plane.chart;
  drawChoice();
  all("show");
  drawPattern();
  drawLegend();
  const row = clamp(state.q, chart.high);
  const best = state.k < 0 ? (topOf(row, 1)[0] ?? 0) : state.k;
  drawTab();
  select(row, clamp(best, chart.wide));
};

export const showMaps = () => {
  all("maps");
  showMap();
};

const moves = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  Home: [0, -Infinity], End: [0, Infinity], PageUp: [-Infinity, 0], PageDown: [Infinity, 0],
};

// Rows down and columns across, for a key, which then does not scroll.
export const moveOf = (event, keys = /./) => {
  const move = keys.test(event.key) && moves[event.key];
  if (move) event.preventDefault();
  return move;
};

export const moveByKey = (_, event) => {
  const move = event.target.closest("td, .canvas, .arcs") && moveOf(event);
  if (!move) return;
  const { high, mirrored, wide } = view.chart;
  const sign = mirrored && event.key.startsWith("Arrow") ? -1 : 1;
  select(clamp(state.q + move[0], high), clamp(state.k + move[1] * sign, wide));
  focusTab();
};
