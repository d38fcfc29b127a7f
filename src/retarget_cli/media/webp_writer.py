"""Animated WebP, written frame by frame.

Pillow's own writer keeps every frame in memory, so the container is put together here: each frame is a
still WebP whose chunks go into an ANMF chunk (https://developers.google.com/speed/webp/docs/riff_container).
"""

import io
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import IO
from xml.sax.saxutils import escape

from PIL import Image

from retarget_cli.core.errors import OutputError, UsageError
from retarget_cli.media.images import Pixels
from retarget_cli.media.sink import Order, Writer
from retarget_cli.media.target import unwritable

_TICK = Fraction(1, 1000)
_LARGEST_SIDE = 16383
_LARGEST_FILE = 2**32 - 2
_HAS_ALPHA, _HAS_XMP, _IS_ANIMATED = 0x10, 0x04, 0x02
_NO_BLEND = 0x02
_DEFAULT_QUALITY, _MIDDLE_CRF = 85, 18


class WebpWriter(Writer):
    """Lossy frames, whole milliseconds; transparency is kept where it is asked for."""

    def __init__(self, order: Order) -> None:
        """Open the file; see `open_writer`.

        Raises:
            UsageError: the frames are too large for WebP.
        """
        if max(order.size) > _LARGEST_SIDE:
            message = f"a WebP can't be larger than {_LARGEST_SIDE} pixels a side"
            raise UsageError(message, "give a smaller --size")
        super().__init__(order, "webp")
        self._no_sound()
        self._pending: tuple[bytes, int] | None = None
        self._quality = _quality(order.crf)
        self._file: IO[bytes] | None = None
        try:
            self._file = self._target.partial.open("wb")
            self._file.write(_header(order))
        except OSError as error:
            self.abort()
            raise unwritable(order.path, error) from error

    def _put(self, pixels: Pixels, time: Fraction) -> None:
        tick = round(time / _TICK)
        if self._pending is not None:
            if tick <= self._pending[1]:
                return  # over 1000 frames a second
            self._flush(tick)
        still = io.BytesIO()
        Image.fromarray(pixels).save(still, format="WEBP", quality=self._quality, method=2)
        self._pending = (b"".join(_image_chunks(still.getvalue())), tick)

    def _flush(self, until: int) -> None:
        assert self._pending is not None
        assert self._file is not None
        data, shown_at = self._pending
        height, width = self._order.size
        duration = max(1, until - shown_at)
        frame = _u24(0) + _u24(0) + _u24(width - 1) + _u24(height - 1) + _u24(duration) + bytes([_NO_BLEND])
        self._file.write(_chunk(b"ANMF", frame + data))
        if self._file.tell() > _LARGEST_FILE:
            raise OutputError(f"{self.path} would be larger than 4 GB", "write a film (.mp4) instead")

    def _complete(self) -> None:
        assert self._file is not None
        self._flush(round((self._last_time + 1 / self._order.rate) / _TICK))
        self._file.write(_chunk(b"XMP ", _xmp(self._order.metadata.get("comment", ""))))
        size = self._file.tell()
        self._file.seek(4)
        self._file.write(struct.pack("<I", size - 8))
        self._file.close()

    def _release(self) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                self.notes.append("closing the partial file failed")  # it is thrown away anyway


def _quality(crf: int | None) -> int:
    return _DEFAULT_QUALITY if crf is None else max(1, min(100, _DEFAULT_QUALITY + 2 * (_MIDDLE_CRF - crf)))


def _header(order: Order) -> bytes:
    height, width = order.size
    flags = _IS_ANIMATED | _HAS_XMP | (_HAS_ALPHA if order.alpha else 0)
    canvas = bytes([flags, 0, 0, 0]) + _u24(width - 1) + _u24(height - 1)
    animation = struct.pack("<IH", 0, order.loop)
    return b"RIFF\0\0\0\0WEBP" + _chunk(b"VP8X", canvas) + _chunk(b"ANIM", animation)


def _image_chunks(still: bytes) -> Iterator[bytes]:
    """The chunks of a still WebP that hold its picture."""
    at = 12
    while at + 8 <= len(still):
        name, size = still[at : at + 4], int.from_bytes(still[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        if name in (b"ALPH", b"VP8 ", b"VP8L"):
            yield still[at:end]
        at = end


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")


def _xmp(comment: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{escape(comment)}</rdf:li>'
        "</rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()
