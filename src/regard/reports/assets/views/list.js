// The list of examples: search, order, and the choice of one.

import { $, clamp, data, fill, make, on, option, register, scoreText, showExample, state, t } from "../core/core.js";

const plain = (text) => text.toLocaleLowerCase().normalize("NFC");

function listOrder() {
  const wanted = plain($("search").value);
  const texts = ({ source, output, references }) => [source, output, ...references];
  const found = [...data.examples.keys()].filter((index) => texts(data.examples[index]).some((text) => plain(text).includes(wanted)));
  const order = $("sort").value;
  const length = (index) => data.examples[index].source.length;
  const score = (index) => data.examples[index].scores[order] ?? Infinity;
  if (order === "length") found.sort((a, b) => length(a) - length(b));
  else if (order && order !== "given") found.sort((a, b) => score(a) - score(b));
  return found;
}

function listEntry(index) {
  const example = data.examples[index];
  const line = (text, kind, lang) => make("span", { class: kind, lang, dir: "auto" }, text);
  const button = make(
    "button",
    { "data-index": index, onclick: () => showExample(index) },
    line(example.source, "", example.sourceLanguage),
    line(example.output, "sub", example.outputLanguage),
  );
  const scores = scoreText(example);
  if (scores) button.append(line(scores, "sub"));
  return make("li", {}, button);
}

function drawList() {
  const order = listOrder();
  fill($("list"), ...order.map(listEntry));
  $("found").textContent = t("found", { n: order.length, total: data.examples.length });
  mark();
}

function mark() {
  for (const button of $("list").querySelectorAll("button")) {
    const chosen = Number(button.dataset.index) === state.e;
    if (chosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    if (chosen) button.scrollIntoView({ block: "nearest" });
  }
}

function drawSort() {
  const kept = $("sort").value;
  const names = [...new Set(data.examples.flatMap((example) => Object.keys(example.scores)))];
  fill(
    $("sort"),
    option("given", t("sort_given")),
    option("length", t("sort_length")),
    ...names.map((name) => option(name, t("ascending", { name }))),
  );
  $("sort").value = kept || "given";
}

// The neighbour in the list as it is filtered and sorted now.
function turn(step) {
  const order = listOrder();
  const at = order.indexOf(state.e);
  const next = order[at < 0 ? 0 : clamp(at + step, order.length)];
  if (next !== undefined) showExample(next);
}

function start() {
  for (const hidden of document.querySelectorAll("nav, .turn button")) hidden.hidden = false;
  document.querySelector(".page").classList.add("listed");
  on("search", "input", drawList);
  on("sort", "change", drawList);
  on("back", "click", () => turn(-1));
  on("forth", "click", () => turn(1));
}

const speak = () => (drawSort(), drawList());

register("list", { start, speak, open: mark });
