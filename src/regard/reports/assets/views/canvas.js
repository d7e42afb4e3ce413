// A large map as a picture: one rectangle for a block of cells, labels where there is
// room. Zoomed in, it shows the part of the map around the selection.

import { axes, ceil, clamp, fill, floor, inks, look, make, max, min, option, pixelsOf, pooled, register, select, state, t, tokenText, view } from "../core/core.js";

const most = 512; // blocks on a side
const gutter = 96;
const zoom = { factor: 1, kind: "largest" };
let picture = null;

// What a picture of `size` cells shows: from `first`, `count` of them, `step` a block.
function span(size, selected, unit) {
  const count = min(size, max(unit, ceil(size / zoom.factor / unit) * unit));
  const step = unit * ceil(count / unit / most);
  const first = clamp(floor((selected - count / 2) / step) * step, ceil((size - count) / step) * step + 1);
  const shown = min(count, size - first);
  return { first, count: shown, step, blocks: ceil(shown / step) };
}

function paintPicture() {
  const { map } = view.plane;
  const rows = span(map.high, state.q, map.outline?.high ?? 1);
  const columns = span(map.wide, state.k, map.outline?.wide ?? 1);
  const small = pixelsOf(pooled(view.plane, rows, columns, zoom.kind), map);
  const { mirrored } = map;
  const cell = max(1, min(12, floor(1100 / max(rows.blocks, columns.blocks))));
  Object.assign(picture, { rows, columns, mirrored, cell, small });
  picture.canvas.width = gutter + columns.blocks * cell;
  picture.canvas.height = gutter + rows.blocks * cell;
  picture.note.textContent = `${axes()} · ${t("block_" + zoom.kind, { n: `${rows.step} × ${columns.step}` })}`;
  picture.out.disabled = zoom.factor === 1;
}

// Where a row or column of the map lies, in blocks from the picture's edge.
const placed = (span, index, mirrored) => {
  const block = floor((index - span.first) / span.step);
  return mirrored ? span.blocks - 1 - block : block;
};

function pointed(event) {
  const { canvas, cell, columns, mirrored, rows } = picture;
  const frame = canvas.getBoundingClientRect();
  const across = floor((event.clientX - frame.left - gutter) / cell);
  const down = floor((event.clientY - frame.top - gutter) / cell);
  if (across < 0 || down < 0 || across >= columns.blocks || down >= rows.blocks) return null;
  const index = (span, block) => min(span.first + block * span.step, span.first + span.count - 1);
  return [index(rows, down), index(columns, mirrored ? columns.blocks - 1 - across : across)];
}

function draw(box) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const change = (factor) => {
    zoom.factor = min(64, max(1, zoom.factor * factor));
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
  frame.onkeydown = ({ key }) => {
    if (key === "+" || key === "=") change(2);
    if (key === "-") change(1 / 2);
  };
  canvas.onpointermove = (event) => look(...(pointed(event) ?? [state.q, state.k]));
  canvas.onpointerleave = () => look(state.q, state.k);
  canvas.onclick = (event) => pointed(event) && select(...pointed(event));
  fill(box, make("p", { class: "scale" }, button("+", "zoom_in", 2), out, kinds, note), frame);
  paintPicture();
}

function mark(row, column) {
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
  const every = span.step * ceil(12 / cell);
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

register("canvas", {
  tab: 0,
  called: "matrix",
  fits: ({ map }) => max(map.high, map.wide) > 64, // below: matrix.js
  draw,
  mark,
});
