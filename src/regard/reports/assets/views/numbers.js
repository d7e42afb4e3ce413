// The numbers themselves: a table to sort and to copy, and files to take along.

import { entries, everything, fill, floor, label, make, number, penOf, picture, pooled, quiet, range, register, seenBy, select, shade, state, svg, t, tokenText, topOf, view, weightAt, weightText } from "../core/core.js";

const most = 200; // lines of the table
const order = { by: 2, falling: true };
const columns = ["output", "source", "weight", "rank", "times_uniform"];
let drawn;

// One line for each pair with a known weight: query, key, weight, rank, times uniform.
const linesOf = (rows) =>
  rows.flatMap((row) => topOf(row, Infinity).map((column, at) => {
    const weight = weightAt(row, column);
    return [row, column, weight, at + 1, weight * seenBy(row)];
  }));

const tsv = () => {
  const texts = drawn.pairs.map(([q, k, ...rest]) => [tokenText("query", q), tokenText("key", k), ...rest].join("\t"));
  return [columns.map((name) => t(name)).join("\t"), ...texts].join("\n") + "\n";
};

const json = () => {
  const { chart } = view;
  const { rows } = chart;
  const weights = rows.map((row) => chart.columns.map((column) => weightAt(row, column)));
  const head = state.h < 0 ? "mean" : chart.heads[state.h];
  return JSON.stringify({ layer: chart.layer, head, query: chart.query.text, key: chart.key.text, "weights": weights });
};

// The map as rectangles with texts beside them.
const drawing = () => {
  const { chart } = view;
  const [rows, across] = everything(chart, 128);
  const [size, edge] = [20, 110];
  const [width, height] = [edge + across.blocks * size, edge + rows.blocks * size];
  const { counts, values } = pooled(view.plane, rows, across, "largest");
  const from = (column) => edge + size * (chart.mirrored ? across.blocks - 1 - column : column);
  const cells = Array.from(values, (weight, at) => {
    const fill = counts[at] ? shade(weight || 0) : "#ddd";
    const y = edge + floor(at / across.blocks) * size;
    return svg("rect", { x: from(at % across.blocks), y, width: size, height: size, fill, stroke: "#ccc" });
  });
  const names = (side, { blocks, stride }, placed) =>
    range(blocks, (at) => svg("text", placed(at), tokenText(side, at * stride).slice(0, 16)));
  const down = (at) => ({ x: edge - 5, y: edge + (at + 0.7) * size, "text-anchor": "end" });
  const along = (at) => ({ transform: `translate(${from(at) + 14} ${edge - 5}) rotate(-90)` });
  const paper = svg("rect", { width, height, fill: "#fff" });
  const all = [paper, ...cells, ...names("query", rows, down), ...names("key", across, along)];
  const whole = svg("svg", { width, height, "font-family": "sans-serif", "font-size": 12 }, ...all);
  return { text: new XMLSerializer().serializeToString(whole), width, height };
};

const save = (kind, content) => {
  const link = make("a", { download: `attention.${kind}`, href: URL.createObjectURL(new Blob([content])) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

const savers = {
  tsv: () => save("tsv", tsv()),
  json: () => save("json", json()),
  svg: () => save("svg", drawing().text),
  async png() {
    const { text, width, height } = drawing();
    const image = new Image();
    image.src = "data:image/svg+xml," + encodeURIComponent(text);
    await image.decode();
    const canvas = picture(width, height);
    penOf(canvas).drawImage(image, 0, 0);
    canvas.toBlob((blob) => save("png", blob));
  },
};

const copy = async (event) => {
  try {
    await navigator.clipboard.writeText(tsv());
    fill(event.target, t("copied"));
  } catch {
    savers.tsv(); // where the browser keeps the clipboard to itself
  }
};

const sort = (by) => {
  order.falling = order.by === by ? !order.falling : by === 2 || by === 4;
  order.by = by;
  drawLines();
};

const drawLines = () => {
  const sign = order.falling ? -1 : 1;
  drawn.pairs.sort((a, b) => sign * (a[order.by] - b[order.by]));
  const heads = columns.map((name, at) =>
    make("th", { scope: "col", "aria-sort": at === order.by && (order.falling ? "descending" : "ascending") },
      make("button", { onclick: () => (sort(at), drawn.titles.children[at].firstChild.focus()) }, t(name))));
  fill(drawn.titles, ...heads);
  const lines = drawn.pairs.slice(0, most).map(([q, k, weight, rank, times]) =>
    make("tr", { onclick: () => select(q, k) },
      ...[label("query", q), label("key", k), weightText(weight), rank, number(times, 2)].map((told) => make("td", told))));
  fill(drawn.told, ...lines);
  fill(drawn.note, t("lines_shown", { n: lines.length, total: drawn.pairs.length }));
};

register("numbers", {
  fits: () => true,

  draw(box) {
    const button = (text, onclick) => make("button", { onclick }, text);
    const saving = entries(savers).map(([kind, act]) => button(kind.toUpperCase(), act));
    drawn = { told: make("tbody"), titles: make("tr"), note: quiet(), rows: null };
    const table = make("table.numbers", make("thead", drawn.titles), drawn.told);
    fill(box, make("p.scale", button(t("copy"), copy), make("span", t("download")), ...saving), drawn.note, table);
  },

  mark() {
    const { high, rows: all, wide } = view.chart;
    const rows = high * wide <= 65536 ? all : [state.q];
    if (`${rows}` === drawn.rows) return;
    drawn.rows = `${rows}`;
    drawn.pairs = linesOf(rows);
    drawLines();
  },
});
