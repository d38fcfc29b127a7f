"""One picture."""

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from retarget_cli.core.errors import UsageError
from retarget_cli.media.images import Pixels, png_chunks
from retarget_cli.media.kinds import PICTURE_OUTPUTS, names_frames
from retarget_cli.media.sink import Order, Writer

PICTURE_KINDS = PICTURE_OUTPUTS
JPEG_QUALITY = 95


def names_picture(path: Path) -> bool:
    """Whether the name is that of a single picture."""
    return path.suffix.lower() in PICTURE_KINDS and not names_frames(path)


class PictureWriter(Writer):
    """A PNG or JPEG: takes one frame and no more."""

    def __init__(self, order: Order) -> None:
        """Check the name; see `open_writer`.

        Raises:
            UsageError: transparency is to be kept in a JPEG.
        """
        self._kind = PICTURE_KINDS[order.path.suffix.lower()]
        if order.alpha and self._kind == "JPEG":
            raise UsageError(f"{order.path.name} can't hold transparency", "name a .png")
        super().__init__(order, self._kind.lower())
        self._no_sound()

    def _put(self, pixels: Pixels, time: Fraction) -> None:
        if self.frames_written:
            raise UsageError(f"{self.path.name} holds one picture only", "name a film, or a folder (no ending)")
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        with io.BytesIO() as memory:
            if self._kind == "PNG":
                picture.save(memory, "PNG", pnginfo=png_chunks(self._order.metadata), compress_level=3)
            else:
                comment = "; ".join(self._order.metadata.values()).encode()
                picture.save(memory, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=comment)
            self._target.partial.write_bytes(memory.getvalue())

    def _complete(self) -> None:
        pass

    def _release(self) -> None:
        pass
