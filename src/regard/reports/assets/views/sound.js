// Sound under its picture: the span of a token, or what is around a place, is cut out of
// the samples of the file and played as a data URI.

import { $, fill, make, max, min, number, register, round, state, t, view } from "../core/core.js";

const around = 0.25; // seconds before and after a place that no token was said at
const player = new Audio();

// From where to where, in seconds, is heard at a key.
const spanAt = (key) => {
  const { keys, seconds } = view.example.timeline;
  const said = view.chart.spans?.find((span) => span && span[0] <= key && key < span[1]);
  if (said) return said.map((at) => at * seconds);
  const middle = (key + 0.5) * seconds;
  return [max(0, middle - around), min(keys * seconds, middle + around)];
};

// A WAV file, 16-bit mono: eleven numbers and the samples.
const fileOf = (from, to) => {
  const { rate, samples, start } = view.example.timeline.audio;
  const [first, last] = [from, to].map((time) => min(samples, round(time * rate)));
  const size = 2 * (last - first);
  const head = [0x46464952, size + 36, 0x45564157, 0x20746d66, 16, 0x10001, rate, 2 * rate, 0x100002, 0x61746164, size];
  return new Blob([Uint32Array.from(head), new Uint8Array(view.chart.stored, start + 2 * first, size)], { type: "audio/wav" });
};

const play = (key) => {
  if (!view.example.timeline.audio) return;
  const reader = new FileReader();
  reader.onload = () => {
    player.src = reader.result;
    // Aborted is what another span has taken the place of.
    player.play().catch(({ name, message }) => name === "AbortError" || fill($("live"), message));
  };
  reader.readAsDataURL(fileOf(...spanAt(key)));
};

register("sound", {
  hit: play,

  beneath() {
    if (!view.example.timeline.audio) return [];
    const box = make("button", { onclick: () => play(state.k) });
    const mark = (_, column) => {
      const [from, to] = spanAt(column).map((time) => number(time, 2));
      fill(box, t("play_span", { from, to }));
    };
    return { box, mark };
  },
});
