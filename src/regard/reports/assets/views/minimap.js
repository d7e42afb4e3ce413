// The whole of a large map, small, with a frame around the part that is on view; pointer
// and arrow keys move that part. It lies in the picture's corner between the labels.

import { clamp, everything, inks, make, max, pixelsOf, pooled, register, t, view } from "../core/core.js";

const side = 84; // pixels
const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
let drawn = null;

// `move(row, column)` puts the middle of the part on view there.
function minimap(kind, move) {
  const { map } = view.plane;
  const small = pixelsOf(pooled(view.plane, ...everything(map, side), kind), map);
  const longest = max(small.width, small.height);
  const [width, height] = [small.width, small.height].map((size) => max(24, (side * size) / longest));
  const canvas = make("canvas", { width, height, "aria-hidden": "true", style: "display:block;cursor:move;touch-action:none" });
  const box = make("div", { tabindex: 0, role: "group", "aria-label": t("overview"), style: "position:absolute" }, canvas);
  canvas.onpointerdown = (event) => (canvas.setPointerCapture(event.pointerId), point(event));
  canvas.onpointermove = (event) => event.buttons && point(event);
  const point = ({ offsetX, offsetY }) => {
    const across = offsetX / canvas.width;
    move((offsetY / canvas.height) * map.high, (map.mirrored ? 1 - across : across) * map.wide);
  };
  box.onkeydown = (event) => {
    const step = moves[event.key];
    if (!step) return;
    event.preventDefault();
    const next = ({ first, count }, step, size) => clamp(first + (count * (1 + step)) / 2, size);
    move(next(drawn.rows, step[0], map.high), next(drawn.columns, map.mirrored ? -step[1] : step[1], map.wide));
  };
  drawn = { box, canvas, small };
  return box;
}

// Nothing to move to where all is on view.
function frame(rows, columns) {
  const { box, canvas, small } = drawn;
  const { high, mirrored, wide } = view.plane.map;
  Object.assign(drawn, { rows, columns });
  box.style.visibility = rows.count < high || columns.count < wide ? "" : "hidden";
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  pen.strokeStyle = inks()[1];
  pen.lineWidth = 2;
  const [across, down] = [canvas.width / wide, canvas.height / high];
  const left = mirrored ? wide - columns.first - columns.count : columns.first;
  pen.strokeRect(left * across + 1, rows.first * down + 1, columns.count * across - 2, rows.count * down - 2);
}

register("minimap", { minimap, frame });
