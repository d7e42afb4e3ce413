"""Numbers and maps in the files that TensorBoard reads.

They are written with the package ``tensorboard`` itself, which needs no TensorFlow.
"""

import importlib
import struct
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_SIDE = 160  # pixels of a map's longer side, about
_GAP = 4  # pixels between two heads
_GREY = 128


class EventFile:
    """One file of events in a folder, from ``open`` to ``close``.

    Raises:
        ImportError: where ``tensorboard`` is not installed.
    """

    def __init__(self, folder: str | Path):
        self.folder = str(folder)
        self._writer: Any = None
        try:
            self._messages()
        except ImportError:
            raise ImportError(
                "log_dir needs TensorBoard. Install it with: pip install tensorboard"
            ) from None

    def open(self) -> None:
        name = "tensorboard.summary.writer.event_file_writer"
        self._writer = importlib.import_module(name).EventFileWriter(self.folder)

    def close(self) -> None:
        self._writer.close()
        self._writer = None

    def write(
        self, step: int, numbers: Mapping[str, float], maps: Mapping[str, np.ndarray]
    ) -> None:
        """Numbers, and maps (B, H, T, S) as one picture for each example."""
        event, summary = self._messages()
        values = [
            summary.Summary.Value(tag=name, simple_value=number)
            for name, number in numbers.items()
        ]
        for name, examples in maps.items():
            for place, heads in enumerate(examples if examples[0].size else ()):
                pixels = side_by_side(heads)
                picture = summary.Summary.Image(
                    height=pixels.shape[0],
                    width=pixels.shape[1],
                    colorspace=1,
                    encoded_image_string=png(pixels),
                )
                tag = f"{name}/example {place}"
                values.append(summary.Summary.Value(tag=tag, image=picture))
        written = event.Event(wall_time=time.time(), step=step)
        written.summary.CopyFrom(summary.Summary(value=values))
        self._writer.add_event(written)
        self._writer.flush()

    @staticmethod
    def _messages() -> tuple[Any, Any]:
        names = ("event_pb2", "summary_pb2")
        event, summary = (
            importlib.import_module(f"tensorboard.compat.proto.{name}")
            for name in names
        )
        return event, summary


def side_by_side(heads: np.ndarray) -> np.ndarray:
    """Maps (H, T, S) as grey pixels: 0 is white, 1 is black; queries go down."""
    cell = max(1, _SIDE // max(heads.shape[1:]))
    shade = np.clip(np.nan_to_num(np.asarray(heads, "float32")), 0, 1)
    tiles = np.round(255 * (1 - shade)).astype("uint8")
    tiles = tiles.repeat(cell, axis=1).repeat(cell, axis=2)
    gap = np.full((tiles.shape[1], _GAP), _GREY, "uint8")
    parts = [part for tile in tiles for part in (tile, gap)]
    return np.concatenate(parts[:-1], axis=1)


def png(pixels: np.ndarray) -> bytes:
    """Grey pixels (rows, columns), uint8, as a PNG file."""
    rows, columns = pixels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    lines = np.pad(pixels, ((0, 0), (1, 0)))  # each begins with the filter "none"
    chunks = (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(lines.tobytes())),
        (b"IEND", b""),
    )
    parts = [
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
