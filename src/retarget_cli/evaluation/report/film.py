"""The side-by-side film of a clip."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from retarget_cli.core.subject import Image
from retarget_cli.evaluation.report.pictures import Size, file_uri, jpeg_uri, strip
from retarget_cli.media.writer import open_writer

# Frames at most: longer clips are shown from their beginning.
LONGEST = 500
CRF = 27


@dataclass(frozen=True, slots=True)
class Film:
    """A film that stands in the page.

    Attributes:
        panels: what is seen, from left to right.
        film, poster: data URIs of the film and its first frame.
        rate: frames a second.
        size: (height, width).
        is_cut: the clip is longer.
    """

    panels: tuple[str, ...]
    film: str
    poster: str
    rate: float
    size: Size
    is_cut: bool = False


class FilmMaker:
    """Takes frames, a picture a panel; nothing is left on disk when the context is left.

    Args:
        panels: their labels, from left to right.
        size: (height, width) of each.
        rate: frames a second.
    """

    def __init__(self, panels: Sequence[str], size: Size, rate: Fraction) -> None:
        self._panels, self._panel, self._rate = tuple(panels), size, rate
        self._folder = tempfile.TemporaryDirectory(prefix="retarget-report-")
        self._path = Path(self._folder.name) / "side.mp4"
        self._size = (size[0], size[1] * len(self._panels))
        self._writer = open_writer(self._path, size=self._size, rate=rate, crf=CRF)
        self._poster, self._is_cut = "", False

    def add(self, index: int, found: Mapping[str, Image]) -> None:
        """A frame; panels without a picture are grey."""
        if index >= LONGEST:
            self._is_cut = True
            return
        side = strip([found.get(label) for label in self._panels], self._panel)
        self._poster = self._poster or jpeg_uri(side)
        self._writer.write(side, index / self._rate)

    def done(self) -> Film | None:
        """The film; None where it has no frame."""
        if not self._poster:
            return None
        self._writer.close()
        uri = file_uri(self._path, "video/mp4")
        return Film(self._panels, uri, self._poster, float(self._rate), self._size, self._is_cut)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.abort()
        self._folder.cleanup()
