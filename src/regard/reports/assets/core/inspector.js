// The exact numbers of one cell, and the largest weights of its row.

import { $, abs, fill, isolated, make, number, t, terms, view, weightText } from "./state.js";
import { causeOf, causeText, label, seenBy, shareName, tokenText, topOf, weightAt } from "./tokens.js";

// How the tokenizer wrote it, where that is another text.
const pieceOf = (side, index, name) => {
  const raw = view.map[side].raw[index];
  return raw === undefined ? [] : [[`${name}, ${t("piece")}`, make("bdi", raw)]];
};

const numbersOf = (row, column) => {
  const { divergence, map, scores, shares, signed, top, tops } = view.plane;
  const cause = causeOf(row, column);
  const seen = seenBy(row);
  if (!seen) return [[t("weight"), t("no_keys")]];
  const weight = weightAt(row, column);
  if (weight === undefined) return [[t("weight"), `≤ ${weightText(tops[(row + 1) * top - 1])}`]];
  const shown = [signed ? "B − A" : t("weight"), weightText(weight)];
  if (cause) return [[t("masked"), causeText(cause)], shown];
  const apart = divergence ? [[t("divergence"), number(divergence[row], 4)]] : [];
  if (signed) return [shown, ...apart];
  const larger = (each) => weightAt(row, each) > weight;
  const cell = row * map.wide + column;
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
  const [output, source] = [t("output"), t("source")];
  const pair = terms("dl", [
    [output, label("query", row)], ...pieceOf("query", row, output),
    [source, label("key", column)], ...pieceOf("key", column, source),
    ...numbersOf(row, column),
  ]);
  const best = topOf(row, 5).map((each) =>
    make("tr", make("td", label("key", each)), make("td", weightText(weightAt(row, each)))),
  );
  const table = make("table", make("caption", t(view.plane.signed ? "top_changes" : "top")), make("tbody", ...best));
  fill($("inspector"), make("h3", { id: "pair" }, t("pair")), pair, table);
};

let announced = 0;

// A status line for screen readers; holding an arrow key must not flood it.
export const announce = (row) => {
  clearTimeout(announced);
  announced = setTimeout(() => {
    const list = topOf(row, 3)
      .filter((column, index) => !index || abs(weightAt(row, column)) >= 0.005)
      .map((column) => `${isolated(tokenText("key", column))} ${number(weightAt(row, column), 2)}`)
      .join(", ");
    const query = isolated(tokenText("query", row));
    fill($("live"), t(view.plane.signed ? "changes" : "reads", { query, list: list || t("no_keys") }));
  }, 200);
};
