// A probe over the course of training: a slider through its steps, lines below it.

import { $, clamp, fill, finite, indices, make, max, min, number, on, register, showMaps, state, svg, t, view } from "../core/core.js";

const [width, height] = [300, 90];
let playing = 0;

// How the name of a line of the head on view ends.
const ownEnd = () => `/${view.chart.layer}/${state.h}`;

const lineOf = ([name, values]) => {
  const known = values.filter(finite);
  const [low, high] = [min(...known), max(...known)];
  const across = (at) => (values.length > 1 ? (at * width) / (values.length - 1) : 0);
  const down = (value) => height - 6 - ((value - low) / (high - low || 1)) * (height - 12);
  const points = indices(values).filter((at) => finite(values[at])).map((at) => `${across(at)},${down(values[at])}`);
  const now = across(state.s);
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    svg("line", { x1: now, x2: now, y1: 0, y2: height }), svg("polyline", { points: points.join(" ") }));
  const value = values[state.s];
  const own = ownEnd();
  const said = name.endsWith(own) ? t(name.slice(0, -own.length)) : name;
  const text = `${said}: ${finite(value) ? number(value, 3) : "–"} (${number(low, 3)} … ${number(high, 3)})`;
  return make("figure", drawing, make("figcaption", text));
};

// The lines of the head on view, and those that are of no head.
const show = () => {
  if (!view.example.steps) return;
  const layers = new Set(view.all.map((chart) => chart.layer).filter(Boolean));
  const own = ownEnd();
  const shown = view.example.lines.filter(([name]) => name.endsWith(own) || ![...layers].some((layer) => name.includes(`/${layer}/`)));
  fill($("lines_of_training"), ...shown.map(lineOf));
};

const open = () => {
  const { steps } = view.example;
  $("training").hidden = !steps;
  if (!steps) return stop();
  state.s = clamp(state.s, steps.length);
  view.maps = view.all.filter(({ step }) => step === state.s);
  $("step").max = steps.length - 1;
  $("step").value = state.s;
  fill($("step_said"), t("step", { n: steps[state.s].toLocaleString(state.lang) }));
};

const setStep = (at) => {
  state.s = at;
  open();
  showMaps();
};

const stop = () => {
  clearInterval(playing);
  playing = 0;
  $("play").setAttribute("aria-pressed", false);
};

// One step a second where the reader asked for less motion, else three.
const play = () => {
  if (playing) return stop();
  const pause = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 350;
  $("play").setAttribute("aria-pressed", true);
  playing = setInterval(() => {
    if (state.s + 1 < view.example.steps.length) setStep(state.s + 1);
    else stop();
  }, pause);
  if (state.s + 1 >= view.example.steps.length) setStep(0);
};

const start = () => {
  on("step", "input", (value) => setStep(+value));
  on("play", "click", play);
};

register("training", { choices: { s: 0 }, start, open, show });
