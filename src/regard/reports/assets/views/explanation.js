// Beside the running text: other explanations of the answer, and its probabilities.

import { make, max, min, number, quiet, register, shareName, t, terms, view, views } from "../core/core.js";

let lines = []; // each with its numbers

const bars = (probabilities) =>
  terms("dl.bars", probabilities.map(([name, value]) =>
    [name, make("span.bar", { style: `width:${10 * max(0, min(1, value))}rem` }), " ", number(value, 3)]));

const explain = () => {
  const { compared = [], probabilities = [], removal } = view.example.explanation ?? {};
  const fitting = compared.filter(([, values]) => values.length === view.chart.wide);
  lines = fitting.map(([name, values]) => [views.words.lineOf(shareName(name)), values]);
  const names = probabilities.map(([name]) => name);
  const answer = removal ? views.removal.take(removal, names) : [bars(probabilities)];
  return [
    ...lines.map(([line]) => line.box),
    ...(names.length ? [make("h4", t("probabilities")), ...answer] : []),
    ...(lines.length ? [quiet(t("same_scale"))] : []),
  ];
};

const colour = () => {
  for (const [line, values] of lines) views.words.colourLine(line, values, values.length);
  views.removal?.restore();
};

register("explanation", { explain, colour, bars });
