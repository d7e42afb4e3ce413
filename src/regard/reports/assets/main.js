// The page put together: the example on view, and what changes with every control.

import { isDark } from "./colour.js";
import { drawList, drawSort, markInList, scoreText, turn } from "./list.js";
import { moveByKey } from "./matrix.js";
import { showMap } from "./selection.js";
import { $, clamp, data, fill, learn, make, option, readHash, state, t, transfers, view, writeHash } from "./state.js";
import { stepInTokens } from "./tokens.js";
import { mapsOf, sizeOf, unpack } from "./unpack.js";

function drawTexts() {
  const { example } = view;
  const text = (name, value, language, kind) => [
    make("dt", {}, t(name)),
    make("dd", { class: kind, lang: language || undefined, dir: "auto" }, value),
  ];
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
  view.maps = (await mapsOf(state.e)).filter(sizeOf);
  $("view").hidden = !view.maps.length;
  $("nothing").hidden = Boolean(view.maps.length);
  drawTexts();
  markInList();
  if (view.maps.length) showMap();
  else writeHash();
}

function drawPhrases() {
  document.documentElement.lang = state.lang;
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  $("language").textContent = state.lang === "ru" ? "English" : "Русский";
  $("language").lang = state.lang === "ru" ? "en" : "ru";
  const facts = [data.error ? t("stored", { error: data.error.toPrecision(1) }) : t("stored_exact")];
  if (data.leftOut) facts.push(t("left_out", { n: data.leftOut }));
  $("stored").textContent = facts.join(" ");
  fill($("scale"), ...Object.keys(transfers).map((name) => option(name, t("scale_" + name)))).value = state.scale;
  drawSort();
  drawList();
}

function redraw() {
  if (state.theme) document.documentElement.dataset.theme = state.theme;
  drawPhrases();
  return data.examples.length ? showExample(state.e, true) : undefined;
}

function listen() {
  $("search").addEventListener("input", drawList);
  $("sort").addEventListener("change", drawList);
  $("back").addEventListener("click", () => turn(-1));
  $("forth").addEventListener("click", () => turn(1));
  $("stage").addEventListener("keydown", moveByKey);
  for (const id of ["queries", "keys"]) $(id).addEventListener("keydown", stepInTokens);
  const change = (id, apply) => $(id).addEventListener("change", () => (apply($(id).value), showMap()));
  change("layer", (value) => (state.m = Number(value)));
  change("head", (value) => (state.h = Number(value)));
  change("scale", (value) => (state.scale = value));
  $("language").addEventListener("click", () => ((state.lang = state.lang === "ru" ? "en" : "ru"), redraw()));
  $("theme").addEventListener("click", () => ((state.theme = isDark() ? "light" : "dark"), redraw()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("hashchange", () => (readHash(), redraw()));
}

async function start() {
  learn(JSON.parse(new TextDecoder().decode(await unpack($("phrases").textContent))));
  readHash();
  for (const hidden of document.querySelectorAll(".page, .switches")) hidden.hidden = false;
  listen();
  redraw();
}

if (typeof DecompressionStream === "undefined") $("old").hidden = false;
else start();
