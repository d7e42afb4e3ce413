"""Numbers and texts on their way into a page: small, exact enough, harmless."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "CODINGS",
    "Coding",
    "Numbers",
    "choose_coding",
    "deflate",
    "fits_levels",
    "inflate",
    "script_json",
]


@dataclass(frozen=True)
class Coding:
    """How one weight is stored; ``levels`` of the square root, or exact float32.

    The square root spends the levels on small weights, as the eye does. The highest
    level stands for NaN. ``error`` is the largest difference after decoding.
    """

    name: str
    dtype: str
    levels: int = 0

    @property
    def error(self) -> float:
        """Half a level of √w at w = 1 is a whole level of w, at most."""
        return 1 / self.levels if self.levels else 0.0

    def encode(self, weights: np.ndarray) -> bytes:
        """Little-endian bytes in C order.

        Raises:
            ValueError: a weight outside 0 … 1 under a coding with levels.
        """
        if not self.levels:
            return np.ascontiguousarray(weights, self.dtype).tobytes()
        finite = np.isfinite(weights)
        known = np.where(finite, weights, 0.0)
        if not fits_levels(weights):
            raise ValueError(
                f"weights must lie between 0 and 1 for the coding {self.name}. "
                f"Got {known.min()} to {known.max()}; use the coding f32."
            )
        roots = np.sqrt(np.clip(known, 0.0, 1.0))
        codes = np.where(finite, np.round(roots * self.levels), self.levels + 1)
        return codes.astype(self.dtype).tobytes()

    def decode(self, data: bytes) -> np.ndarray:
        """The float32 weights, flat: the inverse that the page computes too."""
        codes = np.frombuffer(data, self.dtype)
        if not self.levels:
            return codes.astype(np.float32)
        weights = (codes.astype(np.float32) / self.levels) ** 2
        return np.where(codes > self.levels, np.float32(np.nan), weights)


#: From exact to small, each with the number of weights up to which it is used.
CODINGS = {
    "f32": (Coding("f32", "<f4"), 50_000),
    "u16": (Coding("u16", "<u2", 65534), 1_000_000),
    "u8": (Coding("u8", "<u1", 254), None),
}


def choose_coding(count: int, fits: bool = True) -> Coding:
    """The most exact coding whose file stays small for ``count`` weights.

    ``fits`` says that all of them lie between 0 and 1; else only f32 will do.
    """
    for coding, limit in CODINGS.values():
        if not fits or limit is None or count <= limit:
            return coding
    raise AssertionError("the last coding has no limit")


def fits_levels(weights: np.ndarray) -> bool:
    """Whether every finite weight lies between 0 and 1, rounding forgiven."""
    known = weights[np.isfinite(weights)]
    return not known.size or bool(known.min() >= -1e-6 and known.max() <= 1 + 1e-5)


def deflate(data: bytes) -> str:
    """Raw deflate as letters of 85, five for four bytes: 6 % less than in base64.

    The letters are those from "(" to "|", with "}" for "<", so that none can end a
    script or begin an entity; ``assets/unpack.js`` reads them.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    words = np.frombuffer(packed + bytes(-len(packed) % 4), ">u4")
    letters = words[:, None] // _POWERS % 85 + _FIRST
    letters[letters == ord("<")] = ord("}")
    text = letters.astype(np.uint8).tobytes().decode("ascii")
    return text[: len(text) - -len(packed) % 4]


def inflate(text: str) -> bytes:
    """The inverse of `deflate`."""
    missing = -len(text) % 5
    letters = np.frombuffer(f"{text}{missing * '|'}".encode("ascii"), np.uint8)
    digits = np.where(letters == ord("}"), ord("<"), letters).astype(np.uint32) - _FIRST
    packed = (digits.reshape(-1, 5) * _POWERS).sum(axis=1).astype(">u4").tobytes()
    return zlib.decompress(packed[: len(packed) - missing], -zlib.MAX_WBITS)


_FIRST = ord("(")
_POWERS = 85 ** np.arange(4, -1, -1, dtype=np.uint32)


class Numbers:
    """The arrays of an example, one after another, as the page unpacks them."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def append(self, data: bytes) -> int:
        """Where the data begins: at a multiple of four, as a Float32Array must."""
        self._bytes.extend(bytes(-len(self._bytes) % 4))
        start = len(self._bytes)
        self._bytes.extend(data)
        return start

    def deflated(self) -> str:
        """All of them as text."""
        return deflate(bytes(self._bytes))


# What must not stand in a <script> as itself: markup, line separators that older
# JavaScript ends a string with, controls and bidirectional controls that would
# reorder the file for whoever reads it, and halves of a surrogate pair.
_UNSAFE = re.compile(
    "[<>&\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)


def script_json(value: Any) -> str:
    """JSON that is safe inside ``<script>``: ``<`` is written ``\\u003c``."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
