// What the weights would be: softmax once more, on scores that the reader changed.

let playing = 0;
let toy;

function resetWhatIf() {
  toy = { temperature: 0, unscaled: false, seen: row().seen.slice(), swap: [-1, -1] };
}

function softmax(scores, seen) {
  const high = Math.max(...scores.filter((_, place) => seen[place]));
  const parts = scores.map((score, place) => (seen[place] ? Math.exp(score - high) : 0));
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => (total ? part / total : 0));
}

function contextNorm(weights) {
  const values = data.values[state.e][state.h];
  const context = values[0].map((_, d) => weights.reduce((sum, weight, j) => sum + weight * values[j][d], 0));
  return Math.hypot(...context);
}

// Which key's k stands at each place: two may have exchanged theirs.
function keyPlaces() {
  const places = row().scores.map((_, place) => place);
  const [one, other] = toy.swap;
  if (one >= 0 && other >= 0) [places[one], places[other]] = [other, one];
  return places;
}

function toyWeights() {
  const factor = (toy.unscaled ? 1 / data.scale : 1) / Math.exp(toy.temperature);
  return softmax(keyPlaces().map((place) => row().scores[place] * factor), toy.seen);
}

const nameOf = (place) => data.keys[state.e][place] ?? t("own_key");

function drawSwap() {
  $("swap").hidden = !row().swaps;
  for (const [which, id] of ["swap-one", "swap-other"].entries()) {
    const places = row().scores.map((score, place) => place).filter((place) => typeof row().scores[place] === "number");
    const options = places.map((place) => make("option", { value: place }, `${place}: \u2068${nameOf(place)}\u2069`));
    $(id).replaceChildren(make("option", { value: -1 }, "–"), ...options);
    $(id).value = toy.swap[which];
    $(id).onchange = () => { toy.swap[which] = Number($(id).value); drawWhatIf(); };
  }
}

function drawWhatIf() {
  $("what-if").hidden = !data.toy;
  $("no-what-if").hidden = data.toy;
  if (!data.toy) return;
  $("scale-label").hidden = !data.scale;
  drawSwap();
  $("temperature").value = toy.temperature;
  $("scale").checked = toy.unscaled;
  $("temperature-value").textContent = shown(Math.exp(toy.temperature));
  const before = row().weights;
  const after = toyWeights();
  const places = keyPlaces();
  $("keys").replaceChildren(...before.map((weight, place) => {
    const line = make("tr", { class: toy.seen[place] ? "" : "hidden" });
    const name = make("th", { scope: "row" });
    const label = nameOf(place);
    name.append(make("bdi", {}, label));
    if (places[place] !== place) name.append(" ", make("span", { class: "quiet" }, t("swapped", { name: `\u2068${nameOf(places[place])}\u2069` })));
    const box = make("input", { type: "checkbox", "aria-label": `${t("seen_column")}: ${label}` });
    box.checked = toy.seen[place];
    box.disabled = !row().seen[place];
    box.onchange = () => {
      toy.seen[place] = box.checked;
      drawWhatIf();
      $("keys").querySelectorAll("input")[place].focus();
    };
    const cell = make("td");
    cell.append(box);
    const wide = make("td", { class: "wide" });
    const track = make("div", { class: "track", "aria-hidden": "true" });
    const fill = make("i");
    fill.style.width = `${100 * after[place]}%`;
    track.append(fill);
    wide.append(track);
    line.append(name, cell, make("td", { class: "number" }, shown(weight)), make("td", { class: "number" }, shown(after[place])), wide);
    return line;
  }));
  $("norm").textContent = t("norm", { before: shown(contextNorm(before)), after: shown(contextNorm(after)) });
}

function listen() {
  const press = (id, action) => { $(id).onclick = action; };
  press("back", () => choose({ step: state.step - 1 }));
  press("forth", () => choose({ step: state.step + 1 }));
  press("exact", () => choose({ exact: !state.exact }));
  press("language", () => choose({ lang: state.lang === "ru" ? "en" : "ru" }));
  press("theme", () => choose({ theme: dark() ? "light" : "dark" }));
  press("reset", () => { resetWhatIf(); drawWhatIf(); });
  press("play", () => (playing ? pause() : play()));
  $("head").onchange = () => choose({ h: Number($("head").value) });
  $("example").onchange = () => choose({ e: Number($("example").value), q: 0 });
  $("temperature").oninput = () => { toy.temperature = Number($("temperature").value); drawWhatIf(); };
  $("scale").onchange = () => { toy.unscaled = $("scale").checked; drawWhatIf(); };
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowRight") choose({ step: state.step + 1 });
    else if (event.key === "ArrowLeft") choose({ step: state.step - 1 });
    else if (/^[1-9]$/.test(event.key)) choose({ step: Number(event.key) - 1 });
    else return;
    event.preventDefault();
  });
}

const dark = () =>
  state.theme ? state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

function play() {
  if (state.step === steps().length - 1) state.step = -1;
  playing = setInterval(() => {
    choose({ step: state.step + 1 });
    if (state.step === steps().length - 1) pause();
  }, 2500);
  choose({ step: state.step + 1 });
}

function pause() {
  clearInterval(playing);
  playing = 0;
  draw();
}

async function start() {
  data = unshared(JSON.parse(new TextDecoder().decode(await unpack("data"))));
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const name of ["e", "h", "q", "step"]) {
    if (asked.has(name)) state[name] = Number(asked.get(name)) || 0;
  }
  state.e = Math.min(Math.max(0, state.e), data.rows.length - 1);
  state.h = Math.min(Math.max(0, state.h), data.rows[state.e].length - 1);
  if (!asked.has("q")) state.q = data.start;
  state.q = Math.min(Math.max(0, state.q), data.rows[state.e][state.h].length - 1);
  state.step = Math.min(Math.max(0, state.step), steps().length - 1);
  resetWhatIf();
  listen();
  draw();
  document.querySelector("main").hidden = false;
  document.querySelector(".switches").hidden = false;
}
start();
