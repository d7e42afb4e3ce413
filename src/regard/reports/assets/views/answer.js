// Below running text: what a classifier answers, and how that moves when words are taken
// away, the most important first.

import { each, fill, make, number, quiet, register, t, terms, view } from "../core/core.js";

let gone = 0; // words that were taken away, the first of the removal's order

const bars = (names, probabilities) =>
  terms("dl.bars", names.map((name, at) =>
    [name, make("span.bar", { style: `width:${10 * probabilities[at]}rem` }), " ", number(probabilities[at], 3)]));

// A slider that takes words away, and the probabilities after it.
const removing = ({ counts, probabilities, product }, names) => {
  const [said, box] = [make("span"), make("div")];
  const slider = make("input", { type: "range", max: counts.length - 1, value: 0 });
  slider.oninput = () => {
    gone = counts[slider.value];
    fill(said, t("removed", { n: gone }));
    fill(box, bars(names, probabilities[slider.value]));
    strike();
  };
  slider.oninput();
  return [make("p.scale", make("label", t("remove"), " ", slider), said), box, product ? quiet(t("by_product")) : ""];
};

// Words that were taken away are struck out.
const strike = () => {
  const taken = new Set(view.example.explanation?.removal?.order.slice(0, gone));
  each(".running bdi", (word) => word.classList.toggle("gone", taken.has(word.at)));
};

register("answer", {
  strike,

  answers() {
    const { probabilities = [], removal } = view.example.explanation ?? {};
    const [names, values] = [0, 1].map((part) => probabilities.map((each) => each[part]));
    if (!names.length) return [];
    return [make("h4", t("probabilities")), ...(removal ? removing(removal, names) : [bars(names, values)])];
  },
});
