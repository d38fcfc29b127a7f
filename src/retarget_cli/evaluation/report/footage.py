"""One pass over all frames of a clip: what its section of the page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

from retarget_cli.core.errors import RetargetError
from retarget_cli.core.subject import Image
from retarget_cli.evaluation.recordings import Stream
from retarget_cli.evaluation.report.film import LONGEST, Film, FilmMaker
from retarget_cli.evaluation.report.pictures import (
    Size,
    difference,
    fitted,
    jpeg_uri,
    sources_strip,
    strip,
    within,
)
from retarget_cli.evaluation.results import Clip
from retarget_cli.evaluation.streams import facts, frames
from retarget_cli.media.reader import open_frames

DRIVING, TARGET, BOTH = "driving", "target", "driving = target"
PANEL, CELL, THUMB = (288, 512), (150, 240), (120, 200)
DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of a clip.

    Attributes:
        sheet: frames of the contact sheet; empty for none.
        bad: (method, frame) of thumbnails.
        has_film: whether the side-by-side film is made.
    """

    sheet: tuple[int, ...] = ()
    bad: frozenset[tuple[str, int]] = frozenset()
    has_film: bool = False

    @property
    def last(self) -> int:
        """The last frame that is looked at."""
        looked = [*self.sheet, *(index for _, index in self.bad)]
        return max([*looked, LONGEST - 1]) if self.has_film else max(looked, default=-1)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a contact sheet: its label, and a strip of pictures as a data URI."""

    label: str
    picture: str
    kind: str


@dataclass(frozen=True, slots=True)
class Footage:
    """What was made of a clip.

    Attributes:
        source: strip of the source pictures, a data URI; empty where there are none.
        sources: how many they are.
        cell: (height, width) of a picture of the contact sheet.
        rows: of the contact sheet.
        columns: frames of the contact sheet.
        film: or None.
        thumbs: data URI by (method, frame): target, result, difference.
        problems: streams that could not be shown.
    """

    source: str = ""
    sources: int = 0
    cell: Size = CELL
    rows: tuple[Row, ...] = ()
    columns: tuple[int, ...] = ()
    film: Film | None = None
    thumbs: Mapping[tuple[str, int], str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def make_footage(clip: Clip, wanted: Wanted) -> Footage:
    """Read a clip's streams once, in step, and keep only small pictures."""
    if wanted.last < 0:
        return Footage()
    streams = _streams(clip)
    panel, rate, problems = _look(streams)
    if not streams:
        return Footage(problems=tuple(problems))
    with ExitStack() as stack:
        maker = stack.enter_context(FilmMaker(list(streams), panel, rate)) if wanted.has_film else None
        work = _Work(clip, wanted, panel, maker)
        for index, found in _in_step(streams, wanted.last, problems):
            work.add(index, found)
        return work.done(problems)


def _streams(clip: Clip) -> dict[str, Stream]:
    """By label, in the order of the panels; a clip that drives itself is shown once."""
    found: dict[str, Stream] = {}
    if clip.driving and clip.driving == clip.target:
        found[BOTH] = Stream(Path(clip.target), clip.first)
    else:
        for label, path in ((DRIVING, clip.driving), (TARGET, clip.target)):
            if path:
                found[label] = Stream(Path(path), clip.first)
    for name, scored in clip.methods.items():
        if scored.media and not scored.problem:
            found[_label(name)] = Stream(Path(scored.media))
    return found


def _label(method: str) -> str:
    """A method may be called like one of the other panels."""
    return f"method {method}" if method in (DRIVING, TARGET, BOTH) else method


def _look(streams: dict[str, Stream]) -> tuple[Size, Fraction, list[str]]:
    """Panel size, rate; streams that can't be read are taken out, and named."""
    sizes: dict[str, Size] = {}
    rates: dict[str, Fraction] = {}
    problems = []
    for label, stream in list(streams.items()):
        try:
            sizes[label] = facts(stream).size
            if not stream.path.is_dir():
                with open_frames(stream.path, max_frames=1) as source:
                    rates[label] = source.rate
        except RetargetError as error:
            problems.append(f"{label}: {error.message}")
            del streams[label]
    rendered = [size for label, size in sizes.items() if label not in (DRIVING, TARGET, BOTH)]
    size = (rendered or [*sizes.values(), PANEL])[0]
    return within(size, PANEL), next(iter(rates.values()), DEFAULT_RATE), problems


def _in_step(
    streams: Mapping[str, Stream], last: int, problems: list[str]
) -> Iterator[tuple[int, dict[str, Image]]]:
    """Frames by label, until the methods' streams end; what can't be read any more is absent from there on."""
    sides = {label: _careful(label, stream, last, problems) for label, stream in streams.items()}
    leading = [label for label in sides if label not in (DRIVING, TARGET, BOTH)] or list(sides)
    for index, found in enumerate(zip_longest(*sides.values())):
        there = {label: each for label, each in zip(sides, found, strict=True) if each is not None}
        if index > last or not any(label in there for label in leading):
            return
        yield index, there


def _careful(label: str, stream: Stream, last: int, problems: list[str]) -> Iterator[Image]:
    try:
        for _, picture in frames(Stream(stream.path, stream.first, last + 1)):
            yield picture
    except RetargetError as error:
        problems.append(f"{label}: {error.message}")


class _Work:
    """Collects what one pass over a clip shows."""

    def __init__(self, clip: Clip, wanted: Wanted, panel: Size, maker: FilmMaker | None) -> None:
        self._clip, self._wanted, self._maker = clip, wanted, maker
        self._cell, self._thumb = within(panel, CELL), within(panel, THUMB)
        self._kept: dict[int, dict[str, Image]] = {}
        self._thumbs: dict[tuple[str, int], str] = {}

    def add(self, index: int, found: Mapping[str, Image]) -> None:
        """One frame of all streams."""
        if self._maker is not None:
            self._maker.add(index, found)
        if index in self._wanted.sheet:
            self._kept[index] = {label: fitted(each, self._cell) for label, each in found.items()}
        target = found.get(TARGET, found.get(BOTH))
        for method in self._clip.methods:
            result = found.get(_label(method))
            if (method, index) in self._wanted.bad and result is not None:
                self._thumbs[method, index] = self._thumbnail(target, result)

    def _thumbnail(self, target: Image | None, result: Image) -> str:
        ours = fitted(result, self._thumb)
        if target is None:
            return jpeg_uri(ours)
        theirs = fitted(target, self._thumb)
        return jpeg_uri(strip([theirs, ours, difference(theirs, ours)], self._thumb))

    def done(self, problems: list[str]) -> Footage:
        """Close the film and put everything together."""
        source = sources_strip(self._clip.source, self._cell) if self._wanted.sheet else None
        columns = tuple(sorted(self._kept))
        return Footage(
            "" if source is None else jpeg_uri(source),
            0 if source is None else source.shape[1] // self._cell[1],
            self._cell,
            tuple(self._rows(columns)),
            columns,
            None if self._maker is None else self._maker.done(),
            self._thumbs,
            tuple(dict.fromkeys(problems)),
        )

    def _rows(self, columns: tuple[int, ...]) -> Iterator[Row]:
        if not columns:
            return
        shown = [self._kept[index] for index in columns]
        for label in (DRIVING, TARGET, BOTH):
            if any(label in each for each in shown):
                yield self._row(label, "real", [each.get(label) for each in shown])
        truth = [each.get(TARGET, each.get(BOTH)) for each in shown]
        for method in self._clip.methods:
            results = [each.get(_label(method)) for each in shown]
            if all(each is None for each in results):
                continue
            yield self._row(method, "result", results)
            apart = [
                None if one is None or other is None else difference(one, other)
                for one, other in zip(truth, results, strict=True)
            ]
            if any(each is not None for each in apart):
                yield self._row("difference ×3", "difference", apart)

    def _row(self, label: str, kind: str, pictures: list[Image | None]) -> Row:
        return Row(label, jpeg_uri(strip(pictures, self._cell)), kind)
