// A text in its sentences: at the left of each a bar with its weight, the words inside
// with theirs, as a hierarchical network weighs both.

import { colourWord, decoded, fill, isolated, make, max, numbersAt, option, quiet, register, running, select, state, t, view, views, weightText } from "../core/core.js";

let drawn;

// Weights of sentences (N) and of words inside them (S), for one row of the plane's head.
const numbersOf = (row) => {
  const { coding, heads, high, sentences, wide } = view.chart;
  const count = sentences.lengths.length;
  const head = state.h < 0 ? heads.length : state.h;
  const line = head * high + row;
  const read = (kind, start, width) => decoded(numbersAt(view.buffer, kind, start, (line + 1) * width), line * width, (line + 1) * width);
  return [read("f32", sentences.mass, count), read(coding, sentences.words, wide)];
};

const lineOf = (columns) => {
  const [bar, said] = [make("span.bar"), make("span.quiet")];
  const { words, text } = running("div", { style: "flex:1;padding:0 .4rem" }, columns);
  const weight = make("div", { style: "flex:0 0 5rem;line-height:1.2" }, said, make("div", bar));
  const box = make("div.split", { role: "listitem", style: "margin:.4rem 0;flex-wrap:nowrap", dir: view.chart.key.direction }, weight, text);
  return { box, bar, said, text, words, columns };
};

const draw = (box) => {
  let first = 0;
  const lines = view.chart.sentences.lengths.map((length) => {
    first += length;
    return lineOf(Array.from({ length }, (_, at) => first - length + at));
  });
  const choice = make("select", { onchange: () => ((state.b = +choice.value), select(state.q, state.k)) });
  fill(choice, option(0, t("inside_sentence")), option(1, t("inside_text"))).value = state.b ? 1 : 0;
  const note = make("p", { role: "status" });
  drawn = { lines, note };
  fill(
    box, make("p", make("label", t("words_by"), " ", choice)), note,
    make("div", { role: "list" }, ...lines.map((line) => line.box)),
    ...(views.answer?.answers() ?? []), quiet(t("caution")),
  );
};

const mark = (row, column) => {
  const [weights, words] = numbersOf(row);
  const most = max(...weights, 1e-12);
  drawn.lines.forEach(({ bar, said, text, words: labels, columns }, at) => {
    bar.style.width = `${max(0, (4 * weights[at]) / most) || 0}rem`;
    fill(said, weightText(weights[at]));
    text.style.boxShadow = columns.includes(column) ? "inset 0 0 0 1px var(--accent)" : "";
    labels.forEach((word, place) => {
      const value = words[columns[place]] * (state.b ? weights[at] : 1) || 0;
      colourWord(word, value, state.b ? words.length : columns.length);
      word.style.outline = columns[place] === column ? "2px solid var(--accent)" : "";
    });
  });
  const best = weights.indexOf(max(...weights));
  const at = drawn.lines.findIndex(({ columns }) => columns.includes(column));
  const values = { n: at + 1, weight: weightText(weights[at]), word: isolated(view.chart.key.text[column]), inside: weightText(words[column]), best: best + 1, most: weightText(weights[best]) };
  fill(drawn.note, at < 0 ? "" : t("in_sentence", values));
  views.answer?.strike();
};

const fits = ({ chart, signed }) => !signed && Boolean(chart.sentences) && chart.sentences.lengths.reduce((sum, length) => sum + length, 0) === chart.wide;

// b: whether words are shown by their part of the whole text, not of their sentence.
register("sentences", { tab: 1.5, choices: { b: 0 }, fits, opens: ({ maps }) => maps.some((chart) => chart.sentences), draw, mark });
