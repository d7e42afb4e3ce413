// Beside the running text: other explanations of the answer, its probabilities, and what
// becomes of them without words.

import { $, fill, make, max, min, number, register, shareName, t, view, views } from "../core/core.js";

let lines = []; // each with its numbers
let gone = 0; // words that were taken away, the first of the removal's order

function bars(probabilities) {
  const lines = probabilities.map(([name, value]) => [
    make("dt", {}, name),
    make("dd", {}, make("span", { class: "bar", style: `width:${10 * max(0, min(1, value))}rem` }), " ", number(value, 3)),
  ]);
  return make("dl", { class: "bars" }, ...lines.flat());
}

// A slider that takes words away, and the probabilities after it.
function removalOf({ counts, probabilities }, names) {
  const said = make("span");
  const box = make("div");
  const slider = make("input", { type: "range", min: 0, max: counts.length - 1, value: 0, "aria-label": t("remove") });
  const show = () => {
    gone = counts[slider.value];
    said.textContent = t("removed", { n: gone });
    fill(box, bars(names.map((name, index) => [name, probabilities[slider.value][index]])));
    colour();
  };
  slider.oninput = show;
  show();
  return [make("p", { class: "scale" }, make("label", {}, t("remove"), " ", slider), said), box];
}

function explain() {
  const { compared = [], probabilities = [], removal } = view.example.explanation ?? {};
  const fitting = compared.filter(([, values]) => values.length === view.plane.map.wide);
  lines = fitting.map(([name, values]) => [views.words.lineOf(shareName(name)), values]);
  gone = 0;
  const names = probabilities.map(([name]) => name);
  const answer = removal ? removalOf(removal, names) : [bars(probabilities)];
  return [
    ...lines.map(([line]) => line.box),
    ...(names.length ? [make("h4", {}, t("probabilities")), ...answer] : []),
    ...(lines.length ? [make("p", { class: "quiet" }, t("same_scale"))] : []),
  ];
}

function colour() {
  for (const [line, values] of lines) views.words.colourLine(line, values, values.length);
  const taken = new Set(view.example.explanation?.removal?.order.slice(0, gone));
  for (const line of $("stage").querySelectorAll(".running")) {
    [...line.children].forEach((word, column) => word.classList.toggle("gone", taken.has(column)));
  }
}

register("explanation", { explain, colour });
