// What the page knows: the data, the phrases, the state, and how to unpack weights.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const state = { e: 0, m: 0, h: 0, q: 0, k: -1, scale: "sqrt", lang: data.language, theme: "" };
let current = null; // { example, maps } of the example on view
let plane = null; // the map on view: { map, weights, causes, scores }, T x S each

function t(key, values = {}) {
  const phrase = data.phrases[state.lang][key] ?? key;
  return phrase.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function number(value, digits) {
  const shape = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return Number.isFinite(value) ? value.toLocaleString(state.lang, shape) : String(value);
}

function weightText(value) {
  if (value > 0 && value < 0.00005) return value.toExponential(1);
  return number(value, 4);
}

// Texts enter the page here and in `fill`, always as text, never as markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function fill(element, ...children) {
  element.replaceChildren(...children);
  return element;
}

function readHash() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (typeof state[name] === "number") state[name] = Number.parseInt(value, 10) || 0;
    else if (name === "lang" && data.phrases[value]) state.lang = value;
    else if (name === "theme" && /^(light|dark)$/.test(value)) state.theme = value;
    else if (name === "scale" && transfers[value]) state.scale = value;
  }
}

function writeHash() {
  const parts = Object.entries(state).filter(([, value]) => value !== "");
  try {
    history.replaceState(null, "", "#" + new URLSearchParams(parts));
  } catch {
    // A sandboxed frame in a notebook has no address to keep the view in.
  }
}

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream();
  const opened = stream.pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(opened).arrayBuffer();
}

// The inverse of regard.reports.encoding.Coding; data.codings holds its levels.
function decodeWeights(buffer, map) {
  const count = map.heads.length * map.query.length * map.key.length;
  const levels = data.codings[map.coding];
  if (!levels) return new Float32Array(buffer, map.start, count);
  const Codes = map.coding === "u8" ? Uint8Array : Uint16Array;
  const codes = new Codes(buffer, map.start, count);
  return Float32Array.from(codes, (code) => (code > levels ? NaN : (code / levels) ** 2));
}

const unpacked = new Map();

async function mapsOf(index) {
  if (unpacked.has(index)) return unpacked.get(index);
  const example = data.examples[index];
  const buffer = example.maps.length ? await unpack($("w" + index).textContent) : null;
  const maps = example.maps.map((map) => {
    const count = map.heads.length * map.query.length * map.key.length;
    return {
      ...map,
      weights: decodeWeights(buffer, map),
      causeAt: map.causes.length ? new Uint8Array(buffer, map.causeStart, count) : null,
      scores: map.scoreStart >= 0 ? new Float32Array(buffer, map.scoreStart, count) : null,
    };
  });
  if (unpacked.size > 8) unpacked.delete(unpacked.keys().next().value);
  unpacked.set(index, maps);
  return maps;
}

// One head, or the mean of all (head -1): a cell is masked if every head masks it.
function planeOf(map, head) {
  const size = map.query.length * map.key.length;
  const heads = map.heads.length;
  const cut = (array, h) => array && array.subarray(h * size, (h + 1) * size);
  if (head >= 0) {
    return { map, weights: cut(map.weights, head), causes: cut(map.causeAt, head), scores: cut(map.scores, head) };
  }
  const weights = new Float32Array(size);
  const causes = map.causeAt && new Uint8Array(map.causeAt.subarray(0, size));
  for (let h = 0; h < heads; h += 1) {
    for (let cell = 0; cell < size; cell += 1) {
      weights[cell] += map.weights[h * size + cell] / heads;
      if (causes && !map.causeAt[h * size + cell]) causes[cell] = 0;
    }
  }
  return { map, weights, causes, scores: null };
}
