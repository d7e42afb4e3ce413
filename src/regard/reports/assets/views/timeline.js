// Input that lies in time: a series with its channels, or sound as a log-mel image. The
// attention of the chosen row runs under it on the same axis; time is never mirrored.

import { all, begun, causeOf, clamp, fill, finite, floor, group, inks, isDark, isolated, make, max, min, number, penOf, picture, range, register, seenBy, select, shade, state, t, tokenText, topOf, values, view, views, weightAt, weightText } from "../core/core.js";

const [width, band, ribbon, hill] = [900, 90, 14, 48]; // pixels; a hill is of a single row
let drawn;

const draw = (box) => {
  const { channels, sound } = view.example.timeline;
  const { high, spans } = view.chart;
  const rows = min(24, high);
  const top = sound ? 2 * band : channels.length * band;
  const under = top + (spans ? ribbon + 6 : 0);
  const canvas = picture(width, under + (high > 1 ? (rows + 1) * ribbon : hill) + 26);
  const note = make("p");
  canvas.onclick = ({ offsetX }) => {
    const { wide } = view.chart;
    select(state.q, clamp(floor((offsetX / canvas.offsetWidth) * wide), wide));
    all("hit", state.k);
  };
  const below = values(views).flatMap(({ beneath }) => beneath?.() ?? []);
  const frame = group("arcs", t("tab_timeline"), canvas, ...below.flatMap((each) => each.canvas ?? []));
  fill(box, frame, ...below.map((each) => each.box), note);
  drawn = { canvas, note, rows, top, under, below, image: sound && imageOf(sound) };
};

// Mel bands upwards, one pixel a frame; louder is darker (lighter on dark paper).
const imageOf = ({ bands, frames, start }) => {
  const levels = new Uint8Array(view.buffer, start, bands * frames);
  const pixels = new ImageData(frames, bands);
  levels.forEach((level, at) => {
    const [mel, frame] = [floor(at / frames), at % frames];
    const grey = isDark() ? level : 255 - level;
    pixels.data.set([grey, grey, grey, 255], 4 * ((bands - 1 - mel) * frames + frame));
  });
  const canvas = picture(frames, bands);
  penOf(canvas).putImageData(pixels, 0, 0);
  return canvas;
};

const drawChannel = (pen, { name, values }, top, ink) => {
  const known = values.filter(finite);
  const [low, high] = [min(...known), max(...known)];
  const each = width / values.length;
  begun(pen, ink, 1.5);
  values.forEach((value, at) => {
    if (!finite(value)) return;
    pen.lineTo((at + 0.5) * each, top + band - 8 - ((value - low) / (high - low || 1)) * (band - 24));
  });
  pen.stroke();
  pen.fillText(`${name}  ${number(low, 2)} … ${number(high, 2)}`, 4, top + 10);
};

const drawRibbon = (pen, row, top, size) => {
  const keys = view.chart.wide;
  for (let column = 0; column < keys; column += 1) {
    pen.fillStyle = causeOf(row, column) ? "#8888" : `rgb(${shade(weightAt(row, column) || 0, seenBy(row))})`;
    pen.fillRect((column * width) / keys, top, width / keys + 0.5, size);
  }
};

// Each token over the keys it was said in; the chosen row's is framed.
const drawSpans = (pen, row, top, [ink, accent]) => {
  view.chart.spans.forEach((span, at) => {
    if (!span) return;
    const [from, to] = span.map((key) => (key * width) / view.chart.wide);
    const [colour, thick] = at === row ? [accent, 2] : [ink, 0.5];
    begun(pen, colour, thick).strokeRect(from + 1, top + 1, to - from - 2, ribbon + 2);
    pen.fillStyle = ink;
    pen.fillText(tokenText("query", at), from + 4, top + ribbon - 1, max(1, to - from - 8));
  });
};

// The only row of a pooling, as high as its largest weight.
const drawHill = (pen, top, ink) => {
  const { wide } = view.chart;
  const weights = range(wide, (key) => weightAt(0, key) || 0);
  const most = max(...weights) || 1;
  begun(pen, ink).moveTo(0, top + hill);
  weights.forEach((weight, key) => pen.lineTo(((key + 0.5) * width) / wide, top + hill * (1 - weight / most)));
  pen.lineTo(width, top + hill);
  pen.fill();
};

// The chosen row, below it its neighbours.
const drawRows = (pen, row, top, accent) => {
  const { rows } = drawn;
  const first = min(max(0, row - rows / 2), view.chart.high - rows) | 0;
  drawRibbon(pen, row, top + 2, ribbon);
  for (let at = 0; at < rows; at += 1) drawRibbon(pen, first + at, top + 8 + ribbon * (at + 1), ribbon - 2);
  begun(pen, accent).strokeRect(1, top + 7 + ribbon * (row - first + 1), width - 2, ribbon);
};

// The windows that hold most of the row's mass are shaded through every channel.
const drawWindows = (pen, row, height, accent) => {
  const keys = view.chart.wide;
  pen.globalAlpha = 0.18;
  pen.fillStyle = accent;
  let covered = 0;
  for (const column of topOf(row, keys)) {
    if (covered >= 0.5) break;
    covered += weightAt(row, column);
    pen.fillRect((column * width) / keys, 0, width / keys, height);
  }
  pen.globalAlpha = 1;
};

const drawLine = (pen, key, height, colour, dash) => {
  const x = (key * width) / view.chart.wide;
  begun(pen, colour, 2, dash).moveTo(x, 0);
  pen.lineTo(x, height);
  pen.stroke();
};

const placeOf = (key) => {
  const { seconds } = view.example.timeline;
  return seconds === null ? tokenText("key", key) : t("seconds", { n: number(key * seconds, 2) });
};

// How the rows walk through time, and where the chosen one was said.
const walkText = (row) => {
  const { heads, spans, walk } = view.chart;
  const said = spans?.[row] && t("said_from", { from: placeOf(spans[row][0]), to: placeOf(spans[row][1]) });
  if (!walk) return said ?? "";
  const [forward, away, skipped, repeated, groups] = walk[state.h < 0 ? heads.length : state.h];
  return `${said ?? ""} ${t("walk", { forward: number(100 * forward, 0), away: number(away, 3), skipped, repeated, groups, frames: t(view.example.timeline.sound ? "frames" : "moments") })}`;
};

const mark = (row, column) => {
  const { below, canvas, image, note, top, under } = drawn;
  const { channels, origin } = view.example.timeline;
  const { high, spans, wide } = view.chart;
  const pen = penOf(canvas);
  const [ink, accent] = inks();
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.font = "12px system-ui, sans-serif";
  if (image) pen.drawImage(image, 0, 0, width, top);
  else channels.forEach((channel, at) => drawChannel(pen, channel, at * band, ink));
  drawWindows(pen, row, top, accent);
  if (spans) drawSpans(pen, row, top, [ink, accent]);
  if (high > 1) drawRows(pen, row, under, accent);
  else drawHill(pen, under + 4, ink);
  drawLine(pen, column + 0.5, top, accent);
  if (origin !== null) drawLine(pen, origin, top, ink, [5, 4]);
  pen.fillStyle = ink;
  pen.fillText(placeOf(0), 0, canvas.height - 4);
  pen.textAlign = "right";
  pen.fillText(placeOf(wide - 1), width, canvas.height - 4);
  pen.textAlign = "left";
  for (const each of below) each.mark(row, column);
  const said = t("in_time", { query: isolated(tokenText("query", row)), place: isolated(placeOf(column)), n: weightText(weightAt(row, column)) });
  fill(note, `${said} ${walkText(row)}`, make("br"), make("span.quiet", t(high > 1 ? "shaded" : "hill")));
};

const fits = ({ chart, signed }) => !signed && !chart.outlined && view.example.timeline?.keys === chart.wide;

register("timeline", { tab: 3, fits, opens: ({ timeline }) => timeline, draw, mark });
