// Two lines of words with a curve for every link.

import { begun, fill, group, indices, inks, isPlain, make, max, offer, option, penOf, picture, quiet, register, select, shade, showMap, state, sum, t, view, views } from "../core/core.js";

const most = 400; // curves
const height = 150;
let drawn; // what the canvas shows

// The words of a side, each with its number among those that links are counted in, and
// its pieces.
const wordsOf = ({ text, words }) => words ?? indices(text).map((piece) => [piece, piece]);

// Words by words: summed over the pieces read, the mean over the pieces written.
// A row predicts its token; what the token itself was aligned with as an input stands
// one row below.
const wordWeights = ({ chart, weights }) => {
  const width = chart.wide;
  const shift = +(state.g === "input");
  const [queries, keys] = [wordsOf(chart.query), wordsOf(chart.key)];
  const table = queries.map(([, ...pieces]) => {
    const rows = pieces.map((piece) => piece + shift).filter((row) => row < chart.high);
    return keys.map(([, ...columns]) => {
      const sums = rows.map((row) => sum(columns.map((column) => weights[row * width + column] || 0)));
      return sum(sums) / (rows.length || 1);
    });
  });
  return { queries, keys, table };
};

const byWeight = (a, b) => b[0] - a[0];

// The fewest links that cover the share of each row, each a weight, a row and a column,
// the strongest of all rows first.
const linksOf = ({ table }, share, only) =>
  table.flatMap((row, q) => {
    if (only >= 0 && q !== only) return [];
    let left = share * sum(row) - 1e-6;
    return row.map((weight, k) => [weight, q, k]).sort(byWeight).filter(([weight]) => {
      left -= weight;
      return weight > 0 && left + weight > 0;
    });
  }).sort(byWeight);

const lineOf = (side, words) => {
  const { direction, flags, language, text } = view.chart[side];
  const spans = words.map(([, ...pieces]) => {
    const onclick = () => (side === "query" ? select(pieces[0], state.k) : select(state.q, pieces[0]));
    const kind = flags[pieces[0]] === "2" && "special";
    return make("bdi", { lang: language, class: kind, onclick }, pieces.map((piece) => text[piece]).join("").replace(/^▁(?=.)/, ""));
  });
  return make("div.words", { dir: direction }, ...spans);
};

const curve = (pen, from, to, width, colour, dash) => {
  begun(pen, colour, width, dash).moveTo(from, 0);
  pen.bezierCurveTo(from, height / 2, to, height / 2, to, height);
  pen.stroke();
};

// The share of a row that its links cover (p, percent), of one word only (w), the reading.
register("arcs", {
  choices: { p: 80, w: 0, g: "output" }, curve,

  fits: (plane) => isPlain(plane) && max(plane.chart.high, plane.chart.wide) <= 200,

  draw(box) {
    const words = wordWeights(view.plane);
    const [top, bottom] = [lineOf("key", words.keys), lineOf("query", words.queries)];
    const canvas = picture(0, height);
    const note = quiet();
    const again = (name) => ({ target }) => ((state[name] = +target.value), select(state.q, state.k));
    const share = make("input", { type: "range", min: 10, max: 100, step: 5, value: state.p, oninput: again("p") });
    const only = make("select", { onchange: again("w") }, option(0, t("all_words")), option(1, t("one_word")));
    const onchange = () => ((state.g = reading.value), showMap());
    const reading = make("select", { onchange });
    only.value = state.w;
    offer(reading, ["output", "input"], "reading_", state.g);
    const labelled = (name, control) => make("label", t(name), " ", control);
    const controls = make("p.scale", labelled("links_of", only), labelled("share", share), labelled("aligned", reading));
    const frame = group("arcs", t("tab_arcs"), make("div", top, canvas, bottom));
    fill(box, controls, frame, note);
    drawn = { words, canvas, note };
    const centre = (word) => word.offsetLeft + word.offsetWidth / 2 - top.offsetLeft;
    canvas.width = top.parentNode.offsetWidth;
    drawn.places = { keys: [...top.children].map(centre), queries: [...bottom.children].map(centre) };
  },

  mark(row) {
    const { canvas, note, places, words } = drawn;
    const chosen = words.queries.findIndex(([, ...pieces]) => pieces.includes(row));
    const all = linksOf(words, state.p / 100, state.w ? chosen : -1);
    const links = all.slice(0, most);
    const pen = penOf(canvas);
    const [, accent] = inks();
    pen.clearRect(0, 0, canvas.width, height);
    for (const [weight, q, k] of links.reverse()) {
      const colour = q === chosen ? accent : shade(max(0.2, weight));
      curve(pen, places.keys[k], places.queries[q], 0.75 + 7 * weight, colour);
    }
    const shownText = t(all.length > most ? "links_cut" : "links_shown", { n: links.length, total: all.length, p: state.p });
    fill(note, ...(view.chart.gold ? views.gold.ring(pen, drawn, state.w ? chosen : -1) : []), shownText);
  },
});
