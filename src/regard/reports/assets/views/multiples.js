// A training without motion: the head on view at every step side by side, and when heads
// first did something. Open by itself where the reader asked for less motion.

import { $, data, drawPictures, fill, isDark, make, moveInGrid, number, on, press, register, state, t, view } from "../core/core.js";

let [drawn, told] = ["", ""]; // of what the pictures and the words are

const stepText = (at) => t("step", { n: number(view.example.steps[at], 0) });

// The slider of the training is what knows how to go to a step.
const go = (at) => {
  $("step").value = at;
  $("step").dispatchEvent(new Event("input"));
};

const cellOf = (_, at) => {
  const onclick = () => (go(at), $("steps").children[at].focus());
  return make("button", { onclick }, make("span.thumbnail"), make("small", stepText(at)));
};

const drawCells = () => {
  const cells = view.example.steps.map(cellOf);
  fill($("steps"), ...cells);
  drawPictures(cells, (_, at) => [view.all.filter(({ step }) => step === at)[state.m], state.h]);
};

// Of each word that is ever true: when of the head on view, and of which head first.
const drawFirst = () => {
  const { heads: names, layer } = view.chart;
  fill($("steps_name"), t("all_steps", { head: `${layer} · ${state.h < 0 ? t("average") : `${t("head")} ${names[state.h]}`}` }));
  const { heads, words } = view.example.first;
  const own = Object.fromEntries(heads[state.m].at(state.h));
  const total = view.maps.flatMap((chart) => chart.heads).length;
  const cell = (name, content, scope) => make(name, { scope }, ...content);
  const jump = (at, text, head) => make("button", { onclick: () => ([state.m, state.h] = head, go(at)) }, text);
  const lines = words.map(([word, at, m, h, count]) => make(
    "tr", cell("th", [t(word, { n: 100 * data.sharpened }).split(":")[0]], "row"),
    cell("td", [word in own ? jump(own[word], stepText(own[word]), [state.m, state.h]) : "–"]),
    cell("td", [jump(at, `L${m + 1} H${h + 1}, ${stepText(at)}`, [m, h]), " ", t("heads_of", { n: count, total })]),
  ));
  fill($("words"), ...lines);
  $("first").hidden = !words[0];
};

// While the training plays, pictures and words stay: another step is only another button
// pressed.
const show = () => {
  if (!view.example.steps) return;
  const now = String([state.e, state.m, state.h, state.d, state.scale, state.lang, isDark()]);
  if (now !== told) drawFirst();
  told = now;
  if (!$("all_steps").open) return;
  if (now !== drawn) drawCells();
  drawn = now;
  [...$("steps").children].forEach((cell, at) => press(cell, at === state.s));
};

const start = () => {
  $("all_steps").open = matchMedia("(prefers-reduced-motion: reduce)").matches;
  $("all_steps").ontoggle = () => view.plane && show();
  on("steps", "keydown", moveInGrid);
};

register("multiples", { start, show });
