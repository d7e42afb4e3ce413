// The list of examples: search, order, and the choice of one.

import { $, clamp, data, each, examples, fill, indices, make, on, option, register, scoreText, showExample, state, t } from "../core/core.js";

const plain = (text) => text.toLocaleLowerCase().normalize("NFC");

const listOrder = () => {
  const wanted = plain($("search").value);
  const textOf = ({ source, output, references }) => plain([source, output, ...references].join("\n"));
  const found = indices(examples).filter((index) => textOf(examples[index]).includes(wanted));
  const order = $("sort").value;
  if (order === "given") return found;
  const rank = ({ scores, source }) => (order === "length" ? source.length : (scores[order] ?? Infinity));
  return found.sort((a, b) => rank(examples[a]) - rank(examples[b]));
};

const listEntry = (index) => {
  const example = examples[index];
  const line = (text, kind, lang) => make("span", { class: kind, lang, dir: "auto" }, text);
  return make("li", make(
    "button",
    { "data-index": index, onclick: () => showExample(index) },
    line(example.source, "", example.sourceLanguage),
    line(example.output, "sub", example.outputLanguage),
    line(scoreText(example), "sub"),
  ));
};

const drawList = () => {
  const order = listOrder();
  fill($("list"), ...order.map(listEntry));
  fill($("found"), t("found", { n: order.length, total: examples.length }));
  mark();
};

const mark = () => {
  each("#list button", (button) => {
    const chosen = +button.dataset.index === state.e;
    button.setAttribute("aria-current", chosen);
    if (chosen) button.scrollIntoView({ block: "nearest" });
  });
};

const drawSort = () => {
  const kept = $("sort").value;
  fill(
    $("sort"),
    option("given", t("sort_given")),
    option("length", t("sort_length")),
    ...data.sorts.map((name) => option(name, t("ascending", { name }))),
  );
  $("sort").value = kept || "given";
};

// The neighbour in the list as it is filtered and sorted now.
const turn = (step) => {
  const order = listOrder();
  const at = order.indexOf(state.e);
  const next = order[at < 0 ? 0 : clamp(at + step, order.length)];
  if (next !== undefined) showExample(next);
};

register("list", {
  open: mark,

  start() {
    each("nav, .turn button", (one) => (one.hidden = false));
    each(".page", (page) => page.classList.add("listed"));
    on("search", "input", drawList);
    on("sort", "change", drawList);
    on("back", "click", () => turn(-1));
    on("forth", "click", () => turn(1));
  },

  speak: () => (drawSort(), drawList()),
});
