// The exact numbers of one cell, and the largest weights of its row.

import { $, abs, fill, make, number, t, view, weightText } from "./state.js";
import { causeOf, causeText, label, seenBy, shareName, tokenText, topOf, weightAt } from "./tokens.js";

function entry(name, ...value) {
  return [make("dt", {}, name), make("dd", {}, ...value)];
}

function pieceOf(side, index, name) {
  const raw = view.plane.map[side].raw[index];
  return raw === undefined ? [] : entry(`${name}, ${t("piece")}`, make("bdi", {}, raw));
}

function numbersOf(row, column) {
  const { divergence, map, scores, shares, signed, top, tops } = view.plane;
  const cause = causeOf(row, column);
  const seen = seenBy(row);
  if (!seen) return entry(t("weight"), t("no_keys"));
  const weight = weightAt(row, column);
  if (weight === undefined) return entry(t("weight"), `≤ ${weightText(tops[(row + 1) * top - 1])}`);
  const shown = entry(signed ? "B − A" : t("weight"), weightText(weight));
  if (cause) return [...entry(t("masked"), causeText(cause)), ...shown];
  if (divergence) shown.push(...entry(t("divergence"), number(divergence[row], 4)));
  if (signed) return shown;
  const larger = (each) => weightAt(row, each) > weight;
  const rank = 1 + topOf(row, Infinity).filter(larger).length;
  shown.push(...entry(t("rank"), `${rank} / ${seen}`));
  shown.push(...entry(t("times_uniform"), `× ${number(weight * seen, 2)}`));
  for (const [name, part] of shares) shown.push(...entry(shareName(name), weightText(part[row * map.wide + column])));
  if (scores) shown.push(...entry(t("score"), number(scores[row * map.wide + column], 4)));
  return shown;
}

export function inspect(row, column) {
  const pair = make(
    "dl", {}, ...entry(t("output"), label("query", row)), ...pieceOf("query", row, t("output")),
    ...entry(t("source"), label("key", column)), ...pieceOf("key", column, t("source")),
    ...numbersOf(row, column),
  );
  const best = topOf(row, 5).map((each) =>
    make("tr", {}, make("td", {}, label("key", each)), make("td", {}, weightText(weightAt(row, each)))),
  );
  const table = make("table", {}, make("caption", {}, t(view.plane.signed ? "top_changes" : "top")), make("tbody", {}, ...best));
  fill($("inspector"), make("h3", { id: "pair" }, t("pair")), pair, table);
}

let announced = 0;

// A status line for screen readers; holding an arrow key must not flood it.
export function announce(row) {
  clearTimeout(announced);
  announced = setTimeout(() => {
    const isolate = (text) => `\u2068${text}\u2069`;
    const list = topOf(row, 3)
      .filter((column, index) => !index || abs(weightAt(row, column)) >= 0.005)
      .map((column) => `${isolate(tokenText("key", column))} ${number(weightAt(row, column), 2)}`)
      .join(", ");
    const query = isolate(tokenText("query", row));
    $("live").textContent = t(view.plane.signed ? "changes" : "reads", { query, list: list || t("no_keys") });
  }, 200);
}
