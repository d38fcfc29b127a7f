"""The films of a study: every clip by every method, and the true one, each for itself and alike in all but content."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from retarget_cli.core.subject import Image
from retarget_cli.evaluation.recordings import Stream
from retarget_cli.evaluation.report.pictures import Size, file_uri, fitted, within
from retarget_cli.evaluation.results import Clip
from retarget_cli.evaluation.streams import facts, frames
from retarget_cli.evaluation.study.key import TRUTH
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import open_writer

# Box of a film, and its length at most: people judge what they can watch in one go.
PANEL: Size = (512, 512)
LONGEST = 300
CRF = 20
DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a film comes from: whose it is, its frames, and its frames a second."""

    method: str
    stream: Stream
    rate: Fraction


def sources(clip: Clip) -> list[Source]:
    """All films that there can be of a clip, the true one last. Driving frames count only as the target's rate."""
    rate = _rate(clip.target or clip.driving)
    found = [
        Source(name, Stream(Path(scored.media), count=LONGEST), rate)
        for name, scored in clip.methods.items()
        if scored.media and not scored.problem
    ]
    if clip.target:
        found.append(Source(TRUTH, Stream(Path(clip.target), clip.first, LONGEST), rate))
    return found


def film_uri(source: Source, size: Size) -> str:
    """The film as a data URI, brought to (height, width).

    Raises:
        InputError: its frames can't be read.
    """
    with tempfile.TemporaryDirectory(prefix="retarget-study-") as folder:
        path = Path(folder, "film.mp4")
        # Nothing in the file's tags may say what made it.
        with open_writer(path, size=size, rate=source.rate, crf=CRF, metadata={"comment": ""}) as writer:
            for number, picture in _shown(source, size):
                writer.write(picture, number / source.rate)
        return file_uri(path, "video/mp4")


def _shown(source: Source, size: Size) -> Iterator[tuple[int, Image]]:
    for number, picture in frames(source.stream):
        yield number, fitted(picture, size)


def size_of(found: list[Source]) -> Size:
    """(height, width) that all films of a clip are shown in: the first one's, inside the box."""
    return within(facts(found[0].stream).size, PANEL)


def _rate(path: str) -> Fraction:
    """Of a film; folders have none of their own."""
    if not path or Path(path).is_dir():
        return DEFAULT_RATE
    with open_frames(Path(path), max_frames=1) as source:
        return source.rate
