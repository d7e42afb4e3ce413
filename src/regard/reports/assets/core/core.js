// The page without its views: what a view may use, the most used first.

export { $, abs, begun, ceil, clamp, data, each, entries, examples, fill, finite, floor, group, held, indices, isolated, make, max, min, number, offer, on, option, painted, pasted, penOf, picture, press, quiet, range, round, state, sum, svg, t, terms, values, view, weightText } from "./state.js";
export { axes, causeOf, causeText, isPlain, label, quoted, seenBy, shareName, tokenText, topOf, weightAt, weightSaid } from "./tokens.js";
export { everything, pixelsOf, pooled, spanOf } from "./blocks.js";
export { all, register, views } from "./views.js";
export { inks, isDark, paint, shade } from "./colour.js";
export { look, moveOf, select, showMap, showMaps } from "./selection.js";
export { planeOf, reader } from "./unpack.js";
export { drawPictures, moveInGrid } from "./pictures.js";
export { scoreText, showExample, start } from "./main.js";
export { colourWord, running } from "./tokens.js";
