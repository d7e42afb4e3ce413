// From a weight to a colour: one hue, darker (on dark paper: lighter) for more.

import { $, fill, make, state, t, transfers, view } from "./state.js";

const ramps = {
  light: ["#f7fbff", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b"],
  dark: ["#14171c", "#10263f", "#0b3a66", "#0d5191", "#2670b5", "#4d92cd", "#7fb5de", "#b4d5ec", "#eaf4fc"],
};
const ticks = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1];

export function isDark() {
  return state.theme ? state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

// The colours of text and of the selection, as a canvas takes them.
export function inks() {
  const { color, outlineColor } = getComputedStyle(document.body);
  return [color, outlineColor];
}

const channels = (hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

export function shade(weight) {
  const ramp = isDark() ? ramps.dark : ramps.light;
  const place = transfers[state.scale](Math.min(1, Math.max(0, weight))) * (ramp.length - 1);
  const below = Math.min(ramp.length - 2, Math.floor(place));
  const [from, to] = [channels(ramp[below]), channels(ramp[below + 1])];
  return from.map((value, c) => Math.round(value + (to[c] - value) * (place - below)));
}

// Black or white, whichever is readable: the two meet at a luminance of 0.179.
function inkOn(rgb) {
  const linear = rgb.map((c) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 ? "#000" : "#fff";
}

export function paint(element, weight) {
  const rgb = shade(weight);
  element.style.background = `rgb(${rgb})`;
  element.style.color = inkOn(rgb);
  return element;
}

export function drawLegend() {
  const swatches = ticks.map((weight) => paint(make("span", {}, weight.toLocaleString(state.lang)), weight));
  if (view.plane.causes) swatches.push(make("span", { class: "masked" }, make("bdi", {}, t("masked"))));
  fill($("legend"), ...swatches);
}
