// The tabs: one view of the chosen map at a time.

import { select } from "./selection.js";
import { $, fill, make, state, t, values, view } from "./state.js";
import { views } from "./views.js";

let shown;

export const drawTab = () => {
  const fitting = values(views).filter((each) => each.fits?.(view.plane));
  shown = fitting.find(({ called }) => called === state.v) ?? fitting.find(({ opens }) => opens?.(view.example)) ?? fitting[0];
  const buttons = fitting.map((each) => {
    const id = "tab_" + each.called;
    const onclick = () => {
      state.v = each.called;
      drawTab();
      select(state.q, state.k);
      $(id).focus();
    };
    return make("button", {
      role: "tab", id, "aria-selected": each === shown, "aria-controls": "stage",
      tabindex: each === shown ? 0 : -1, onclick,
    }, t("tab_" + each.called));
  });
  fill($("tabs"), ...buttons);
  $("stage").setAttribute("aria-labelledby", "tab_" + shown.called);
  shown.draw($("stage"));
};

export const markTab = (row, column) => shown.mark(row, column);
export const focusTab = () => shown.focus?.();
