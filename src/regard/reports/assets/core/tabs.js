// The tabs: one view of the chosen map at a time.

import { $, fill, make, state, t, view, writeHash } from "./state.js";
import { views } from "./views.js";

let shown = null;

export function drawTab() {
  const fitting = Object.keys(views).filter((name) => views[name].fits?.(view.plane));
  const names = fitting.filter((name) => "tab" in views[name]).sort((a, b) => views[a].tab - views[b].tab);
  const suggested = names.find((each) => views[each].opens?.(view.example));
  const name = [state.v, suggested].find((each) => names.includes(each)) ?? "matrix";
  const buttons = names.map((each) =>
    make("button", {
      type: "button", role: "tab", id: "tab_" + each, "aria-selected": each === name, "aria-controls": "stage",
      tabindex: each === name ? 0 : -1, onclick: () => open(each),
    }, t("tab_" + each)),
  );
  fill($("tabs"), ...buttons);
  $("stage").setAttribute("aria-labelledby", "tab_" + name);
  shown = views[fitting.find((each) => views[each].within === name) ?? name];
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
