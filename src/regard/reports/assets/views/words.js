// The input as running text, each token as strong as the chosen row weighs it.

import { abs, causeOf, colourWord, fill, finite, indices, isPlain, make, quiet, quoted, range, register, running, seenBy, shareName, t, view, views, weightAt } from "../core/core.js";

let drawn = []; // lines, each with its numbers if they are not the weights

const lineOf = (name) => {
  const { words, text } = running("p", { dir: view.chart.key.direction }, view.chart.columns);
  const best = quiet();
  return { box: make("div", make("h4", name), text, best), words, best };
};

// Each word by its number, the five largest in words.
const colourLine = ({ words, best }, values, seen) => {
  const shares = indices(values).filter((column) => finite(values[column]));
  words.forEach((word, column) => colourWord(word, values[column] || 0, seen));
  const top = shares.sort((a, b) => abs(values[b]) - abs(values[a])).slice(0, 5);
  fill(best, top.map((column) => quoted("key", column, values[column])).join(" · "));
};

const draw = (box) => {
  drawn = [[lineOf(t("attention"))], ...view.plane.shares.map(([name, part]) => [lineOf(shareName(name)), part])];
  const more = views.explanation?.explain() ?? [];
  fill(box, ...drawn.map(([line]) => line.box), ...more, quiet(t("caution")));
};

const mark = (row) => {
  const { wide } = view.chart;
  const weights = range(wide, (column) => (causeOf(row, column) ? 0 : weightAt(row, column)));
  for (const [line, part] of drawn) colourLine(line, part ? part.subarray(row * wide, (row + 1) * wide) : weights, seenBy(row));
  views.explanation?.colour();
};

const fits = (plane) => isPlain(plane) && plane.chart.wide <= 2000;

register("words", { tab: 2, fits, opens: ({ explanation }) => explanation, draw, mark, lineOf, colourLine });
