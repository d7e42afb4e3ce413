// The input as running text, each token as strong as the chosen row weighs it; beside it
// other explanations, the answer's probabilities, and what became of them without words.

import { causeOf, fill, label, make, number, paint, register, seenBy, select, shareName, state, t, tokenText, view, weightAt } from "../core/core.js";

let drawn = null;

const sized = (values) => values.length === view.plane.map.key.text.length;

function lineOf(name) {
  const words = [...view.plane.map.key.text.keys()].map((column) => {
    const word = label("key", column);
    word.addEventListener("click", () => select(state.q, column));
    return word;
  });
  const text = make("p", { class: "running", dir: view.plane.map.key.direction }, ...words.flatMap((word) => [word, " "]));
  const best = make("p", { class: "quiet" });
  return { box: make("div", {}, make("h4", {}, name), text, best), words, best };
}

// Background for the eye, underline as a second code, the five largest in words.
function colourLine({ words, best }, values, gone, seen) {
  const shares = [...values.keys()].filter((column) => Number.isFinite(values[column]));
  words.forEach((word, column) => {
    const value = values[column] || 0;
    paint(word, Math.abs(value), seen).style.borderBottom = `${Math.round(6 * Math.sqrt(Math.abs(value)))}px ${value < 0 ? "dotted" : "solid"} var(--ink)`;
    word.classList.toggle("gone", gone.has(column));
  });
  const top = shares.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, 5);
  best.textContent = top.map((column) => `\u2068${tokenText("key", column)}\u2069 ${number(values[column], 2)}`).join(" · ");
}

function bars(probabilities) {
  const lines = probabilities.map(([name, value]) => [
    make("dt", {}, name),
    make("dd", {}, make("span", { class: "bar", style: `width:${10 * Math.max(0, Math.min(1, value))}rem` }), " ", number(value, 3)),
  ]);
  return make("dl", { class: "bars" }, ...lines.flat());
}

function removalOf(removal, names) {
  const said = make("span");
  const box = make("div", {});
  const slider = make("input", { type: "range", min: 0, max: removal.counts.length - 1, value: 0, "aria-label": t("remove") });
  const show = () => {
    const at = Number(slider.value);
    drawn.gone = new Set(removal.order.slice(0, removal.counts[at]));
    said.textContent = t("removed", { n: removal.counts[at] });
    fill(box, bars(names.map((name, index) => [name, removal.probabilities[at][index]])));
    mark(state.q);
  };
  slider.addEventListener("input", show);
  return { box: make("div", {}, make("p", { class: "scale" }, make("label", {}, t("remove"), " ", slider), said), box), show };
}

function draw(box) {
  const { compared = [], probabilities = [], removal } = view.example.explanation ?? {};
  const lines = compared.filter(([, values]) => sized(values));
  const own = lineOf(t("attention"));
  const shares = view.plane.shares.map(([name, part]) => [lineOf(shareName(name)), part]);
  drawn = { own, shares, others: lines.map(([name, values]) => [lineOf(shareName(name)), values]), gone: new Set() };
  const parts = [own.box, ...shares.map(([line]) => line.box), ...drawn.others.map(([line]) => line.box)];
  const slider = removal && removalOf(removal, probabilities.map(([name]) => name));
  if (probabilities.length) parts.push(make("h4", {}, t("probabilities")), slider ? slider.box : bars(probabilities));
  if (lines.length) parts.push(make("p", { class: "quiet" }, t("same_scale")));
  fill(box, ...parts, make("p", { class: "quiet" }, t("caution")));
  slider?.show();
}

function mark(row) {
  const weights = drawn.own.words.map((_, column) => (causeOf(row, column) ? 0 : weightAt(row, column)));
  colourLine(drawn.own, weights, drawn.gone, seenBy(row));
  const { length } = weights;
  for (const [line, part] of drawn.shares) colourLine(line, part.subarray(row * length, (row + 1) * length), drawn.gone, seenBy(row));
  for (const [line, values] of drawn.others) colourLine(line, values, drawn.gone, values.length);
}

const fits = ({ map, signed }) => !signed && !map.outline && map.key.text.length <= 2000;

register("words", { tab: 2, fits, opens: ({ explanation }) => explanation, draw, mark });
