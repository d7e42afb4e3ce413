// The page without its views: what a view may use.

export { everything, pixelsOf, pooled } from "./blocks.js";
export { inks, isDark, paint, shade } from "./colour.js";
export { scoreText, showExample, start } from "./main.js";
export { drawPictures, moveInGrid } from "./pictures.js";
export { look, select, showMap, showMaps } from "./selection.js";
export { $, abs, ceil, clamp, data, fill, floor, make, max, min, number, on, option, state, svg, t, view, weightText } from "./state.js";
export { axes, causeOf, causeText, label, seenBy, shareName, tokenText, topOf, weightAt } from "./tokens.js";
export { decoded, numbersAt, planeOf } from "./unpack.js";
export { all, register, views } from "./views.js";
