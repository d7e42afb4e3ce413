// Input that lies in time: a series with its channels, or sound as a log-mel image. The
// attention of the chosen row runs under it on the same axis; time is never mirrored.

import { causeOf, clamp, fill, floor, inks, isDark, make, max, min, number, register, seenBy, select, shade, state, t, tokenText, topOf, view, weightAt, weightText } from "../core/core.js";

const [width, band, ribbon] = [900, 90, 14];
let drawn = null;

function draw(box) {
  const { channels, sound } = view.example.timeline;
  const rows = min(24, view.plane.map.high);
  const height = (sound ? 2 * band : channels.length * band) + (rows + 1) * ribbon + 26;
  const canvas = make("canvas", { width, height, "aria-hidden": "true" });
  const note = make("p");
  canvas.onclick = ({ offsetX }) => select(state.q, clamp(floor((offsetX / canvas.offsetWidth) * view.plane.map.wide), view.plane.map.wide));
  fill(box, make("div", { class: "arcs", tabindex: "0", role: "group", "aria-label": t("tab_timeline") }, canvas), note);
  drawn = { canvas, note, rows, image: sound && imageOf(sound) };
}

// Mel bands upwards, one pixel a frame; louder is darker (lighter on dark paper).
function imageOf({ bands, frames, start }) {
  const levels = new Uint8Array(view.buffer, start, bands * frames);
  const pixels = new ImageData(frames, bands);
  levels.forEach((level, at) => {
    const [mel, frame] = [floor(at / frames), at % frames];
    const grey = isDark() ? level : 255 - level;
    pixels.data.set([grey, grey, grey, 255], 4 * ((bands - 1 - mel) * frames + frame));
  });
  const canvas = make("canvas", { width: frames, height: bands });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

function drawChannel(pen, { name, values }, top, ink) {
  const known = values.filter(Number.isFinite);
  const [low, high] = [min(...known), max(...known)];
  const each = width / values.length;
  pen.strokeStyle = pen.fillStyle = ink;
  pen.lineWidth = 1.5;
  pen.beginPath();
  values.forEach((value, at) => {
    if (!Number.isFinite(value)) return;
    pen.lineTo((at + 0.5) * each, top + band - 8 - ((value - low) / (high - low || 1)) * (band - 24));
  });
  pen.stroke();
  pen.fillText(`${name}  ${number(low, 2)} … ${number(high, 2)}`, 4, top + 10);
}

function drawRibbon(pen, row, top, size) {
  const keys = view.plane.map.wide;
  for (let column = 0; column < keys; column += 1) {
    pen.fillStyle = causeOf(row, column) ? "#8888" : `rgb(${shade(weightAt(row, column) || 0, seenBy(row))})`;
    pen.fillRect((column * width) / keys, top, width / keys + 0.5, size);
  }
}

// The windows that hold most of the row's mass are shaded through every channel.
function drawWindows(pen, row, height, accent) {
  const keys = view.plane.map.wide;
  pen.globalAlpha = 0.18;
  pen.fillStyle = accent;
  let covered = 0;
  for (const column of topOf(row, keys)) {
    if (covered >= 0.5) break;
    covered += weightAt(row, column);
    pen.fillRect((column * width) / keys, 0, width / keys, height);
  }
  pen.globalAlpha = 1;
}

function mark(row, column) {
  const { canvas, image, note, rows } = drawn;
  const { channels, origin, seconds } = view.example.timeline;
  const { map } = view.plane;
  const pen = canvas.getContext("2d");
  const [ink, accent] = inks();
  const height = image ? 2 * band : channels.length * band;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.font = "12px system-ui, sans-serif";
  if (image) pen.drawImage(image, 0, 0, width, height);
  else channels.forEach((channel, at) => drawChannel(pen, channel, at * band, ink));
  drawWindows(pen, row, height, accent);
  drawRibbon(pen, row, height + 2, ribbon);
  const first = min(max(0, row - rows / 2), map.high - rows) | 0;
  for (let at = 0; at < rows; at += 1) drawRibbon(pen, first + at, height + 8 + ribbon * (at + 1), ribbon - 2);
  pen.strokeStyle = accent;
  pen.lineWidth = 2;
  pen.strokeRect(1, height + 7 + ribbon * (row - first + 1), width - 2, ribbon);
  const x = ((column + 0.5) * width) / map.wide;
  for (const [at, colour, dash] of [[x, accent, []], ...(origin === null ? [] : [[(origin * width) / map.wide, ink, [5, 4]]])]) {
    pen.setLineDash(dash);
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.moveTo(at, 0);
    pen.lineTo(at, height);
    pen.stroke();
  }
  pen.setLineDash([]);
  pen.fillStyle = ink;
  const placeOf = (at) => (seconds === null ? tokenText("key", at) : t("seconds", { n: number(at * seconds, 2) }));
  const ends = [0, map.wide - 1].map(placeOf);
  pen.fillText(ends[0], 0, canvas.height - 4);
  pen.textAlign = "right";
  pen.fillText(ends[1], width, canvas.height - 4);
  pen.textAlign = "left";
  fill(note, t("in_time", { query: `\u2068${tokenText("query", row)}\u2069`, place: `\u2068${placeOf(column)}\u2069`, n: weightText(weightAt(row, column)) }), ` ${t("shaded")}`);
}

const fits = ({ map, signed }) => !signed && !map.outline && view.example.timeline?.keys === map.wide;

register("timeline", { tab: 3, fits, opens: ({ timeline }) => timeline, draw, mark });
