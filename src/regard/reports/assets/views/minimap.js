// The whole of a large map, small, with a frame around the part that is on view; pointer
// and arrow keys move that part. It lies in the picture's corner between the labels.

import { begun, clamp, everything, group, held, inks, max, moveOf, pasted, picture, pixelsOf, pooled, register, t, view } from "../core/core.js";

const side = 84; // pixels
let drawn;

register("minimap", {
  // `move(row, column)` puts the middle of the part on view there.
  minimap(move) {
    const { chart } = view;
    const small = pixelsOf(pooled(view.plane, ...everything(chart, side), "largest"), chart);
    const longest = max(small.width, small.height);
    const [width, height] = [small.width, small.height].map((size) => max(24, (side * size) / longest));
    const canvas = picture(width, height);
    const box = group("overview", t("overview"), canvas);
    held(canvas, (event) => point(event));
    canvas.onpointermove = (event) => event.buttons && point(event);
    const point = ({ offsetX, offsetY }) => {
      const across = offsetX / canvas.width;
      move((offsetY / canvas.height) * chart.high, (chart.mirrored ? 1 - across : across) * chart.wide);
    };
    box.onkeydown = (event) => {
      const step = moveOf(event, /Arrow/);
      if (!step) return;
      const next = ({ begin, count }, step, size) => clamp(begin + (count * (1 + step)) / 2, size);
      move(next(drawn.rows, step[0], chart.high), next(drawn.columns, chart.mirrored ? -step[1] : step[1], chart.wide));
    };
    drawn = { box, canvas, small };
    return box;
  },

  // Nothing to move to where all is on view.
  frame(rows, columns) {
    const { box, canvas, small } = drawn;
    const { high, mirrored, wide } = view.chart;
    Object.assign(drawn, { rows, columns });
    box.style.visibility = rows.count < high || columns.count < wide ? "" : "hidden";
    const pen = begun(pasted(canvas, small, 0, 0, canvas.width, canvas.height), inks()[1]);
    const [across, down] = [canvas.width / wide, canvas.height / high];
    const left = mirrored ? wide - columns.begin - columns.count : columns.begin;
    pen.strokeRect(left * across + 1, rows.begin * down + 1, columns.count * across - 2, rows.count * down - 2);
  },
});
