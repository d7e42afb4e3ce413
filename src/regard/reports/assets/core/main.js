// The page put together: the example on view, and what changes with every control.

import { isDark } from "./colour.js";
import { moveByKey, showMap, showMaps } from "./selection.js";
import { $, clamp, darkness, each, entries, examples, fill, make, number, on, readHash, state, t, view, writeHash } from "./state.js";
import { stepInLine } from "./tokens.js";
import { openExample } from "./unpack.js";
import { all } from "./views.js";

export const scoreText = (example) => {
  return entries(example.scores)
    .map(([name, value]) => `${name} ${number(value, value % 1 ? 2 : 0)}`)
    .join(" · ");
};

const drawTexts = () => {
  const { example } = view;
  const text = (name, value, language, kind) =>
    value ? [make("dt", t(name)), make("dd", { class: kind, lang: language, dir: "auto" }, value)] : [];
  fill(
    $("texts"),
    ...text("source", example.source, example.sourceLanguage),
    ...text("output", example.output, example.outputLanguage, "out"),
    ...example.references.flatMap((each) => text("reference", each, example.outputLanguage)),
    ...text("", scoreText(example), "", "quiet"),
  );
  fill($("heading"), t("example", { n: state.e + 1, total: examples.length }));
};

// The page is not seen empty, but before it draws: what is drawn measures itself.
const reveal = () => each(".page, .switches", (one) => (one.hidden = false));

export const showExample = async (index, keep = false) => {
  state.e = clamp(index, examples.length);
  if (!keep) [state.q, state.k] = [0, -1];
  const example = (view.example = examples[state.e]);
  const maps = await openExample(state.e);
  if (view.example !== example) return; // another was chosen meanwhile
  view.all = maps;
  reveal();
  view.others = view.all.filter((chart) => chart.second);
  view.maps = view.all.filter((chart) => !chart.second);
  all("open");
  const none = !view.all[0];
  $("view").hidden = none;
  $("nothing").hidden = !none;
  drawTexts();
  if (none) writeHash();
  else showMaps();
};

const page = document.documentElement;

const drawPhrases = () => {
  page.lang = state.lang;
  each("[data-t]", (one) => fill(one, t(one.dataset.t)));
  $("scale").value = state.scale;
  all("speak");
};

const redraw = () => {
  page.dataset.theme = state.theme;
  drawPhrases();
  if (examples.length) showExample(state.e, true);
  else reveal();
};

const listen = () => {
  on("stage", "keydown", moveByKey);
  for (const id of ["queries", "keys", "tabs"]) on(id, "keydown", stepInLine);
  on("layer", "change", (value) => ((state.m = +value), showMap()));
  on("head", "change", (value) => ((state.h = +value), showMap()));
  on("domain", "change", () => ((state.d ^= 1), showMaps()));
  on("scale", "change", (value) => ((state.scale = value), showMaps()));
  on("language", "click", () => ((state.lang = state.lang === "ru" ? "en" : "ru"), redraw()));
  on("theme", "click", () => ((state.theme = isDark() ? "light" : "dark"), redraw()));
  darkness.onchange = redraw;
  onhashchange = () => (readHash(), redraw());
};

export const start = async () => {
  view.phrases = await new Response(await unpack("phrases")).json();
  readHash();
  listen();
  all("start");
  redraw();
};
