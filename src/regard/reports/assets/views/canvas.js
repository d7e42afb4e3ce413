// A large map as a picture: one rectangle for a block of cells, labels where there is
// room. Zoomed in it shows a part of the map, which follows the selection, the pointer
// that drags it, and the minimap.

import { abs, axes, begun, ceil, clamp, fill, floor, group, held, inks, look, make, max, min, offer, pasted, picture, pixelsOf, pooled, register, select, state, t, tokenText, view, views } from "../core/core.js";

const most = 512; // blocks on a side
const gutter = 96;
const zoom = { factor: 1, kind: "largest", centre: [0, 0] };
let drawn;

const here = () => [state.q, state.k];

// What a drawn of `size` cells shows: from `begin`, `count` of them, `stride` a block.
const span = (size, centre, unit) => {
  const count = min(size, max(unit, ceil(size / zoom.factor / unit) * unit));
  const stride = unit * ceil(count / unit / most);
  const begin = clamp(floor((centre - count / 2) / stride) * stride, ceil((size - count) / stride) * stride + 1);
  const shown = min(count, size - begin);
  return { begin, count: shown, stride, blocks: ceil(shown / stride) };
};

const paintPicture = () => {
  const { across, down, high, mirrored, wide } = view.chart;
  const rows = span(high, zoom.centre[0], down);
  const columns = span(wide, zoom.centre[1], across);
  const small = pixelsOf(pooled(view.plane, rows, columns, zoom.kind), view.chart);
  const cell = max(1, min(20, floor(1100 / max(rows.blocks, columns.blocks))));
  const { canvas, note, out } = Object.assign(drawn, { rows, columns, mirrored, cell, small, selected: `${here()}` });
  canvas.width = gutter + columns.blocks * cell;
  canvas.height = gutter + rows.blocks * cell;
  const zoomed = zoom.factor > 1;
  canvas.style.touchAction = zoomed ? "none" : "";
  out.disabled = !zoomed;
  const range = ({ begin, count }, size) => `${begin + 1}–${begin + count} / ${size}`;
  const part = zoomed ? [t("part", { down: range(rows, high), across: range(columns, wide) })] : [];
  fill(note, [axes(), t("block_" + zoom.kind, { n: `${rows.stride} × ${columns.stride}` }), ...part].join(" · "));
  views.minimap.frame(rows, columns);
};

const inside = (span, index) => index >= span.begin && index < span.begin + span.count;

const inPart = (row, column) => inside(drawn.rows, row) && inside(drawn.columns, column);

// Puts the middle of the part on view there.
const move = (...centre) => {
  zoom.centre = centre;
  paintPicture();
  mark(...here());
};

const change = (factor, centre = inPart(...here()) ? here() : zoom.centre) => {
  zoom.factor = min(64, max(1, zoom.factor * factor));
  move(...centre);
};

// Where a row or column of the map lies, in blocks from the drawn's edge.
const placed = (span, index, mirrored) => {
  const block = floor((index - span.begin) / span.stride);
  return mirrored ? span.blocks - 1 - block : block;
};

const pointed = (event) => {
  const { cell, columns, mirrored, rows } = drawn;
  const across = floor((event.offsetX - gutter) / cell);
  const down = floor((event.offsetY - gutter) / cell);
  if (across < 0 || down < 0 || across >= columns.blocks || down >= rows.blocks) return null;
  const index = (span, block) => min(span.begin + block * span.stride, span.begin + span.count - 1);
  return [index(rows, down), index(columns, mirrored ? columns.blocks - 1 - across : across)];
};

// Look at what is pointed at, choose it with a click, drag the part on view.
const listen = (canvas) => {
  let down; // where the pointer went
  let dragged = false;
  held(canvas, (event) => {
    down = { x: event.offsetX, y: event.offsetY, centre: [drawn.rows, drawn.columns].map(({ begin, count }) => begin + count / 2) };
    dragged = false;
  });
  canvas.onpointermove = (event) => {
    if (!event.buttons || !down || zoom.factor === 1) return look(...(pointed(event) ?? here()));
    const { cell, columns, mirrored, rows } = drawn;
    const [across, away] = [event.offsetX - down.x, event.offsetY - down.y];
    dragged ||= abs(across) + abs(away) > 4;
    if (dragged) move(down.centre[0] - (away / cell) * rows.stride, down.centre[1] - ((mirrored ? -across : across) / cell) * columns.stride);
  };
  canvas.onpointerleave = () => look();
  canvas.onclick = (event) => !dragged && pointed(event) && select(...pointed(event));
  canvas.onwheel = (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    change(event.deltaY < 0 ? 2 : 1 / 2, pointed(event) ?? undefined);
  };
};

const draw = (box) => {
  const canvas = picture(0, 0);
  const button = (sign, name, factor) =>
    make("button", { "aria-label": t(name), title: t(name), onclick: () => change(factor) }, sign);
  const kinds = make("select", { "aria-label": t("blocks") });
  kinds.onchange = () => ((zoom.kind = kinds.value), draw(box), mark(...here()), box.querySelector("select").focus());
  offer(kinds, ["largest", "mean"], "", zoom.kind);
  const note = make("span.quiet", { role: "status" });
  const out = button("−", "zoom_out", 1 / 2);
  drawn = { canvas, note, out };
  const frame = group("canvas", `${t("alignment")}. ${t("keys")}`, canvas);
  frame.onkeydown = ({ key }) => {
    if (key === "+" || key === "=") change(2);
    if (key === "-") change(1 / 2);
  };
  listen(canvas);
  const overview = views.minimap.minimap(zoom.kind, move);
  fill(box, make("p.scale", button("+", "zoom_in", 2), out, kinds, note), make("div", { style: "position:relative" }, overview, frame));
  zoom.centre = here();
  paintPicture();
};

// The part on view follows a new selection, not a look.
const mark = (row, column) => {
  if (drawn.selected !== `${here()}`) {
    if (!inPart(...here())) return move(...here());
    drawn.selected = `${here()}`;
  }
  const { canvas, cell, columns, mirrored, rows, small } = drawn;
  const [ink, accent] = inks();
  const [width, height] = [small.width * cell, small.height * cell];
  const pen = begun(pasted(canvas, small, gutter, gutter, width, height), accent);
  if (inside(rows, row)) pen.strokeRect(gutter, gutter + placed(rows, row) * cell, width, cell);
  if (inside(columns, column)) pen.strokeRect(gutter + placed(columns, column, mirrored) * cell, gutter, cell, height);
  labelSide(pen, "query", rows, row, [ink, accent]);
  pen.translate(0, gutter);
  pen.rotate(-Math.PI / 2);
  labelSide(pen, "key", columns, column, [ink, accent]);
  pen.resetTransform();
};

// As many tokens as fit, so that none covers another; the selected one always.
const labelSide = (pen, side, span, selected, [ink, accent]) => {
  const { cell, mirrored } = drawn;
  const every = span.stride * ceil(12 / cell);
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
  for (let index = span.begin; index < span.begin + span.count; index += every) {
    if (abs(index - selected) >= every) write(index, ink);
  }
  if (inside(span, selected)) write(selected, accent);
};

register("canvas", {
  tab: 0,
  called: "matrix",
  fits: ({ chart }) => max(chart.high, chart.wide) > 64, // below: matrix.js
  draw,
  mark,
});
