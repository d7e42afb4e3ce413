// A text in its sentences: at the left of each a bar with its weight, the words inside
// with theirs, as a hierarchical network weighs both.

import { colourWord, fill, isolated, make, max, option, quiet, range, reader, register, running, select, state, sum, t, view, views, weightText } from "../core/core.js";

let drawn;

// Weights of sentences (N) and of words inside them (S), for one row of the plane's head.
const numbersOf = (row) => {
  const { stored, coding, heads, high, sentences, wide } = view.chart;
  const line = (state.h < 0 ? heads.length : state.h) * high + row;
  const read = (kind, start, width) => reader(stored, kind, start)(line * width, (line + 1) * width);
  return [read("f32", sentences.mass, sentences.lengths.length), read(coding, sentences.words, wide)];
};

const lineOf = (columns) => {
  const [bar, said] = [make("span.bar"), make("div")];
  const { words, text } = running("span", {}, columns);
  const box = make("div.sentence", { role: "listitem", dir: view.chart.key.direction }, make("div.side", said, bar), text);
  return { box, bar, said, text, words, has: (column) => columns.includes(column) };
};

const outline = (element, width, chosen) => (element.style.outline = chosen ? `${width}px solid var(--accent)` : "");

// b: whether words are shown by their part of the whole text, not of their sentence.
register("sentences", {
  choices: { b: 0 },

  fits: ({ chart, signed }) => !signed && chart.sentences && sum(chart.sentences.lengths) === chart.wide,

  opens: ({ maps }) => maps.some((chart) => chart.sentences),

  draw(box) {
    let first = 0;
    const lines = view.chart.sentences.lengths.map((length) => {
      first += length;
      return lineOf(range(length, (at) => first - length + at));
    });
    const choice = make("select", { onchange: () => ((state.b = +choice.value), select(state.q, state.k)) });
    fill(choice, option(0, t("inside_sentence")), option(1, t("inside_text"))).value = state.b;
    const note = make("p", { role: "status" });
    drawn = { lines, note };
    fill(
      box, make("p", make("label", t("words_by"), " ", choice)), note,
      make("div", { role: "list" }, ...lines.map((line) => line.box)),
      ...(views.answer?.answers() ?? []), quiet(t("caution")),
    );
  },

  mark(row, column) {
    const { lines, note } = drawn;
    const [weights, inside] = numbersOf(row);
    const most = max(...weights);
    lines.forEach(({ bar, has, said, text, words }, at) => {
      bar.style.width = `${(4 * weights[at]) / most || 0}rem`;
      fill(said, weightText(weights[at]));
      outline(text, 1, has(column));
      for (const word of words) {
        colourWord(word, inside[word.at] * (state.b ? weights[at] : 1) || 0, state.b ? inside.length : words.length);
        outline(word, 2, word.at === column);
      }
    });
    const at = lines.findIndex(({ has }) => has(column));
    const best = weights.indexOf(most);
    fill(note, t("in_sentence", {
      n: at + 1, weight: weightText(weights[at]), word: isolated(view.chart.key.text[column]),
      inside: weightText(inside[column]), best: best + 1, most: weightText(most),
    }));
    views.answer?.strike();
  },
});
