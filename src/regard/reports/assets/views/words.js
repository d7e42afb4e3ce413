// The input as running text, each token as strong as the chosen row weighs it; below it
// other measures of the row, and other explanations of the answer, in the same colours.

import { abs, causeOf, colourWord, fill, finite, indices, isPlain, make, quiet, quoted, register, running, seenBy, shareName, t, view, views, weightAt } from "../core/core.js";

let lines = []; // each with what gives its numbers for a row

const lineOf = (name) => {
  const { words, text } = running("p", { dir: view.chart.key.direction }, view.chart.columns);
  const best = quiet();
  return { box: make("div", make("h4", name), text, best), words, best };
};

// Each word by its number, the five largest in words.
const colourLine = ({ words, best }, values, seen) => {
  const known = indices(values).filter((column) => finite(values[column]));
  words.forEach((word, column) => colourWord(word, values[column] || 0, seen));
  const top = known.sort((a, b) => abs(values[b]) - abs(values[a])).slice(0, 5);
  fill(best, top.map((column) => quoted("key", column, values[column])).join(" · "));
};

register("words", {
  opens: ({ explanation }) => explanation,

  fits: (plane) => isPlain(plane) && plane.chart.wide <= 2000,

  draw(box) {
    const { chart, shares } = view.plane;
    const { columns, wide } = chart;
    const given = view.example.explanation?.compared ?? [];
    const compared = given.filter(([, values]) => values.length === wide);
    const measures = [
      [t("attention"), (row) => columns.map((column) => (causeOf(row, column) ? 0 : weightAt(row, column)))],
      ...shares.map(([name, part]) => [shareName(name), (row) => part.subarray(row * wide, (row + 1) * wide)]),
      ...compared.map(([name, values]) => [shareName(name), () => values]),
    ];
    lines = measures.map(([name, of]) => [lineOf(name), of]);
    fill(
      box, ...lines.map(([line]) => line.box), compared.length ? quiet(t("same_scale")) : "",
      ...(views.answer?.answers() ?? []), quiet(t("caution")),
    );
  },

  mark(row) {
    for (const [line, of] of lines) colourLine(line, of(row), seenBy(row));
    views.answer?.strike();
  },
});
