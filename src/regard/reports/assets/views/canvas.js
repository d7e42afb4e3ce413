// A large map as a picture: one rectangle for a block of cells, labels where there is
// room. Zoomed in it shows a part of the map, which follows the selection, the pointer
// that drags it, and the minimap.

import { abs, axes, begun, ceil, fill, floor, group, held, inks, look, make, max, min, offer, pasted, picture, pixelsOf, pooled, register, select, spanOf, state, t, tokenText, view, views } from "../core/core.js";

const most = 512; // blocks on a side
const gutter = 96;
const zoom = { factor: 1, kind: "largest", centre: [0, 0] };
let drawn;

const here = () => [state.q, state.k];

// The part of a side that is on view.
const partOf = (size, unit, centre) => spanOf(size, unit, most, min(size, max(unit, ceil(size / zoom.factor / unit) * unit)), centre);

const paintPicture = () => {
  const { across, down, high, wide } = view.chart;
  const rows = partOf(high, down, zoom.centre[0]);
  const columns = partOf(wide, across, zoom.centre[1]);
  const small = pixelsOf(pooled(view.plane, rows, columns, zoom.kind), view.chart);
  const cell = max(1, min(20, floor(1100 / max(rows.blocks, columns.blocks))));
  const { canvas, note, out } = Object.assign(drawn, { rows, columns, cell, small, selected: `${here()}` });
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
const placed = (span, index) => turned(span, floor((index - span.begin) / span.stride));

// Columns of what is written from right to left begin at the right.
const turned = (span, block) => (span === drawn.columns && view.chart.mirrored ? span.blocks - 1 - block : block);

const pointed = (event) => {
  const { cell, columns, rows } = drawn;
  const across = floor((event.offsetX - gutter) / cell);
  const down = floor((event.offsetY - gutter) / cell);
  if (across < 0 || down < 0 || across >= columns.blocks || down >= rows.blocks) return null;
  const index = (span, block) => min(span.begin + block * span.stride, span.begin + span.count - 1);
  return [index(rows, down), index(columns, turned(columns, across))];
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
    const { cell, columns, rows } = drawn;
    const [across, away] = [event.offsetX - down.x, event.offsetY - down.y];
    dragged ||= abs(across) + abs(away) > 4;
    if (dragged) move(down.centre[0] - (away / cell) * rows.stride, down.centre[1] - ((view.chart.mirrored ? -across : across) / cell) * columns.stride);
  };
  canvas.onpointerleave = () => look();
  canvas.onclick = (event) => !dragged && pointed(event) && select(...pointed(event));
  canvas.onwheel = (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    change(event.deltaY < 0 ? 2 : 1 / 2, pointed(event) ?? undefined);
  };
};

// The part on view follows a new selection, not a look.
const mark = (row, column) => {
  if (drawn.selected !== `${here()}` && !inPart(...here())) return move(...here());
  const { canvas, cell, columns, rows, small } = drawn;
  const [width, height] = [small.width * cell, small.height * cell];
  const pen = begun(pasted(canvas, small, gutter, gutter, width, height), inks()[1]);
  if (inside(rows, row)) pen.strokeRect(gutter, gutter + placed(rows, row) * cell, width, cell);
  if (inside(columns, column)) pen.strokeRect(gutter + placed(columns, column) * cell, gutter, cell, height);
  labelSide(pen, "query", rows, row);
  pen.translate(0, gutter);
  pen.rotate(-Math.PI / 2);
  labelSide(pen, "key", columns, column);
  pen.resetTransform();
};

// As many tokens as fit, so that none covers another; the selected one always.
const labelSide = (pen, side, span, selected) => {
  const [ink, accent] = inks();
  const { cell } = drawn;
  const every = span.stride * ceil(12 / cell);
  const down = side === "query";
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.textAlign = down ? "right" : "left";
  const write = (index, colour) => {
    const text = tokenText(side, index);
    pen.fillStyle = colour;
    const centre = gutter + (placed(span, index) + 0.5) * cell;
    pen.fillText(text.length > 14 ? text.slice(0, 13) + "…" : text, down ? gutter - 5 : 5, centre, gutter - 10);
  };
  for (let index = span.begin; index < span.begin + span.count; index += every) {
    if (abs(index - selected) >= every) write(index, ink);
  }
  if (inside(span, selected)) write(selected, accent);
};

// Smaller maps: matrix.js.
register("canvas", {
  called: "matrix",
  fits: ({ chart }) => max(chart.high, chart.wide) > 64,
  mark,

  draw(box) {
    const canvas = picture(0, 0);
    const button = (sign, name, factor) =>
      make("button", { "aria-label": t(name), title: t(name), onclick: () => change(factor) }, sign);
    const kinds = make("select", { "aria-label": t("blocks") });
    kinds.onchange = () => ((zoom.kind = kinds.value), move(...zoom.centre));
    offer(kinds, ["largest", "mean"], "", zoom.kind);
    const note = make("span.quiet", { role: "status" });
    const out = button("−", "zoom_out", 1 / 2);
    drawn = { canvas, note, out };
    const frame = group("canvas", `${t("alignment")}. ${t("keys")}`, canvas);
    frame.onkeydown = ({ key }) => {
      const factor = { "+": 2, "=": 2, "-": 1 / 2 }[key];
      if (factor) change(factor);
    };
    listen(canvas);
    const overview = views.minimap.minimap(move);
    fill(box, make("p.scale", button("+", "zoom_in", 2), out, kinds, note), make("div", { style: "position:relative" }, overview, frame));
    zoom.centre = here();
    paintPicture();
  },
});
