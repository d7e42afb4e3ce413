// Tokens as text, and the two rows of them in which the reader chooses a pair.

import { paint } from "./colour.js";
import { $, abs, clamp, fill, indices, isolated, make, max, min, number, press, round, sqrt, state, t, view, weightText } from "./state.js";
import { moveOf, select } from "./selection.js";
import { seenOf } from "./unpack.js";

const most = 160; // tokens in a row of buttons; of longer sequences the nearest

export const label = (side, index) => {
  const { flags, language, direction, text } = view.chart[side];
  const kind = { 1: "joins", 2: "special" }[flags[index]];
  return make("bdi", { class: kind, lang: language, dir: direction }, text[index]);
};

// Keys as running text of which a click chooses one, and its words, which know theirs.
export const running = (tag, attributes, columns) => {
  const words = columns.map((column) => {
    const word = label("key", column);
    word.at = column;
    word.onclick = () => select(state.q, column);
    return word;
  });
  return { words, text: make(tag + ".running", attributes, ...words.flatMap((word) => [word, " "])) };
};

// A word by its weight: background for the eye, underline as a second code.
export const colourWord = (word, value, seen) => {
  paint(word, abs(value), seen).style.borderBottom = `${round(6 * sqrt(abs(value)))}px ${value < 0 ? "dotted" : "solid"} var(--ink)`;
};

export const tokenText = (side, index) => {
  const { flags, text } = view.chart[side];
  return (flags[index] === "1" ? "‑" : "") + text[index];
};

// A token with a number of its.
export const quoted = (side, index, value) => `${isolated(tokenText(side, index))} ${number(value, 2)}`;

export const causeOf = (row, column) => {
  const { masks, chart } = view.plane;
  const code = masks ? masks[row * chart.wide + column] : 0;
  return code ? chart.causes[code - 1] : "";
};

export const causeText = (cause) => t("masked_by", { cause: t("cause_" + cause, {}, cause) });

// Whether a plane is of the weights themselves, all of them, and not of time.
export const isPlain = ({ chart, signed }) => !signed && !chart.outlined && !view.example.timeline;

export const shareName = (name) => t("share_" + name, {}, name);

export const axes = () => {
  return `${t("rows")} · ${t(view.chart.mirrored ? "columns_rtl" : "columns")}`;
};

// A weight, or undefined where an outline did not keep it.
export const weightAt = (row, column) => {
  const { found, chart, weights } = view.plane;
  return found ? found(row, column) : weights[row * chart.wide + column];
};

// The same in words; a weight that was not kept is not above those of its row that were.
export const weightSaid = (row, column) => {
  const weight = weightAt(row, column);
  return weight === undefined ? `≤ ${weightText(view.plane.least(row))}` : weightText(weight);
};

export const seenBy = (row) => seenOf(view.plane)[row];

// The largest weights of a row: columns, best first.
export const topOf = (row, count) => {
  const { kept, chart } = view.plane;
  const all = kept ? [...kept(row)] : chart.columns;
  const size = (column) => abs(weightAt(row, column));
  const known = all.filter((column) => !causeOf(row, column) && size(column) > 0);
  return known.sort((a, b) => size(b) - size(a)).slice(0, count);
};

const drawSide = (side, box, chosen) => {
  const { text, direction } = view.chart[side];
  const first = text.length > most ? clamp(chosen - most / 2, text.length - most + 1) : 0;
  if (box.chart === view.chart && box.begin === first) return;
  const buttons = indices(text).slice(first, first + most).map((index) => {
    const pick = () => (side === "query" ? select(index, topOf(index, 1)[0] ?? 0) : select(state.q, index));
    return make("button.token", { "data-index": index, onclick: pick }, label(side, index));
  });
  fill(box, first ? "…" : "", ...buttons, first + most < text.length ? "…" : "");
  [box.dir, box.chart, box.begin] = [direction, view.chart, first];
};

// A chosen token must be seen in its row, without the page being scrolled.
const uncover = (button) => {
  const box = button.parentNode;
  const place = button.offsetTop - box.offsetTop;
  box.scrollTop = min(place - 8, max(box.scrollTop, place + button.offsetHeight - box.clientHeight));
};

export const markTokens = (row, column) => {
  drawSide("query", $("queries"), row);
  drawSide("key", $("keys"), column);
  for (const button of $("queries").children) {
    const chosen = +button.dataset.index === row;
    press(button, chosen);
    if (chosen) uncover(button);
  }
  const seen = seenBy(row);
  for (const button of $("keys").children) {
    const index = +button.dataset.index;
    const [chosen, masked] = [index === column, causeOf(row, index)];
    button.classList.toggle("masked", masked);
    button.tabIndex = chosen ? 0 : -1;
    if (chosen) uncover(button);
    const weight = weightAt(row, index);
    if (masked || weight === undefined) button.style = "";
    else paint(button, weight || 0, seen);
  }
};

// The arrows in a line of buttons, tokens or tabs, choose the next; tabs go around.
export const stepInLine = (_, event) => {
  const move = moveOf(event, /Left|Right/)?.[1];
  if (!move) return;
  const box = event.currentTarget;
  const buttons = [...box.children];
  const at = buttons.indexOf(event.target) + (box.dir === "rtl" ? -move : move);
  const next = box.id === "tabs" ? (at + buttons.length) % buttons.length : at;
  buttons[next]?.click();
  box.querySelector("[tabindex='0']").focus();
};
