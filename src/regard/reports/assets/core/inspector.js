// The exact numbers of one cell, and the largest weights of its row.

import { $, abs, fill, isolated, make, number, t, terms, view, weightText } from "./state.js";
import { causeOf, causeText, label, quoted, seenBy, shareName, tokenText, topOf, weightAt, weightSaid } from "./tokens.js";

// A token, and how the tokenizer wrote it where that is another text.
const tokenOf = (side, index, name) => {
  const raw = view.chart[side].raw[index];
  const piece = raw ? [[`${name}, ${t("piece")}`, make("bdi", raw)]] : [];
  return [[name, label(side, index)], ...piece];
};

const numbersOf = (row, column) => {
  const { divergence, chart, scores, shares, signed } = view.plane;
  const cause = causeOf(row, column);
  const seen = seenBy(row);
  if (!seen) return [[t("weight"), t("no_keys")]];
  const weight = weightAt(row, column);
  const shown = [signed ? "B − A" : t("weight"), weightSaid(row, column)];
  if (weight === undefined) return [shown];
  if (cause) return [[t("masked"), causeText(cause)], shown];
  const apart = divergence ? [[t("divergence"), number(divergence[row], 4)]] : [];
  if (signed) return [shown, ...apart];
  const larger = (each) => weightAt(row, each) > weight;
  const cell = row * chart.wide + column;
  return [
    shown,
    ...apart,
    [t("rank"), `${1 + topOf(row, Infinity).filter(larger).length} / ${seen}`],
    [t("times_uniform"), `× ${number(weight * seen, 2)}`],
    ...shares.map(([name, part]) => [shareName(name), weightText(part[cell])]),
    ...(scores ? [[t("score"), number(scores[cell], 4)]] : []),
  ];
};

export const inspect = (row, column) => {
  const told = [...tokenOf("query", row, t("output")), ...tokenOf("key", column, t("source")), ...numbersOf(row, column)];
  const best = topOf(row, 5).map((each) =>
    make("tr", make("td", label("key", each)), make("td", weightText(weightAt(row, each)))),
  );
  const table = make("table", make("caption", t(view.plane.signed ? "top_changes" : "top")), ...best);
  fill($("told"), terms("dl", told), table);
};

let announced = 0;

// A status line for screen readers; holding an arrow key must not flood it.
export const announce = (row) => {
  clearTimeout(announced);
  announced = setTimeout(() => {
    const list = topOf(row, 3)
      .filter((column, index) => !index || abs(weightAt(row, column)) >= 0.005)
      .map((column) => quoted("key", column, weightAt(row, column)))
      .join(", ");
    const query = isolated(tokenText("query", row));
    fill($("live"), t(view.plane.signed ? "changes" : "reads", { query, list: list || t("no_keys") }));
  }, 200);
};
