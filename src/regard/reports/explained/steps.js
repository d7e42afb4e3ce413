// The steps of one row: which is on view, its formula, numbers, bars and check.

const $ = (id) => document.getElementById(id);
const make = (tag, attributes = {}, text = "") => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  if (text) element.textContent = text;
  return element;
};
let data;
const state = { e: 0, q: 0, h: 0, step: 0, lang: document.documentElement.lang, exact: true, theme: "" };

const t = (key, values = {}) =>
  data.phrases[state.lang][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const row = () => data.rows[state.e][state.h][state.q];
const steps = () => row().steps;
const kind = (step) => data.kinds[step.kind];
// In Russian: a decimal comma, lists between semicolons, powers of ten as by hand.
const raised = (digits) => [...digits].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
const local = (text) => (state.lang !== "ru" ? text : text.replace(".", ",")
  .replace(/e([-+])(\d+)/, (_, sign, digits) => `·10${sign === "-" ? "⁻" : ""}${raised(digits)}`));
const marked = (formula) => {
  if (state.lang !== "ru" || !/<mn>\d+\.\d/.test(formula)) return formula;
  return formula.replace(/(<mn>\d+)\.(?=\d)/g, "$1,").replaceAll("<mo>,</mo>", "<mo>;</mo>");
};
const shown = (value) => {
  if (value === null) return "NaN";
  if (typeof value === "string") return value;
  const size = Math.abs(value);
  const text = size && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return local(text).replaceAll("-", "−");
};

// Rows hold numbers of steps and of vectors, which the page keeps once.
function unshared(found) {
  const { steps, vectors } = found;
  for (const step of steps) step.value = vectors[step.value];
  for (const each of found.rows.flat(2)) each.steps = each.steps.map((number) => steps[number]);
  found.values = found.values.map((heads) => heads.map((head) => head.map((number) => vectors[number])));
  return found;
}

function drawChoice() {
  $("queries").dir = data.directions[state.e];
  $("queries").replaceChildren(...data.queries[state.e].map((token, number) => {
    const button = make("button", { type: "button", "aria-pressed": String(number === state.q) });
    button.append(make("bdi", {}, token));
    button.onclick = () => choose({ q: number });
    return button;
  }));
  $("head").value = state.h;
  $("example").value = state.e;
}

function drawRail() {
  $("rail").replaceChildren(...steps().map((step, number) => {
    const item = make("li");
    const button = make("button", {
      type: "button", "data-role": kind(step).role, "aria-current": number === state.step ? "step" : undefined,
    }, kind(step).title[state.lang]);
    button.onclick = () => choose({ step: number });
    item.append(button);
    return item;
  }));
}

function drawStep() {
  const step = steps()[state.step];
  const about = kind(step);
  $("step-title").textContent = `${state.step + 1}. ${about.title[state.lang]}`;
  $("sentence").textContent = step.sentence[state.lang];
  $("formula").innerHTML = marked(about.formula); // MathML made of the card alone
  $("numbers").innerHTML = marked(step.numbers); // MathML made of numbers alone
  $("formula").hidden = !about.formula;
  $("numbers").hidden = !step.numbers;
  $("of").textContent = step.numbers && step.of ? `${t("for")} ${step.of[state.lang]}:` : "";
  $("step").dataset.role = about.role;
  $("shapes").textContent = `${t("shapes")}: ${step.shapes}`;
  drawBars(step);
  $("check").textContent = step.check ? step.check.text[state.lang] : t("no_check");
  $("check").className = `exact ${step.check?.failed ? "failed" : "quiet"}`;
  $("counted").textContent = t("counted", row().counted);
  $("counted").className = row().counted.failed ? "failed" : "quiet";
  $("back").disabled = !state.step;
  $("forth").disabled = state.step === steps().length - 1;
}

function drawBars(step) {
  const each = step.perKey;
  const labels = each ? data.keys[state.e] : step.value.map((_, place) => String(place));
  const kinds = step.value.map((_, place) => {
    if (!each) return "";
    return (row().seen[place] ? "" : " hidden") + (place === row().strongest ? " strongest" : "");
  });
  $("bars").replaceChildren(...bars(step.value, labels, kinds));
  if (step.more) $("bars").append(make("p", { class: "quiet" }, t("more", { n: step.more })));
  const terms = step.terms;
  $("terms").replaceChildren();
  if (!terms.length) return;
  const names = terms.map(([place]) => `[${place}]`);
  $("terms").append(make("p", { class: "quiet" }, t("terms")), ...bars(terms.map((term) => term[1]), names, []));
}

function bars(values, labels, kinds) {
  const numbers = values.map((value) => (typeof value === "number" ? value : 0));
  const [low, high] = [Math.min(0, ...numbers), Math.max(0, ...numbers)];
  const span = high - low || 1;
  return values.map((value, place) => {
    const bar = make("div", { class: `bar${kinds[place] ?? ""}` });
    const track = make("div", { class: "track", "aria-hidden": "true" });
    const fill = make("i");
    const from = Math.min(numbers[place], 0);
    fill.style.insetInlineStart = `${(100 * (from - low)) / span}%`;
    fill.style.width = `${(100 * Math.abs(numbers[place])) / span}%`;
    track.append(fill);
    bar.append(make("bdi", {}, labels[place] ?? t("own_key")), track, make("output", {}, shown(value)));
    return bar;
  });
}

function draw() {
  document.documentElement.lang = state.lang;
  if (state.theme) document.documentElement.dataset.theme = state.theme;
  document.body.className = state.exact ? "" : "simple";
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", t(each.dataset.label));
  $("language").textContent = state.lang === "ru" ? "English" : "Русский";
  $("language").lang = state.lang === "ru" ? "en" : "ru";
  $("exact").setAttribute("aria-pressed", String(state.exact));
  $("play").textContent = t(playing ? "pause" : "play");
  $("title").textContent = document.title = data.title[state.lang];
  const count = data.rows[state.e].length;
  $("head").replaceChildren(...data.heads.map((number, place) => make("option", { value: place }, String(number))));
  $("example").replaceChildren(...data.examples.map((number, place) => make("option", { value: place }, String(number))));
  $("head").parentElement.hidden = count < 2;
  $("example").parentElement.hidden = data.rows.length < 2;
  drawChoice();
  drawRail();
  drawStep();
  drawWhatIf();
}

function choose(change) {
  const newRow = ["e", "q", "h"].some((name) => name in change && change[name] !== state[name]);
  Object.assign(state, change);
  state.q = Math.min(state.q, data.rows[state.e][state.h].length - 1);
  state.step = Math.max(0, Math.min(state.step, steps().length - 1));
  if (newRow) resetWhatIf();
  history.replaceState(null, "", `#e=${state.e}&h=${state.h}&q=${state.q}&step=${state.step}`);
  const focused = document.activeElement && document.activeElement.closest("#rail, #queries");
  draw();
  if (focused) (focused.querySelector('[aria-current="step"], [aria-pressed="true"]') ?? focused).focus();
}
