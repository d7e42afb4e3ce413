// The links that people drew, beside those of a map, in the view of links.

import { begun, inks, make, register, t, views, weightText } from "../core/core.js";

// AER = 1 - (|A∩S| + |A∩P|) / (|A| + |S|); A: the strongest word for each written word.
const judge = ({ queries, keys, table }, gold) => {
  const name = (k, q) => `${k} ${q}`;
  const scored = (k) => !gold.scored || gold.scored.includes(k);
  const set = (links) => new Set(links.filter(([k]) => scored(k)).map((link) => name(...link)));
  const [sure, possible] = [set(gold.sure), set([...gold.sure, ...gold.possible])];
  const predicted = queries.flatMap(({ link: q }, row) => {
    if (q < 0) return [];
    let best = -1;
    keys.forEach(({ link }, k) => link >= 0 && table[row][k] > (best < 0 ? 0 : table[row][best]) && (best = k));
    return best < 0 || !scored(keys[best].link) ? [] : [name(keys[best].link, q)];
  });
  const right = predicted.filter((each) => possible.has(each)).length;
  const certain = predicted.filter((each) => sure.has(each)).length;
  const total = predicted.length + sure.size;
  return { sure, possible, predicted: new Set(predicted), right, wrong: predicted.length - right, rate: total ? 1 - (right + certain) / total : 0 };
};

const middle = 75; // of the height of links
const dot = (pen, x, radius, colour, dash) => begun(pen, colour, 2, dash).arc(x, middle, radius, 0, 7);

// A dot for a predicted link, a ring for one that people drew, of all words or of one
// (`only`, else -1); and how many are right.
const ring = (pen, { judged, places, words }, only) => {
  const { possible, predicted, rate, right, sure, wrong } = judged;
  const { curve } = views.arcs;
  const [ink] = inks();
  words.queries.forEach(({ link: q }, row) =>
    words.keys.forEach(({ link: k }, column) => {
      if (q < 0 || k < 0 || (only >= 0 && row !== only)) return;
      const link = `${k} ${q}`;
      const [found, gold] = [predicted.has(link), possible.has(link)];
      const x = (places.keys[column] + places.queries[row]) / 2;
      if (gold && !found) curve(pen, places.keys[column], places.queries[row], 1, ink, [4, 4]);
      if (gold) dot(pen, x, 7, ink, sure.has(link) ? [] : [2, 2]), pen.stroke();
      if (found) dot(pen, x, 3.5, ink), pen.fill();
    }),
  );
  return [make("b", t("judged", { right, wrong, rate: weightText(rate) })), ` ${t("rings")} `];
};

register("gold", { judge, ring });
