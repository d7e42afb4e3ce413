// The list of examples: search, order, and the choice of one.

import { showExample } from "./main.js";
import { $, data, fill, make, number, option, state, t } from "./state.js";

function listOrder() {
  const wanted = $("search").value.toLocaleLowerCase().normalize("NFC");
  const texts = (example) => [example.source, example.output, ...example.references];
  const found = [...data.examples.keys()].filter((index) =>
    texts(data.examples[index]).some((text) => text.toLocaleLowerCase().normalize("NFC").includes(wanted)),
  );
  const order = $("sort").value;
  const length = (index) => data.examples[index].source.length;
  const score = (index) => data.examples[index].scores[order] ?? Infinity;
  if (order === "length") found.sort((a, b) => length(a) - length(b));
  else if (order && order !== "given") found.sort((a, b) => score(a) - score(b));
  return found;
}

export function scoreText(example) {
  return Object.entries(example.scores)
    .map(([name, value]) => `${name} ${number(value, Number.isInteger(value) ? 0 : 2)}`)
    .join(" · ");
}

function listEntry(index) {
  const example = data.examples[index];
  const line = (text, kind, lang) => make("span", { class: kind, lang: lang || undefined, dir: "auto" }, text);
  const button = make(
    "button",
    { type: "button", "data-index": index, onclick: () => showExample(index) },
    line(example.source, "", example.sourceLanguage),
    line(example.output, "sub", example.outputLanguage),
  );
  const scores = scoreText(example);
  if (scores) button.append(line(scores, "sub"));
  return make("li", {}, button);
}

export function drawList() {
  const order = listOrder();
  fill($("list"), ...order.map(listEntry));
  $("found").textContent = t("found", { n: order.length, total: data.examples.length });
  markInList();
}

export function markInList() {
  for (const button of $("list").querySelectorAll("button")) {
    const chosen = Number(button.dataset.index) === state.e;
    if (chosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    if (chosen) button.scrollIntoView({ block: "nearest" });
  }
}

export function drawSort() {
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
export function turn(step) {
  const order = listOrder();
  const at = order.indexOf(state.e);
  const next = order[at < 0 ? 0 : Math.min(order.length - 1, Math.max(0, at + step))];
  if (next !== undefined) showExample(next);
}
