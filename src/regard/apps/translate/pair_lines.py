"""Lines of a text file as bytes on disk become them: gzip, BOM, CRLF, UTF-8."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Undecodable(str):
    """Says what is not UTF-8 in a line, in place of its text."""


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a plain or gzip-compressed UTF-8 file, without line ends.

    Lines end at LF or CRLF and nowhere else: Unicode's own separators may stand inside
    a sentence. A line that is not UTF-8 comes out as `Undecodable`.

    Raises:
        ValueError: no such file, a folder, UTF-16 text, or a broken gzip stream.
    """
    path = Path(path)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "missing"
        raise ValueError(f"{path}: a text file is expected here, but it is {kind}.")
    with _open(path) as stream:
        try:
            for number, line in enumerate(stream):
                if number == 0:
                    line = _without_mark(line, path)
                yield decode_line(line)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"{path}: the gzip stream is broken ({error}). Download or compress "
                "the file again."
            ) from None


def _open(path: Path) -> "IO[bytes] | gzip.GzipFile":
    # The first bytes decide, not the name: exports are often renamed.
    with path.open("rb") as stream:
        compressed = stream.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _without_mark(line: bytes, path: Path) -> bytes:
    if line.startswith(_UTF16_BOMS):
        raise ValueError(f"{path}: the text is UTF-16. Save it as UTF-8.")
    return line.removeprefix(_UTF8_BOM)


def decode_line(line: bytes) -> str:
    """Return a line without its end, or `Undecodable`."""
    line = line.rstrip(b"\r\n")
    if b"\r" in line or b"\0" in line:
        kind = "carriage return" if b"\r" in line else "NUL byte"
        return Undecodable(f"a {kind} inside the line")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = line[error.start]
        return Undecodable(f"byte 0x{byte:02x} at position {error.start + 1}")
