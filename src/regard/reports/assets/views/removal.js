// How the probabilities move when words are taken away, the most important first.

import { each, fill, make, register, t, view, views } from "../core/core.js";

let gone = 0; // words that were taken away, the first of the removal's order

// A slider that takes words away, and the probabilities after it.
const draw = ({ counts, probabilities }, names) => {
  const said = make("span");
  const box = make("div");
  const slider = make("input", { type: "range", min: 0, max: counts.length - 1, value: 0, "aria-label": t("remove") });
  const show = () => {
    gone = counts[slider.value];
    fill(said, t("removed", { n: gone }));
    fill(box, views.explanation.bars(names.map((name, index) => [name, probabilities[slider.value][index]])));
    mark();
  };
  slider.oninput = show;
  show();
  return [make("p.scale", make("label", t("remove"), " ", slider), said), box];
};

const mark = () => {
  const taken = new Set(view.example.explanation?.removal?.order.slice(0, gone));
  each(".running", (line) => [...line.children].forEach((word, column) => word.classList.toggle("gone", taken.has(column))));
};

register("removal", { take: draw, restore: mark });
