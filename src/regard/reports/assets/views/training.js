// A probe over the course of training: a slider through its steps, lines below it.

import { $, clamp, fill, finite, make, max, min, number, on, press, register, showMaps, state, svg, t, view } from "../core/core.js";

const [width, height] = [300, 90];
let playing = 0;

const lineOf = ([name, values, head]) => {
  const known = values.filter(finite);
  const [low, high] = [min(...known), max(...known)];
  const across = (at) => (at * width) / (values.length - 1 || 1);
  const down = (value) => height - 6 - ((value - low) / (high - low || 1)) * (height - 12);
  const points = values.flatMap((value, at) => (finite(value) ? `${across(at)},${down(value)}` : []));
  const now = across(state.s);
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    svg("line", { x1: now, x2: now, y1: 0, y2: height }), svg("polyline", { points: points.join(" ") }));
  const value = values[state.s];
  const text = `${head ? t(name) : name}: ${finite(value) ? number(value, 3) : "–"} (${number(low, 3)} … ${number(high, 3)})`;
  return make("figure", drawing, make("figcaption", text));
};

const open = () => {
  const { steps } = view.example;
  $("training").hidden = !steps;
  if (!steps) return stop();
  state.s = clamp(state.s, steps.length);
  view.maps = view.all.filter(({ step }) => step === state.s);
  $("step").max = steps.length - 1;
  $("step").value = state.s;
  fill($("step_said"), t("step", { n: number(steps[state.s], 0) }));
};

const setStep = (at) => {
  state.s = at;
  open();
  showMaps();
};

const stop = () => {
  clearInterval(playing);
  playing = 0;
  press($("play"), false, true);
};

// One step a second where the reader asked for less motion, else three.
const play = () => {
  if (playing) return stop();
  const pause = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 350;
  const isLast = () => state.s + 1 === view.example.steps.length;
  press($("play"), true);
  playing = setInterval(() => (isLast() ? stop() : setStep(state.s + 1)), pause);
  if (isLast()) setStep(0);
};

register("training", {
  choices: { s: 0 }, open,

  start() {
    on("step", "input", (value) => setStep(+value));
    on("play", "click", play);
  },

  // The lines of the head on view, and those that are of no head.
  show() {
    if (!view.example.steps) return;
    const own = `${view.chart.layer}/${state.h}`;
    const shown = view.example.lines.filter(([, , head]) => !head || head === own);
    fill($("lines_of_training"), ...shown.map(lineOf));
  },
});
