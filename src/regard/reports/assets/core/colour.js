// From a weight to a colour: one hue, darker (on dark paper: lighter) for more; two hues
// where there is a middle, as in differences and in multiples of the uniform weight.

import { $, darkness, fill, floor, make, max, min, number, range, round, rounded, state, t, transfers, view } from "./state.js";

const ramps = {
  // six digits a colour
  light: "f7fbffdeebf7c6dbef9ecae16baed64292c62171b508519c08306b",
  dark: "14171c10263f0b3a660d51912670b54d92cd7fb5deb4d5eceaf4fc",
  lightTwo: "8f3b00e08a3cffffff6baed608519c",
  darkTwo: "ffb27aa85a1e14171c2670b59ccbf0",
};
const ticks = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1];

const isUniform = () => state.scale === "uniform";

export const isDark = () => (state.theme ? state.theme === "dark" : darkness.matches);

// The colours of text and of the selection, as a canvas takes them.
export const inks = () => {
  const { color, outlineColor } = getComputedStyle(document.body);
  return [color, outlineColor];
};

// Where a weight lies on the ramp, 0 to 1; `seen` is how many keys its row may see, `end`
// the weight at the end of the ramp: 1, or the largest of the head where that was chosen.
export const placeOf = (weight, seen = 1, end = view.plane.end) => {
  const { signed } = view.plane;
  const place = signed ? (weight / signed + 1) / 2
    : isUniform() ? Math.log2(max(weight * seen, 1e-9)) / 8 + 0.5
    : transfers[state.scale](max(0, weight / end));
  return min(1, max(0, place));
};

const rampName = () => (isDark() ? "dark" : "light") + (view.plane.signed || isUniform() ? "Two" : "");

const colourAt = (place) => {
  const ramp = ramps[rampName()];
  const far = place * (ramp.length / 6 - 1);
  const below = min(ramp.length / 6 - 2, floor(far));
  const channel = (at) => parseInt(ramp.slice(at, at + 2), 16);
  return [0, 2, 4].map((c) => {
    const [from, to] = [0, 6].map((next) => channel(6 * below + next + c));
    return round(from + (to - from) * (far - below));
  });
};

const palettes = {};

// The colours at 1024 places of the ramp, as pixels of pictures of many cells.
export const palette = () => {
  return (palettes[rampName()] ??= range(1024, (at) => colourAt(at / 1023).reduceRight((whole, part) => 256 * whole + part, 255)));
};

export const shade = (weight, seen) => `rgb(${colourAt(placeOf(weight, seen))})`;

// Black or white, whichever is readable: the two meet at a luminance of 0.179.
const inkOn = (rgb) => {
  const linear = rgb.map((c) => (c / 255) ** 2.2);
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 ? "#000" : "#fff";
};

export const paint = (element, weight, seen) => {
  const rgb = colourAt(placeOf(weight, seen));
  element.style.background = `rgb(${rgb})`;
  element.style.color = inkOn(rgb);
  return element;
};

export const drawLegend = () => {
  const { masks, signed, end } = view.plane;
  const swatch = (text, weight) => paint(make("span", text), weight);
  const shown = signed ? [-1, -0.5, 0, 0.5, 1].map((part) => swatch(number(part * signed, 3), part * signed))
    : isUniform() ? [1 / 16, 1 / 4, 1, 4, 16].map((ratio) => swatch(`× ${rounded(ratio, 4)}`, ratio))
    : ticks.map((part) => swatch(rounded(part * end, 2), part * end));
  if (state.d && !signed && !isUniform()) shown.unshift(make("b", t("this_head_only")));
  if (masks) shown.push(make("span.masked", make("bdi", t("masked"))));
  $("domain").checked = state.d;
  fill($("legend"), ...shown);
};
