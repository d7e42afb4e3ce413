// The input as running text, each token as strong as the chosen row weighs it.

import { abs, causeOf, fill, isolated, label, make, number, paint, quiet, range, register, seenBy, select, shareName, state, t, tokenText, view, views, weightAt } from "../core/core.js";

let drawn = []; // lines, each with its numbers if they are not the weights

const lineOf = (name) => {
  const words = view.map.columns.map((column) => {
    const word = label("key", column);
    word.onclick = () => select(state.q, column);
    return word;
  });
  const text = make("p", { class: "running", dir: view.map.key.direction }, ...words.flatMap((word) => [word, " "]));
  const best = quiet();
  return { box: make("div", {}, make("h4", {}, name), text, best), words, best };
};

// Background for the eye, underline as a second code, the five largest in words.
const colourLine = ({ words, best }, values, seen) => {
  const shares = [...values.keys()].filter((column) => Number.isFinite(values[column]));
  words.forEach((word, column) => {
    const value = values[column] || 0;
    paint(word, abs(value), seen).style.borderBottom = `${Math.round(6 * Math.sqrt(abs(value)))}px ${value < 0 ? "dotted" : "solid"} var(--ink)`;
  });
  const top = shares.sort((a, b) => abs(values[b]) - abs(values[a])).slice(0, 5);
  fill(best, top.map((column) => `${isolated(tokenText("key", column))} ${number(values[column], 2)}`).join(" · "));
};

const draw = (box) => {
  drawn = [[lineOf(t("attention"))], ...view.plane.shares.map(([name, part]) => [lineOf(shareName(name)), part])];
  const more = views.explanation?.explain() ?? [];
  fill(box, ...drawn.map(([line]) => line.box), ...more, quiet(t("caution")));
};

const mark = (row) => {
  const { wide } = view.map;
  const weights = range(wide, (column) => (causeOf(row, column) ? 0 : weightAt(row, column)));
  for (const [line, part] of drawn) colourLine(line, part ? part.subarray(row * wide, (row + 1) * wide) : weights, seenBy(row));
  views.explanation?.colour();
};

const fits = ({ map, signed }) => !signed && !map.outline && !view.example.timeline && map.wide <= 2000;

register("words", { tab: 2, fits, opens: ({ explanation }) => explanation, draw, mark, lineOf, colourLine });
