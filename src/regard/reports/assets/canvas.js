// A large map as a picture: one rectangle for a block of cells, labels where there is
// room. Zoomed in, it shows the part of the map around the selection.

import { inks, isDark, shade } from "./colour.js";
import { axes } from "./matrix.js";
import { look, select } from "./selection.js";
import { clamp, fill, make, option, state, t, view } from "./state.js";
import { tokenText } from "./tokens.js";

const most = 512; // blocks on a side
const gutter = 96;
const zoom = { factor: 1, kind: "largest" };
let picture = null;

// What a picture of `size` cells shows: from `first`, `count` of them, `step` a block.
function span(size, selected, unit = 1) {
  const count = Math.min(size, Math.max(unit, Math.ceil(size / zoom.factor)));
  const step = unit * Math.ceil(count / unit / most);
  const first = clamp(Math.floor((selected - count / 2) / step) * step, size - count + 1);
  return { first: Math.max(0, first), count, step, blocks: Math.ceil(count / step) };
}

// The largest or the mean weight of each block; NaN stays, -1 is a block all masked.
export function pooled(plane, rows, columns, kind) {
  const { weights, causes, map } = plane;
  const width = map.key.text.length;
  const found = new Float32Array(rows.blocks * columns.blocks).fill(-1);
  const counts = new Uint32Array(found.length);
  for (let row = rows.first; row < rows.first + rows.count; row += 1) {
    const line = Math.floor((row - rows.first) / rows.step) * columns.blocks;
    for (let column = 0; column < columns.count; column += 1) {
      const cell = row * width + columns.first + column;
      if (causes && causes[cell]) continue;
      const block = line + Math.floor(column / columns.step);
      const weight = weights[cell];
      counts[block] += 1;
      if (found[block] < 0) found[block] = weight;
      else if (kind === "mean") found[block] += weight;
      else if (!(weight <= found[block])) found[block] = weight;
    }
  }
  if (kind === "mean") counts.forEach((count, block) => count && (found[block] /= count));
  return found;
}

export function everything(map, limit) {
  const whole = (size) => ({ first: 0, count: size, step: Math.ceil(size / limit), blocks: Math.ceil(size / Math.ceil(size / limit)) });
  return [whole(map.query.text.length), whole(map.key.text.length)];
}

// Blocks as pixels on a canvas of that many pixels; a right-to-left input is mirrored.
export function pixelsOf(values, rows, columns, mirrored) {
  const pixels = new ImageData(columns, rows);
  const hatch = isDark() ? [119, 128, 141] : [138, 147, 160];
  const plain = isDark() ? [20, 23, 28] : [255, 255, 255];
  const shades = Array.from({ length: 1024 }, (_, root) => shade((root / 1023) ** 2));
  for (let at = 0; at < values.length; at += 1) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const weight = values[at];
    const striped = (row + column) % 3 ? plain : hatch;
    const known = shades[Math.round(Math.sqrt(Math.min(1, Math.max(0, weight || 0))) * 1023)];
    const [red, green, blue] = weight < 0 ? striped : Number.isNaN(weight) ? [220, 0, 0] : known;
    pixels.data.set([red, green, blue, 255], 4 * (row * columns + (mirrored ? columns - 1 - column : column)));
  }
  const canvas = make("canvas", { width: columns, height: rows, "aria-hidden": "true" });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

function paintPicture() {
  const { map } = view.plane;
  const rows = span(map.query.text.length, state.q);
  const columns = span(map.key.text.length, state.k);
  const values = pooled(view.plane, rows, columns, zoom.kind);
  const mirrored = map.key.direction === "rtl";
  const cell = Math.max(1, Math.min(12, Math.floor(1100 / Math.max(rows.blocks, columns.blocks))));
  Object.assign(picture, { rows, columns, mirrored, cell, small: pixelsOf(values, rows.blocks, columns.blocks, mirrored) });
  picture.canvas.width = gutter + columns.blocks * cell;
  picture.canvas.height = gutter + rows.blocks * cell;
  picture.note.textContent = `${axes(mirrored)} · ${t("block_" + zoom.kind, { n: `${rows.step} × ${columns.step}` })}`;
  picture.out.disabled = zoom.factor === 1;
}

// Where a row or column of the map lies, in blocks from the picture's edge.
const placed = (span, index, mirrored) => {
  const block = Math.floor((index - span.first) / span.step);
  return mirrored ? span.blocks - 1 - block : block;
};

function pointed(event) {
  const { canvas, cell, columns, mirrored, rows } = picture;
  const frame = canvas.getBoundingClientRect();
  const across = Math.floor((event.clientX - frame.left - gutter) / cell);
  const down = Math.floor((event.clientY - frame.top - gutter) / cell);
  if (across < 0 || down < 0 || across >= columns.blocks || down >= rows.blocks) return null;
  const index = (span, block) => Math.min(span.first + block * span.step, span.first + span.count - 1);
  return [index(rows, down), index(columns, mirrored ? columns.blocks - 1 - across : across)];
}

export function draw(box) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const change = (factor) => {
    zoom.factor = Math.min(64, Math.max(1, zoom.factor * factor));
    paintPicture();
    mark(state.q, state.k);
  };
  const button = (sign, name, factor) =>
    make("button", { type: "button", "aria-label": t(name), title: t(name), onclick: () => change(factor) }, sign);
  const kinds = make("select", { "aria-label": t("blocks"), onchange: () => ((zoom.kind = kinds.value), change(1)) });
  fill(kinds, option("largest", t("largest")), option("mean", t("mean"))).value = zoom.kind;
  const note = make("span", { class: "quiet" });
  const out = button("−", "zoom_out", 1 / 2);
  picture = { canvas, note, out };
  const frame = make("div", { class: "canvas", tabindex: "0", role: "group", "aria-label": `${t("alignment")}. ${t("keys")}` }, canvas);
  frame.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") change(2);
    if (event.key === "-") change(1 / 2);
  });
  canvas.addEventListener("pointermove", (event) => look(...(pointed(event) ?? [state.q, state.k])));
  canvas.addEventListener("pointerleave", () => look(state.q, state.k));
  canvas.addEventListener("click", (event) => pointed(event) && select(...pointed(event)));
  fill(box, make("p", { class: "scale" }, button("+", "zoom_in", 2), out, kinds, note), frame);
  paintPicture();
}

export function mark(row, column) {
  const outside = (span, index) => index < span.first || index >= span.first + span.count;
  if (outside(picture.rows, row) || outside(picture.columns, column)) paintPicture();
  const { canvas, cell, columns, mirrored, rows, small } = picture;
  const pen = canvas.getContext("2d");
  const [ink, accent] = inks();
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, gutter, gutter, small.width * cell, small.height * cell);
  pen.strokeStyle = accent;
  pen.lineWidth = 2;
  pen.strokeRect(gutter, gutter + placed(rows, row) * cell, small.width * cell, cell);
  pen.strokeRect(gutter + placed(columns, column, mirrored) * cell, gutter, cell, small.height * cell);
  labelSide(pen, "query", rows, row, [ink, accent]);
  pen.translate(0, gutter);
  pen.rotate(-Math.PI / 2);
  labelSide(pen, "key", columns, column, [ink, accent]);
  pen.resetTransform();
}

// As many tokens as fit, so that none covers another; the selected one always.
function labelSide(pen, side, span, selected, [ink, accent]) {
  const { cell, mirrored } = picture;
  const every = span.step * Math.ceil(12 / cell);
  const down = side === "query";
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.textAlign = down ? "right" : "left";
  const write = (index, colour) => {
    const text = tokenText(side, index);
    pen.fillStyle = colour;
    const centre = gutter + (placed(span, index, !down && mirrored) + 0.5) * cell;
    pen.fillText(text.length > 14 ? text.slice(0, 13) + "…" : text, down ? gutter - 5 : 5, centre, gutter - 10);
  };
  for (let index = span.first; index < span.first + span.count; index += every) {
    if (Math.abs(index - selected) >= every) write(index, ink);
  }
  write(selected, accent);
}
