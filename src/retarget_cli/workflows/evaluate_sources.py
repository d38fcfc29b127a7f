"""The source pictures of a case, as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from retarget_cli.body.catalog import load_body
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.progress import Silence
from retarget_cli.evaluation.candidates import source_frames
from retarget_cli.evaluation.cases import Case
from retarget_cli.evaluation.protocols import Pick, Protocol
from retarget_cli.evaluation.recordings import Shot, Stream
from retarget_cli.evaluation.streams import frames
from retarget_cli.media.images import over_white, read_picture, write_png
from retarget_cli.media.reader import open_frames
from retarget_cli.perception.cache import Cache
from retarget_cli.workflows.driving import Excerpt, open_driving


@dataclass(frozen=True, slots=True)
class Sources:
    """What a case starts from.

    Attributes:
        pictures: of the person.
        garments: of the clothes; none: his own.
        seen: frames of the target that are among the pictures, and are therefore not scored.
    """

    pictures: tuple[Path, ...]
    garments: tuple[Path, ...]
    seen: frozenset[int]


def write_sources(case: Case, protocol: Protocol, folder: Path, cache: Cache | None) -> Sources:
    """Write a case's source pictures as 0.png, 1.png, ... into a folder; those that are there already stay.

    Raises:
        InputError: a picture or the clip can't be read, or nobody is seen in it.
    """
    done = folder / "seen.json"  # written last
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shots = case.views or _chosen(case, protocol, cache)
        _write(shots, folder)
        for number, shot in enumerate(case.garment):
            _copy(shot, folder / f"garment{number}.png")
        done.write_text(json.dumps(_seen(case, shots)), encoding="utf-8")
    pictures, garments = (tuple(sorted(folder.glob(name))) for name in ("[0-9]*.png", "garment*.png"))
    return Sources(pictures, garments, frozenset(json.loads(done.read_text(encoding="utf-8"))))


def _seen(case: Case, shots: Sequence[Shot]) -> list[int]:
    """Frames of the target, counted from its first, that are source pictures."""
    target = case.target
    if target is None:
        return []
    return [shot.frame - target.first for shot in shots if shot.frame is not None and shot.path == target.path]


def excerpt_of(stream: Stream) -> Excerpt:
    """The part of a clip that a stream is, in seconds."""
    start = None
    if stream.first:
        with open_frames(stream.path, max_frames=1) as source:
            # A little early, so that the rounding of a film's times loses no frame.
            start = (stream.first - Fraction(1, 4)) / source.rate
    return Excerpt(start, None, stream.count)


def _chosen(case: Case, protocol: Protocol, cache: Cache | None) -> Sequence[Shot]:
    motion = _motion(case.origin, cache) if protocol.pick is Pick.VIEWS else None
    count = len(motion) if motion is not None else sum(1 for _ in frames(case.origin))
    chosen = source_frames(protocol, case.name, count, motion)
    return [Shot(case.origin.path, case.origin.first + number) for number in chosen]


def _motion(stream: Stream, cache: Cache | None) -> Motion:
    body = load_body("anny")
    with open_driving(stream.path, body, "largest", excerpt_of(stream), cache, Silence()) as driving:
        return join(list(driving.windows))


def _write(shots: Sequence[Shot], folder: Path) -> None:
    """Pictures are copied, frames of a clip are read in one pass."""
    wanted = {shot.frame: number for number, shot in enumerate(shots) if shot.frame is not None}
    for number, shot in enumerate(shots):
        if shot.frame is None:
            _copy(shot, folder / f"{number}.png")
    if not wanted:
        return
    left = dict(wanted)
    for index, picture in frames(Stream(shots[0].path, count=max(wanted) + 1)):
        if index in left:
            write_png(folder / f"{left.pop(index)}.png", picture)
    if left:
        raise InputError(f"{shots[0].path}: has no frame {min(left)}", "the clip is shorter than its list says")


def _copy(shot: Shot, path: Path) -> None:
    write_png(path, over_white(read_picture(shot.path)))
