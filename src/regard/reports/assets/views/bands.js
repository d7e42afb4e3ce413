// Under a picture of time: what the row reads on average over the data set, the band in
// which most examples lie, and this example.

import { begun, data, fill, indices, inks, make, max, number, penOf, picture, reader, register, state, t, view, weightAt } from "../core/core.js";

const [width, height] = [900, 80];
let opened;

// Mean, low and high (S each) of a row of the head on view.
const linesOf = (buffer, { coding, shape, start }, row) => {
  const [heads, queries, keys] = shape;
  const from = (kind) => (((state.h < 0 ? heads : state.h) * 3 + kind) * queries + row) * keys;
  return [0, 1, 2].map((kind) => reader(buffer, coding, start)(from(kind), from(kind) + keys));
};

// From left to right, or back again.
const curve = (pen, values, most, back) => {
  const places = indices(values);
  for (const at of back ? places.reverse() : places) {
    pen.lineTo(((at + 0.5) * width) / values.length, height - 3 - ((values[at] || 0) / most) * (height - 8));
  }
};

const paintLines = (canvas, [mean, low, high], own) => {
  const pen = penOf(canvas);
  const [ink, accent] = inks();
  const most = max(...high, ...mean, ...own) || 1;
  pen.clearRect(0, 0, width, height);
  begun(pen, accent);
  curve(pen, high, most);
  curve(pen, low, most, true);
  pen.globalAlpha = 0.25;
  pen.fill();
  pen.globalAlpha = 1;
  curve(begun(pen, accent, 2, [5, 3]), mean, most);
  pen.stroke();
  curve(begun(pen, ink), own, most);
  pen.stroke();
};

register("bands", {
  beneath() {
    const band = data.bands[view.chart.band];
    if (!band) return [];
    const canvas = picture(width, height);
    const note = make("p");
    const mark = async (row, column) => {
      opened ??= await unpack("wb");
      const lines = linesOf(opened, band, row);
      const own = lines[0].map((_, at) => weightAt(row, at));
      paintLines(canvas, lines, own);
      const [mean, from, to] = lines.map((values) => number(values[column], 3));
      fill(note, t("band", { n: band.examples, mean, from, to, own: number(own[column], 3) }));
    };
    return { canvas, box: note, mark };
  },
});
