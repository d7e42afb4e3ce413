// Beside the running text: other explanations of the answer, its probabilities, and what
// becomes of them without words.

import { $, each, fill, make, max, min, number, quiet, register, shareName, t, terms, view, views } from "../core/core.js";

let lines = []; // each with its numbers
let gone = 0; // words that were taken away, the first of the removal's order

const bars = (probabilities) =>
  terms("dl.bars", probabilities.map(([name, value]) =>
    [name, make("span.bar", { style: `width:${10 * max(0, min(1, value))}rem` }), " ", number(value, 3)]));

// A slider that takes words away, and the probabilities after it.
const removalOf = ({ counts, probabilities }, names) => {
  const said = make("span");
  const box = make("div");
  const slider = make("input", { type: "range", min: 0, max: counts.length - 1, value: 0, "aria-label": t("remove") });
  const show = () => {
    gone = counts[slider.value];
    fill(said, t("removed", { n: gone }));
    fill(box, bars(names.map((name, index) => [name, probabilities[slider.value][index]])));
    colour();
  };
  slider.oninput = show;
  show();
  return [make("p.scale", make("label", t("remove"), " ", slider), said), box];
};

const explain = () => {
  const { compared = [], probabilities = [], removal } = view.example.explanation ?? {};
  const fitting = compared.filter(([, values]) => values.length === view.map.wide);
  lines = fitting.map(([name, values]) => [views.words.lineOf(shareName(name)), values]);
  gone = 0;
  const names = probabilities.map(([name]) => name);
  const answer = removal ? removalOf(removal, names) : [bars(probabilities)];
  return [
    ...lines.map(([line]) => line.box),
    ...(names.length ? [make("h4", t("probabilities")), ...answer] : []),
    ...(lines.length ? [quiet(t("same_scale"))] : []),
  ];
};

const colour = () => {
  for (const [line, values] of lines) views.words.colourLine(line, values, values.length);
  const taken = new Set(view.example.explanation?.removal?.order.slice(0, gone));
  each(".running", (line) => [...line.children].forEach((word, column) => word.classList.toggle("gone", taken.has(column))));
};

register("explanation", { explain, colour });
