// The page put together: what changes when the reader chooses something.

function drawTokens(side, box, pressed) {
  const buttons = [...plane.map[side].keys()].map((index) => {
    const button = make("button", {
      type: "button", class: "token", "data-index": index,
      tabindex: index === pressed ? "0" : "-1",
      onclick: () => (side === "query" ? select(index, topOf(index, 1)[0] ?? 0) : select(state.q, index)),
    });
    button.append(label(side, index));
    return button;
  });
  fill(box, ...buttons).dir = plane.map[side + "Direction"];
}

function stepInTokens(event) {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!move) return;
  event.preventDefault();
  const box = event.currentTarget;
  const index = Number(document.activeElement.dataset.index) + (box.dir === "rtl" ? -move : move);
  const next = box.children[index];
  next?.click();
  next?.focus();
}

function markTokens(row, column) {
  for (const button of $("queries").children) {
    const chosen = Number(button.dataset.index) === row;
    button.setAttribute("aria-pressed", chosen);
    button.tabIndex = chosen ? 0 : -1;
  }
  for (const button of $("keys").children) {
    const index = Number(button.dataset.index);
    button.classList.toggle("masked", Boolean(causeOf(row, index)));
    button.tabIndex = index === column ? 0 : -1;
    if (causeOf(row, index)) button.removeAttribute("style");
    else paint(button, weightAt(row, index) || 0);
  }
}

// Looking changes what is marked; selecting also changes the state and the address.
function look(row, column) {
  if (picture) markPicture(row, column);
  else markTable(row, column);
  markTokens(row, column);
  inspect(row, column);
}

function select(row, column) {
  const before = cellAt(state.q, state.k);
  if (before) before.tabIndex = -1;
  [state.q, state.k] = [row, column];
  const cell = cellAt(row, column);
  if (cell) cell.tabIndex = 0;
  look(row, column);
  announce(row);
  writeHash();
}

function drawPattern() {
  const map = plane.map;
  const at = state.h >= 0 ? state.h : map.heads.length;
  const words = map.said[at].map((word) => t(word));
  words.push(t("effective", { n: number(map.effective[at], 1) }));
  $("pattern").textContent = `${t("pattern")}: ${words.join("; ")}.`;
}

function drawChoice() {
  const { maps } = current;
  const heads = maps[state.m].heads;
  const option = (value, text) => make("option", { value }, text);
  fill($("layer"), ...maps.map((map, index) => option(index, map.layer || String(index + 1))));
  const mean = heads.length > 1 ? [option(-1, t("average"))] : [];
  fill($("head"), ...mean, ...heads.map((name, index) => option(index, name)));
  [$("layer").value, $("head").value] = [state.m, state.h];
  $("choice").hidden = maps.length * heads.length === 1 && !maps[0].layer;
}

function showMap() {
  const clamp = (value, low, size) => Math.min(size - 1, Math.max(low, value));
  state.m = clamp(state.m, 0, current.maps.length);
  const map = current.maps[state.m];
  state.h = clamp(state.h, map.heads.length > 1 ? -1 : 0, map.heads.length);
  plane = planeOf(map, state.h);
  picture = null;
  drawChoice();
  drawPattern();
  drawLegend();
  drawTokens("query", $("queries"), state.q);
  drawTokens("key", $("keys"), state.k);
  const rows = clamp(state.q, 0, map.query.length);
  const best = state.k < 0 ? (topOf(rows, 1)[0] ?? 0) : state.k;
  const columns = clamp(best, 0, map.key.length);
  if (Math.max(map.query.length, map.key.length) > largest) drawPicture();
  else drawTable();
  select(rows, columns);
}

function drawTexts() {
  const { example } = current;
  const text = (name, value, language, kind) => [
    make("dt", {}, t(name)),
    make("dd", { class: kind, lang: language || undefined, dir: "auto" }, value),
  ];
  const scores = scoreText(example);
  fill(
    $("texts"),
    ...text("source", example.source, example.sourceLanguage),
    ...text("output", example.output, example.outputLanguage, "out"),
    ...example.references.flatMap((each) => text("reference", each, example.outputLanguage)),
    ...(scores ? [make("dt"), make("dd", { class: "quiet" }, scores)] : []),
  );
  $("heading").textContent = t("example", { n: state.e + 1, total: data.examples.length });
}

async function showExample(index, keep = false) {
  state.e = Math.min(data.examples.length - 1, Math.max(0, index));
  if (!keep) [state.q, state.k] = [0, -1];
  const maps = await mapsOf(state.e);
  current = { example: data.examples[state.e], maps: maps.filter((map) => map.query.length && map.key.length) };
  $("view").hidden = !current.maps.length;
  $("nothing").hidden = Boolean(current.maps.length);
  drawTexts();
  markInList();
  if (current.maps.length) showMap();
  else writeHash();
}

function drawPhrases() {
  document.documentElement.lang = state.lang;
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  $("language").textContent = state.lang === "ru" ? "English" : "Русский";
  $("language").lang = state.lang === "ru" ? "en" : "ru";
  const facts = [data.error ? t("stored", { error: data.error.toPrecision(1) }) : t("stored_exact")];
  if (data.leftOut) facts.push(t("left_out", { n: data.leftOut }));
  $("stored").textContent = facts.join(" ");
  const option = (value) => make("option", { value }, t("scale_" + value));
  fill($("scale"), ...Object.keys(transfers).map(option)).value = state.scale;
  drawSort();
  drawList();
}

function redraw() {
  if (state.theme) document.documentElement.dataset.theme = state.theme;
  drawPhrases();
  return data.examples.length ? showExample(state.e, true) : undefined;
}

function listen() {
  $("search").addEventListener("input", drawList);
  $("sort").addEventListener("change", drawList);
  $("back").addEventListener("click", () => turn(-1));
  $("forth").addEventListener("click", () => turn(1));
  $("matrix").addEventListener("keydown", moveByKey);
  for (const id of ["queries", "keys"]) $(id).addEventListener("keydown", stepInTokens);
  const change = (id, apply) => $(id).addEventListener("change", () => (apply($(id).value), showMap()));
  change("layer", (value) => (state.m = Number(value)));
  change("head", (value) => (state.h = Number(value)));
  change("scale", (value) => (state.scale = value));
  $("language").addEventListener("click", () => ((state.lang = state.lang === "ru" ? "en" : "ru"), redraw()));
  $("theme").addEventListener("click", () => ((state.theme = isDark() ? "light" : "dark"), redraw()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("hashchange", () => (readHash(), redraw()));
}

readHash();
for (const hidden of document.querySelectorAll(".page, .switches")) hidden.hidden = false;
if (typeof DecompressionStream === "undefined") {
  fill(document.querySelector(".page"), t("old_browser"));
} else {
  listen();
  redraw();
}
