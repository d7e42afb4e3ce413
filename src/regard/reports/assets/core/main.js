// The page put together: the example on view, and what changes with every control.

import { isDark } from "./colour.js";
import { drawList, drawSort, markInList, scoreText, turn } from "./list.js";
import { moveByKey } from "./matrix.js";
import { showMap, showMaps } from "./selection.js";
import { $, clamp, data, fill, learn, listen, make, option, readHash, state, t, transfers, view, writeHash } from "./state.js";
import { moveInTabs } from "./tabs.js";
import { stepInTokens } from "./tokens.js";
import { openExample, sizeOf } from "./unpack.js";
import { all } from "./views.js";

function drawTexts() {
  const { example } = view;
  const text = (name, value, language, kind) =>
    value ? [make("dt", {}, t(name)), make("dd", { class: kind, lang: language || undefined, dir: "auto" }, value)] : [];
  const scores = scoreText(example);
  fill(
    $("texts"),
    ...text("source", example.source, example.sourceLanguage),
    ...text("output", example.output, example.outputLanguage, "out"),
    ...example.references.flatMap((each) => text("reference", each, example.outputLanguage)),
    ...(scores ? [make("dt"), make("dd", { class: "quiet" }, scores)] : []),
  );
  $("heading").textContent = t("example", { n: state.e + 1, total: data.examples.length });
}

export async function showExample(index, keep = false) {
  state.e = clamp(index, data.examples.length);
  if (!keep) [state.q, state.k] = [0, -1];
  view.example = data.examples[state.e];
  const { buffer, maps } = await openExample(state.e);
  [view.buffer, view.all] = [buffer, maps.filter(sizeOf)];
  view.others = view.all.filter((map) => map.second);
  view.maps = view.all.filter((map) => !map.second);
  all("open");
  $("view").hidden = !view.all.length;
  $("nothing").hidden = Boolean(view.all.length);
  drawTexts();
  markInList();
  if (view.all.length) showMaps();
  else writeHash();
}

function drawPhrases() {
  document.documentElement.lang = state.lang;
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  $("language").textContent = state.lang === "ru" ? "English" : "Русский";
  $("language").lang = state.lang === "ru" ? "en" : "ru";
  const facts = [data.error ? t("stored", { error: data.error.toLocaleString(state.lang, { maximumSignificantDigits: 1 }) }) : t("stored_exact")];
  if (data.leftOut) facts.push(t("left_out", { n: data.leftOut }));
  $("stored").textContent = facts.join(" ");
  fill($("scale"), ...Object.keys(transfers).map((name) => option(name, t("scale_" + name)))).value = state.scale;
  drawSort();
  drawList();
  all("speak");
}

function redraw() {
  if (state.theme) document.documentElement.dataset.theme = state.theme;
  drawPhrases();
  return data.examples.length ? showExample(state.e, true) : undefined;
}

function listenToAll() {
  listen("search", drawList, "input");
  listen("sort", drawList);
  $("back").addEventListener("click", () => turn(-1));
  $("forth").addEventListener("click", () => turn(1));
  $("stage").addEventListener("keydown", moveByKey);
  $("tabs").addEventListener("keydown", moveInTabs);
  for (const id of ["queries", "keys"]) $(id).addEventListener("keydown", stepInTokens);
  listen("layer", (value) => ((state.m = Number(value)), showMap()));
  listen("head", (value) => ((state.h = Number(value)), showMap()));
  listen("scale", (value) => ((state.scale = value), showMaps()));
  $("language").addEventListener("click", () => ((state.lang = state.lang === "ru" ? "en" : "ru"), redraw()));
  $("theme").addEventListener("click", () => ((state.theme = isDark() ? "light" : "dark"), redraw()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("hashchange", () => (readHash(), redraw()));
}

export async function start() {
  learn(JSON.parse(new TextDecoder().decode(await unpack("phrases"))));
  readHash();
  for (const hidden of document.querySelectorAll(".page, .switches")) hidden.hidden = false;
  listenToAll();
  all("start");
  redraw();
}
