"""Small grey pictures of every view, in four looks, beside the ones that are kept.

    make pictures        # or: python -m tests.reports.picturing

draws those in ``pictures`` anew. Each file is one view: light, dark, with words from
right to left, and 400 pixels wide. They are compared blurred, tile by tile: letters
drawn a little otherwise make no difference, a view that lost what it drew makes one.
Fonts of other widths move everything, so that of a line is kept beside the pictures.
"""

import base64
import io
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

import regard
from regard import layers
from regard.reports import write_report
from tests.reports.chromium import Browser
from tests.reports.gallery import VIEWS, gallery

FOLDER = Path(__file__).with_name("pictures")
LOOKS = {"light": {}, "dark": {"dark": True}, "rtl": {}, "narrow": {"width": 400}}
SIZE = (160, 120)  # of one look
#: The mean difference of a tile, of 255, above which it is another picture. The same
#: page twice gives 0; without what a view draws, the least of all views gives 15.
LIMIT = 8.0
_BLUR, _TILE = 4, 20
WIDTHS = FOLDER / "widths.json"
_LINE = """(() => { const pen = document.createElement("canvas").getContext("2d");
  pen.font = `16px ${getComputedStyle(document.body).fontFamily}`;
  return ["The quick brown fox 0.123", "Съешь ещё этих булок", "דג סקרן שט בים"].map(
    (line) => pen.measureText(line).width); })()"""
_HEBREW = ["אחד", "שתיים", "שלוש"]
# Where the view begins on the page, in pixels, and how wide the window is.
_PLACE = """(() => { const box = document.querySelector("%s").getBoundingClientRect();
  return [box.x + scrollX, box.y + scrollY, innerWidth]; })()"""


def write_pages(folder):
    """The pages that are pictured, by their names."""
    x = np.random.default_rng(0).normal(size=(1, 5, 6)).astype("float32")
    layer = layers.MultiHeadAttention(2, 4)
    layer.build((1, 5, 6))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=each.shape) for each in layer.weights])
    trace = layer.trace(x, use_causal_mask=True)
    right_to_left = [*_HEBREW, "ארבע", "חמש"]
    more = {"query_tokens": right_to_left, "key_tokens": right_to_left}
    return {
        "gallery": write_report(gallery(), folder / "gallery.html"),
        "gallery-rtl": write_report(gallery(_HEBREW), folder / "rtl.html"),
        "steps": regard.explain_page(trace, path=folder / "steps.html"),
        "steps-rtl": regard.explain_page(trace, path=folder / "s.html", **more),
    }


def shots():
    """Name of the picture -> page, place on it, and what of it is drawn."""
    views = {
        f"{example}-{view}": ("gallery", f"e={example}&v={view}&q=0&k=0", "#stage")
        for example, view in VIEWS
    }
    page = {"heads": ("gallery", "e=0&v=matrix&q=0&k=0", "#grid")}
    return views | page | {"steps": ("steps", "e=0&h=1&q=3&step=3", "#step")}


def open_shot(browser, pages, shot, look):
    """Show what is pictured."""
    page, place, _ = shot
    name = f"{page}-rtl" if look == "rtl" else page
    browser.open(pages[name], place, still=True, **LOOKS[look])


def picture(browser, shot):
    """What is on view of a shot, grey and small, from its upper left corner."""
    across, down, width = browser.ask(_PLACE % shot[2])
    width = min(width, SIZE[0] * 4)
    clip = {"x": across, "y": down, "width": width, "height": width * SIZE[1] / SIZE[0]}
    taken = browser.send(
        "Page.captureScreenshot", clip=clip | {"scale": 1}, captureBeyondViewport=True
    )
    image = Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("L")
    return image.resize(SIZE, Image.Resampling.BOX)


def sheet(browser, pages, shot):
    """All looks of a shot side by side."""
    whole = Image.new("L", (SIZE[0] * len(LOOKS), SIZE[1]))
    for at, look in enumerate(LOOKS):
        open_shot(browser, pages, shot, look)
        whole.paste(picture(browser, shot), (at * SIZE[0], 0))
    return whole


def cut(whole, look):
    """One look of a sheet."""
    left = list(LOOKS).index(look) * SIZE[0]
    return whole.crop((left, 0, left + SIZE[0], SIZE[1]))


def difference(one, other):
    """The largest mean difference of a tile of two pictures of a look, of 255."""
    blurred = [
        np.asarray(each.filter(ImageFilter.GaussianBlur(_BLUR)), np.float64)
        for each in (one, other)
    ]
    tiles = np.abs(blurred[0] - blurred[1]).reshape(
        SIZE[1] // _TILE, _TILE, SIZE[0] // _TILE, _TILE
    )
    return float(tiles.mean(axis=(1, 3)).max())


def widths(browser, pages):
    """How wide lines are in the fonts of this machine, in pixels."""
    open_shot(browser, pages, shots()["0-matrix"], "light")
    return browser.ask(_LINE)


def main():
    """Draw all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.png"):
        path.unlink()
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder) / "profile")
        pages = write_pages(Path(folder))
        WIDTHS.write_text(json.dumps(widths(browser, pages)) + "\n")
        for name, shot in shots().items():
            drawn = sheet(browser, pages, shot).quantize(16)
            drawn.save(FOLDER / f"{name}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
