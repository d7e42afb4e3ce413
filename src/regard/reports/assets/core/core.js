// The page without its views: what a view may use.

export { everything, pixelsOf, pooled } from "./blocks.js";
export { inks, isDark, paint, shade } from "./colour.js";
export { start } from "./main.js";
export { axes } from "./matrix.js";
export { look, select, showMap, showMaps } from "./selection.js";
export { $, clamp, data, fill, listen, make, number, option, state, t, view, weightText } from "./state.js";
export { causeOf, label, seenBy, shareName, tokenText, topOf, weightAt } from "./tokens.js";
export { decoded, numbersAt, planeOf } from "./unpack.js";
export { register } from "./views.js";
