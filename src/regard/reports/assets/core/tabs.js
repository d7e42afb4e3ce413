// The tabs: one view of the chosen map at a time.

import { $, entries, fill, make, state, t, view, writeHash } from "./state.js";
import { views } from "./views.js";

let shown;

export const drawTab = () => {
  const fitting = entries(views).filter(([, each]) => each.fits?.(view.plane)).sort(([, a], [, b]) => a.tab - b.tab);
  const tabs = new Map(fitting.map(([name, each]) => [each.called ?? name, each]));
  const names = [...tabs.keys()];
  const name = tabs.has(state.v) ? state.v : (names.find((each) => tabs.get(each).opens?.(view.example)) ?? names[0]);
  const buttons = names.map((each) =>
    make("button", {
      role: "tab", id: "tab_" + each, "aria-selected": each === name, "aria-controls": "stage",
      tabindex: each === name ? 0 : -1, onclick: () => open(each),
    }, t("tab_" + each)),
  );
  fill($("tabs"), ...buttons);
  $("stage").setAttribute("aria-labelledby", "tab_" + name);
  shown = tabs.get(name);
  shown.draw($("stage"));
};

const open = (name) => {
  state.v = name;
  drawTab();
  markTab(state.q, state.k);
  $("tab_" + name).focus();
  writeHash();
};

export const markTab = (row, column) => shown.mark(row, column);
export const focusTab = () => shown.focus?.();
