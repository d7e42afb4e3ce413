"""Chromium for the tests of the page."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

# Runs inside a copy of the page once it has drawn, and leaves its answer there.
ASK = """<script>
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true }));
const text = (query) => [...document.querySelectorAll(query)].map((e) => e.textContent);
addEventListener("load", () => setTimeout(async () => {
  let answer;
  try { answer = await (async () => { %s })(); }
  catch (error) { answer = String(error); }
  const box = document.createElement("pre");
  box.id = "answer";
  box.textContent = JSON.stringify(answer);
  document.body.append(box);
}, 500));
</script></body>"""
