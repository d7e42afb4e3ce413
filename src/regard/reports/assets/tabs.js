// The tabs: one view of the chosen map at a time.

import * as arcs from "./arcs.js";
import * as canvas from "./canvas.js";
import * as matrix from "./matrix.js";
import { $, fill, make, state, t, view, writeHash } from "./state.js";
import * as numbers from "./numbers.js";
import * as timeline from "./timeline.js";
import * as words from "./words.js";

const largest = 64; // rows or columns up to which a real table is drawn
const tabs = { matrix: { fits: () => true }, arcs, words, timeline, numbers };
let shown = matrix;

function viewOf(name) {
  const { query, key } = view.plane.map;
  if (name !== "matrix") return tabs[name];
  return Math.max(query.text.length, key.text.length) > largest ? canvas : matrix;
}

export function drawTab() {
  const names = Object.keys(tabs).filter((name) => tabs[name].fits(view.plane));
  const { explanation, timeline } = view.example;
  const suggested = explanation ? "words" : timeline ? "timeline" : "matrix";
  const name = [state.v, suggested].find((each) => names.includes(each)) ?? "matrix";
  const buttons = names.map((each) =>
    make("button", {
      type: "button", role: "tab", id: "tab_" + each, "aria-selected": each === name, "aria-controls": "stage",
      tabindex: each === name ? 0 : -1, onclick: () => open(each),
    }, t("tab_" + each)),
  );
  fill($("tabs"), ...buttons);
  $("stage").setAttribute("aria-labelledby", "tab_" + name);
  shown = viewOf(name);
  shown.draw($("stage"));
}

function open(name) {
  state.v = name;
  drawTab();
  markTab(state.q, state.k);
  $("tab_" + name).focus();
  writeHash();
}

export function moveInTabs(event) {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!move) return;
  event.preventDefault();
  const buttons = [...$("tabs").children];
  const at = buttons.indexOf(document.activeElement) + move;
  buttons[(at + buttons.length) % buttons.length].click();
}

export const markTab = (row, column) => shown.mark(row, column);
