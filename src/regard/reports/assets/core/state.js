// What the page knows: the data, the phrases, the choices, and how they are kept.

export const { abs, ceil, floor, max, min, round, sqrt } = Math;
export const { entries, keys: namesOf, values } = Object;
export const { isFinite: finite } = Number;
export const $ = (id) => document.getElementById(id);
export const data = JSON.parse($("data").textContent);
export const { examples } = data;
export const transfers = {
  // of weights; `uniform` is of weights times the keys that the row may see
  sqrt,
  linear: (weight) => weight,
  log: (weight) => 1 + Math.log10(weight) / 4, // what is not above 0 has no colour
  uniform: null,
};

// What the reader chose, all of it in the address: example, map, head (-1: the mean),
// query, key; the tab on view (v); whether colours end at the largest weight of a head (d);
// colours, language, theme; and the choices of views.
export const state = { e: 0, m: 0, h: 0, q: 0, k: -1, d: 0, v: "", scale: "sqrt", lang: data.language, theme: "" };
const allowed = { scale: namesOf(transfers), lang: data.languages, theme: ["light", "dark"] };

// What follows from it: the example, its maps, and the plane (one map, T x S) on view.
// `all` are the maps of all steps and both models, `others` those of the second model.
export const view = {};

export const darkness = matchMedia("(prefers-color-scheme: dark)");

export const t = (key, values = {}, other = key) =>
  (view.phrases[state.lang][key] ?? other).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

export const number = (value, digits) => {
  const shape = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return (value ?? NaN).toLocaleString(state.lang, shape).replace(/^-(?=[0.,]+$)/, "").replace("-", "−");
};

export const rounded = (value, maximumSignificantDigits) => value.toLocaleString(state.lang, { maximumSignificantDigits });

// Four digits, or what they would round to nothing as a power of ten.
export const weightText = (value) => {
  if (!(value > 0 && value < 0.00005)) return number(value, 4);
  const [digits, power] = value.toExponential(1).split("e-");
  return `${number(+digits, 1)}·10⁻${power.replace(/./g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])}`;
};

// Texts enter the page here and in `fill`, always as text, never as markup.
// `make("p.quiet")` is a paragraph of that class; attributes may be left out.
export const make = (tag, ...rest) => {
  const [name, kind] = tag.split(".");
  const element = furnish(document.createElement(name), ...rest);
  if (kind) element.className = kind;
  return element;
};
export const svg = (tag, ...rest) => furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), ...rest);

// Attributes that are false, empty or undefined are left out; `on...` are listeners.
const furnish = (element, attributes = {}, ...children) => {
  if (attributes.constructor !== Object) return furnish(element, {}, attributes, ...children);
  for (const [name, value] of entries(attributes)) {
    if (name.startsWith("on")) element[name] = value;
    else if (value || value === 0) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

export const fill = (element, ...children) => {
  element.replaceChildren(...children);
  return element;
};

export const range = (length, of) => Array.from({ length }, (_, at) => of(at));
export const indices = (list) => [...list.keys()];
export const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
export const each = (selector, act) => document.querySelectorAll(selector).forEach(act);
export const terms = (tag, pairs) =>
  make(tag, ...pairs.flatMap(([name, ...told]) => [make("dt", name), make("dd", ...told)]));
export const quiet = (...rest) => make("p.quiet", ...rest);

// A box that takes the focus, and what is drawn in it for those who see it.
export const group = (kind, name, ...rest) => make("div." + kind, { tabindex: 0, role: "group", "aria-label": name }, ...rest);
export const picture = (width, height) => make("canvas", { width, height, "aria-hidden": true });
export const penOf = (canvas) => canvas.getContext("2d");

// A canvas of pixels, each of the colour 0xAABBGGRR of its row and column.
export const painted = (width, height, colourOf) => {
  const pixels = new ImageData(width, height);
  const colours = new Uint32Array(pixels.data.buffer);
  colours.forEach((_, at) => (colours[at] = colourOf(floor(at / width), at % width)));
  const canvas = picture(width, height);
  penOf(canvas).putImageData(pixels, 0, 0);
  return canvas;
};

// A canvas that keeps the pointer from where it went down until it comes up.
export const held = (canvas, begin) => {
  canvas.onpointerdown = (event) => (canvas.setPointerCapture(event.pointerId), begin(event));
};

// The pen at the beginning of a line, or of a shape, of this look.
export const begun = (pen, colour, width = 2, dash = []) => {
  pen.beginPath();
  pen.setLineDash(dash);
  pen.lineWidth = width;
  pen.strokeStyle = pen.fillStyle = colour;
  return pen;
};

// A canvas with nothing but an image in one place, each of its pixels a sharp square.
export const pasted = (canvas, ...image) => {
  const pen = penOf(canvas);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(...image);
  return pen;
};

// A text whose direction does not reach the words beside it.
export const isolated = (text) => `\u2068${text}\u2069`;
export const option = (value, text) => make("option", { value }, text);
// The choices of a select, each by the phrase of its name after this beginning.
export const offer = (box, names, beginning, chosen) => {
  fill(box, ...names.map((name) => option(name, t(beginning + name)))).value = chosen;
};
// Whether a button is the chosen one, and whether the tab key stops at it.
export const press = (button, chosen, reached = chosen) => {
  button.setAttribute("aria-pressed", chosen);
  button.tabIndex = reached ? 0 : -1;
};
export const clamp = (value, size) => min(size - 1, max(0, value));

export const readHash = () => {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (typeof state[name] === "number") state[name] = value | 0;
    else if (name in state && (allowed[name]?.includes(value) ?? /^\w+$/.test(value))) state[name] = value;
  }
};

export const writeHash = () => {
  try {
    history.replaceState(null, "", "#" + new URLSearchParams(state));
  } catch {
    // A sandboxed frame in a notebook has no address to keep the view in.
  }
};

// Listen to the element with this id; what is done takes its value, and the event.
export const on = (id, event, act) => $(id).addEventListener(event, (happened) => act($(id).value, happened));
