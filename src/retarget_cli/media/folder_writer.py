"""A folder of PNG frames."""

import dataclasses
from fractions import Fraction

from retarget_cli.media.images import Pixels, write_png
from retarget_cli.media.sink import Order, Writer


class FolderWriter(Writer):
    """000000.png, 000001.png, ... (or as a pattern says) in a folder that appears when it is complete."""

    def __init__(self, order: Order) -> None:
        """Make the hidden folder; see `open_writer`."""
        self._names = "%06d.png"
        if order.path.suffix:
            self._names = order.path.name
            order = dataclasses.replace(order, path=order.path.parent)
        super().__init__(order, "png", frame_names=self._names)
        self._no_sound()

    def _put(self, pixels: Pixels, time: Fraction) -> None:
        tags = {**self._order.metadata, "time": f"{float(time):.6f}"}
        write_png(self._target.partial / (self._names % self.frames_written), pixels, tags)

    def _complete(self) -> None:
        pass

    def _release(self) -> None:
        pass
