"""A real browser, driven through a pipe: what it asks for, says, shows, and answers."""

import json
import os
import subprocess
from pathlib import Path

from tests.reports.browser import CHROMIUM

_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
    "--no-first-run", "--hide-scrollbars",
)  # fmt: skip
# Once the page has drawn: its chosen pair, that there is nothing to show, or steps.
_DRAWN = """new Promise((done, fail) => { let left = 200; const look = () => {
  const drawn = document.querySelector(
    "#inspector dd, #nothing:not([hidden]), main:not([hidden]) #rail li");
  if (drawn) setTimeout(done, 60);
  else if (left--) setTimeout(look, 25);
  else fail("nothing was drawn"); }; look(); })"""
_KEYS = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39, "ArrowDown": 40}


class Browser:
    """One page in one browser; ``events`` holds what the browser reported."""

    def __init__(self, profile: Path):
        theirs, self._out = os.pipe()
        self._in, back = os.pipe()
        command = [CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}"]
        # The browser reads from its descriptor 3 and writes to 4.
        wrapped = ["bash", "-c", f'exec "$@" 3<&{theirs} 4>&{back}', "bash", *command]
        self._process = subprocess.Popen(
            wrapped, pass_fds=(theirs, back), stderr=subprocess.DEVNULL
        )
        os.close(theirs), os.close(back)
        self._count, self._rest, self.events = 0, b"", []
        self._session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        """One command; its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _receive(self):
        while b"\0" not in self._rest:
            part = os.read(self._in, 1 << 16)
            assert part, "the browser ended"
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def open(self, path, place="", width=1300, height=900, dark=False, still=False):
        """Show a page at a place, in a window of this size."""
        self.events.clear()
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        media = {"prefers-color-scheme": "dark" if dark else "light"}
        media["prefers-reduced-motion"] = "reduce" if still else "no-preference"
        features = [{"name": name, "value": value} for name, value in media.items()]
        self.send("Emulation.setEmulatedMedia", features=features)
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=f"file://{path}#{place}")
        self.ask(_DRAWN)

    def ask(self, expression):
        """The value of a JavaScript expression; promises are awaited."""
        found = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True,
            returnByValue=True,
        )  # fmt: skip
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key):
        """A key on the keyboard, as the browser itself takes it."""
        code = _KEYS.get(key, ord(key[0].upper()))
        more = {"key": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if key == "a" else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **more, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **more)

    def drag(self, query, start, end=None):
        """Press on a place of an element and let go at another, or at the same."""
        left, top = self.ask(
            f"(() => {{ const e = document.querySelector({json.dumps(query)});"
            "e.scrollIntoView(); const box = e.getBoundingClientRect();"
            "return [box.left, box.top]; })()"
        )
        places = [(left + x, top + y) for x, y in (start, end or start)]
        held = {"button": "left", "clickCount": 1}
        for kind, (x, y), buttons in (
            ("mousePressed", places[0], 1),
            *([("mouseMoved", places[1], 1)] if end else []),
            ("mouseReleased", places[1], 0),
        ):
            self.send(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, buttons=buttons, **held
            )

    def named(self, *methods):
        """The events of these names since the page was opened."""
        return [each for each in self.events if each.get("method") in methods]

    def close(self):
        self._process.terminate()
        self._process.wait(timeout=20)
        os.close(self._out), os.close(self._in)
