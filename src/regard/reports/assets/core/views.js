// What a page shows. A view is one file of assets/views, built into a
// bundle of its own, and one row of VIEWS in ../views.py, which says what data it needs.
// It imports from core.js alone and ends with one call:
//
//   register("name", { choices, start, open, maps, plane, show, look, ... });
//
// All parts are optional, and are called in the order of VIEWS:
//
//   choices         { x: 0 }: what the reader can choose in it, kept in `state` and in the
//                   address: whole numbers, or words of letters; no other view has an `x`
//   start()         once, before anything is drawn: make elements, listen to them
//   speak()         the language or the colours changed: write the texts of `start` anew
//   open()          an example was opened (view.example); may leave out some of view.maps
//   maps()          the maps on view changed (view.maps)
//   plane(plane)    one map is about to be shown: the plane to show instead of it
//   show()          a map was chosen (view.plane)
//   look(row, column)  a pair is pointed at or chosen
//
// A view that is a tab, named by the phrase `tab_name`, has besides:
//
//   called          the tab's name, if not the view's: two views may share one
//   fits(plane)     whether it can show this plane
//   opens(example)  whether such an example opens in it
//   draw(box)       draw view.plane into the empty box
//   mark(row, column)  mark a pair in what was drawn; called after each `draw`
//   beneath()       what stands below a picture of time: { canvas, box, mark(row, column) },
//                   the canvas, if any, on the same axis
//   hit(column)     a place of that picture was clicked
//   focus()         a key has moved the pair: put the focus on it

import { state, values } from "./state.js";

export const views = {};

export const register = (name, view) => {
  views[name] = { called: name, ...view };
  Object.assign(state, view.choices);
};

// Call one part of every view that has it.
export const all = (part, ...given) => values(views).forEach((view) => view[part]?.(...given));
