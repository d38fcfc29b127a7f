"""Animated GIF, written frame by frame."""

import struct
from fractions import Fraction
from typing import IO, Any

import numpy as np
from PIL import GifImagePlugin, Image

from retarget_cli.core.errors import UsageError
from retarget_cli.media.images import Pixels
from retarget_cli.media.sink import Order, Writer
from retarget_cli.media.target import unwritable

_TICK = Fraction(1, 100)
# Browsers show what is meant to be faster than this at a tenth of the speed.
_SHORTEST = 2
_LARGEST_SIDE = 65535
_CLEAR_INDEX = 255


class GifWriter(Writer):
    """Frames with a palette of their own; GIF counts time in hundredths of a second.

    Times are rounded on the output's time line, so that nothing drifts; a frame that would stay for less
    than 2/100 s is left out. Pixels less than half opaque become transparent.
    """

    def __init__(self, order: Order) -> None:
        """Open the file; see `open_writer`.

        Raises:
            UsageError: the frames are too large for GIF.
        """
        if max(order.size) > _LARGEST_SIDE:
            message = f"a GIF can't be larger than {_LARGEST_SIDE} pixels a side"
            raise UsageError(message, "give a smaller --size")
        super().__init__(order, "gif")
        self._no_sound()
        self._pending: tuple[Image.Image, int] | None = None
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
            if tick - self._pending[1] < _SHORTEST:
                return
            self._flush(tick)
        self._pending = (_with_palette(pixels), tick)

    def _flush(self, until: int) -> None:
        """Write the pending frame, which stays till the given tick."""
        assert self._pending is not None
        assert self._file is not None
        image, shown_at = self._pending
        delay = min(max(_SHORTEST, until - shown_at), 65535)
        transparency: dict[str, Any] = {"transparency": _CLEAR_INDEX} if self._order.alpha else {}
        blocks = GifImagePlugin.getdata(
            image,
            duration=10 * delay,
            disposal=2 if self._order.alpha else 1,
            include_color_table=True,
            **transparency,
        )
        self._file.write(b"".join(blocks))

    def _complete(self) -> None:
        assert self._file is not None
        self._flush(round((self._last_time + 1 / self._order.rate) / _TICK))
        self._file.write(b";")
        self._file.close()

    def _release(self) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                self.notes.append("closing the partial file failed")  # it is thrown away anyway


def _header(order: Order) -> bytes:
    height, width = order.size
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0)
    loop = b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", order.loop, 0)
    comment = order.metadata.get("comment", "").encode("ascii", "replace")
    blocks = [comment[i : i + 255] for i in range(0, len(comment), 255)]
    text = b"!\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    return screen + loop + (text if comment else b"")


def _with_palette(pixels: Pixels) -> Image.Image:
    """At most 255 colours (256 where nothing is transparent), dithered."""
    has_alpha = pixels.shape[2] == 4
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    palette = picture.quantize(_CLEAR_INDEX if has_alpha else 256, method=Image.Quantize.FASTOCTREE)
    image = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    if has_alpha:
        indices = np.array(image)
        indices[pixels[..., 3] < 128] = _CLEAR_INDEX
        cleared = Image.fromarray(indices).convert("P")
        colours = image.getpalette() or []
        cleared.putpalette(colours + [0] * (768 - len(colours)))
        return cleared
    return image
