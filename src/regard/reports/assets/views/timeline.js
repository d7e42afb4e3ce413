// Input that lies in time: a series with its channels, or sound as a log-mel image. The
// attention of the chosen row runs under it on the same axis; time is never mirrored.

import { all, begun, causeOf, clamp, fill, finite, floor, group, inks, isDark, isolated, make, max, min, number, painted, penOf, picture, register, seenBy, select, shade, state, t, tokenText, topOf, values, view, views, weightAt, weightText } from "../core/core.js";

const [width, band, ribbon, hill] = [900, 90, 14, 48]; // pixels; a hill is of a single row
let drawn;

// Mel bands upwards, one pixel a frame; louder is darker (lighter on dark paper).
const imageOf = ({ bands, frames, start }) => {
  const levels = new Uint8Array(view.chart.stored, start, bands * frames);
  return painted(frames, bands, (row, frame) => {
    const level = levels[(bands - 1 - row) * frames + frame];
    return 0xff000000 + 0x10101 * (isDark() ? level : 255 - level);
  });
};

// Where a key lies; half a key further is its middle.
const placeOf = (key) => (key * width) / view.chart.wide;

// Through the finite ones of a number for each key, from the lowest at `bottom` up.
const through = (pen, values, bottom, size, low, high) =>
  values.forEach((value, key) => finite(value) && pen.lineTo(placeOf(key + 0.5), bottom - ((value - low) / (high - low || 1)) * size));

const drawChannel = (pen, { name, values }, top, ink) => {
  const known = values.filter(finite);
  const [low, high] = [min(...known), max(...known)];
  through(begun(pen, ink, 1.5), values, top + band - 8, band - 24, low, high);
  pen.stroke();
  pen.fillText(`${name}  ${number(low, 2)} … ${number(high, 2)}`, 4, top + 10);
};

const drawRibbon = (pen, row, top, size) => {
  for (const column of view.chart.columns) {
    pen.fillStyle = causeOf(row, column) ? "#8888" : shade(weightAt(row, column) || 0, seenBy(row));
    pen.fillRect(placeOf(column), top, placeOf(1) + 0.5, size);
  }
};

// Each token over the keys it was said in; the chosen row's is framed.
const drawSpans = (pen, row, top, [ink, accent]) => {
  view.chart.spans.forEach((span, at) => {
    if (!span) return;
    const [from, to] = span.map(placeOf);
    const [colour, thick] = at === row ? [accent, 2] : [ink, 0.5];
    begun(pen, colour, thick).strokeRect(from + 1, top + 1, to - from - 2, ribbon + 2);
    pen.fillStyle = ink;
    pen.fillText(tokenText("query", at), from + 4, top + ribbon - 1, max(1, to - from - 8));
  });
};

// The only row of a pooling, as high as its largest weight.
const drawHill = (pen, top, ink) => {
  const weights = view.chart.columns.map((key) => weightAt(0, key) || 0);
  begun(pen, ink).moveTo(0, top + hill);
  through(pen, weights, top + hill, hill, 0, max(...weights));
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
  pen.globalAlpha = 0.18;
  pen.fillStyle = accent;
  let covered = 0;
  for (const column of topOf(row, Infinity)) {
    if (covered >= 0.5) break;
    covered += weightAt(row, column);
    pen.fillRect(placeOf(column), 0, placeOf(1), height);
  }
  pen.globalAlpha = 1;
};

const drawLine = (pen, key, height, colour, dash) => {
  begun(pen, colour, 2, dash).moveTo(placeOf(key), 0);
  pen.lineTo(placeOf(key), height);
  pen.stroke();
};

const timeOf = (key) => {
  const { seconds } = view.example.timeline;
  return seconds === null ? tokenText("key", key) : t("seconds", { n: number(key * seconds, 2) });
};

// How the rows walk through time, and where the chosen one was said.
const walkText = (row) => {
  const { spans, walk } = view.chart;
  const said = spans?.[row] && t("said_from", { from: timeOf(spans[row][0]), to: timeOf(spans[row][1]) });
  if (!walk) return said ?? "";
  const [forward, away, skipped, repeated, groups] = walk.at(state.h);
  return `${said ?? ""} ${t("walk", { forward: number(100 * forward, 0), away: number(away, 3), skipped, repeated, groups, frames: t(view.example.timeline.sound ? "frames" : "moments") })}`;
};

register("timeline", {
  opens: ({ timeline }) => timeline, through,

  fits: ({ chart, signed }) => !signed && !chart.outlined && view.example.timeline?.keys === chart.wide,

  draw(box) {
    const { channels, sound } = view.example.timeline;
    const { high, spans, wide } = view.chart;
    const rows = min(24, high);
    const top = band * (sound ? 2 : channels.length);
    const under = top + (spans ? ribbon + 6 : 0);
    const canvas = picture(width, under + (high > 1 ? (rows + 1) * ribbon : hill) + 26);
    const note = make("p");
    canvas.onclick = ({ offsetX }) => {
      select(state.q, clamp(floor((offsetX / canvas.offsetWidth) * wide), wide));
      all("hit", state.k);
    };
    const below = values(views).flatMap(({ beneath }) => beneath?.() ?? []);
    const frame = group("arcs", t("tab_timeline"), canvas, ...below.flatMap((each) => each.canvas ?? []));
    fill(box, frame, ...below.map((each) => each.box), note);
    drawn = { canvas, note, rows, top, under, below, image: sound && imageOf(sound) };
  },

  mark(row, column) {
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
    pen.fillText(timeOf(0), 0, canvas.height - 4);
    pen.textAlign = "right";
    pen.fillText(timeOf(wide - 1), width, canvas.height - 4);
    pen.textAlign = "left";
    for (const each of below) each.mark(row, column);
    const said = t("in_time", { query: isolated(tokenText("query", row)), place: isolated(timeOf(column)), n: weightText(weightAt(row, column)) });
    fill(note, `${said} ${walkText(row)}`, make("br"), make("span.quiet", t(high > 1 ? "shaded" : "hill")));
  },
});
