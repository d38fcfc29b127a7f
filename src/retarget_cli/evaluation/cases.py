"""The cases of a protocol on a data set: who moves like what, and what it should look like."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import TypeVar

from retarget_cli.core.errors import UsageError
from retarget_cli.evaluation.protocols import Pick, Protocol, Task
from retarget_cli.evaluation.recordings import Dataset, Masks, Recording, Shot, Stream, Turnout

T = TypeVar("T")
# Candidate views around a person (liquid warping, 4.3).
CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Case:
    """One clip to be rendered by every method.

    Attributes:
        name: unique.
        views: source pictures, where they are fixed; empty: they are chosen out of `origin`.
        origin: the clip of the source person; also the real frames that a set of frames is compared with.
        driving: whose motion.
        target: what is true; None where nobody knows.
        masks: of the target's person; None where they must be perceived.
        garment: pictures of the clothes that the source person is to wear; empty: his own.
        motion: the driving clip's true motion, a file; None: it is perceived.
    """

    name: str
    views: tuple[Shot, ...]
    origin: Stream
    driving: Stream
    target: Stream | None
    masks: Masks | None = None
    garment: tuple[Shot, ...] = ()
    motion: Path | None = None


def plan(dataset: Dataset, protocol: Protocol) -> list[Case]:
    """All cases, in an order that depends on nothing but the arguments.

    Raises:
        UsageError: the data set holds nothing of the kind that the task needs.
    """
    if protocol.has_true_motion and not dataset.turnouts:
        raise UsageError("--true-motion: only data sets of `retarget synth` know it")
    if dataset.turnouts and protocol.task is not Task.SELF:
        cases = [_synthetic(turnout, protocol) for turnout in dataset.turnouts]
    elif protocol.task is Task.SELF:
        cases = [_self(recording, protocol) for recording in dataset.recordings]
    elif protocol.task is Task.CROSS:
        cases = _cross(dataset.recordings, protocol)
    else:
        raise UsageError(
            f"--protocol {protocol.task.value}: {dataset.name} ({dataset.layout}) has no true pictures for it",
            "make a data set that has: retarget synth DIR",
        )
    return cases


def evenly(items: Sequence[T], count: int) -> tuple[T, ...]:
    """`count` of the items at even distances, from the first: of eight views 0; 0, 180; 0, 90, 180, 270 degrees."""
    count = min(count, len(items))
    return tuple(items[number * len(items) // count] for number in range(count))


def _limited(stream: Stream, protocol: Protocol) -> Stream:
    if protocol.frames is None or (stream.count is not None and stream.count <= protocol.frames):
        return stream
    return replace(stream, count=protocol.frames)


def _self(recording: Recording, protocol: Protocol) -> Case:
    stream = _limited(recording.stream, protocol)
    folder = recording.stream.path.parent
    motion = folder / "truth.motion" if protocol.has_true_motion else None
    return Case(
        recording.name, _views(recording, protocol), stream, stream, stream, recording.masks, motion=motion,
    )  # fmt: skip


def _views(recording: Recording, protocol: Protocol) -> tuple[Shot, ...]:
    """The data set's own source pictures, where the protocol asks for views and not for certain frames."""
    if protocol.pick is not Pick.VIEWS or not recording.views:
        return ()
    return evenly(recording.views, protocol.sources)


def _cross(recordings: Sequence[Recording], protocol: Protocol) -> list[Case]:
    """Pairs that the data set chooses, or random ones of different persons."""
    chosen = [(one, one.driving) for one in recordings if one.driving is not None]
    if chosen:
        return [_pair(one, f"{one.name}--{driving.path.stem}", driving, protocol) for one, driving in chosen]
    pairs = [(one, other) for one, other in permutations(recordings, 2) if one.person != other.person]
    if not pairs:
        raise UsageError("--protocol cross-imitation: the data set shows one person only", "two are needed")
    if len(pairs) > protocol.pairs:
        pairs = sorted(random.Random(protocol.seed).sample(pairs, protocol.pairs), key=_names)
    return [_pair(one, f"{one.name}--{other.name}", other.stream, protocol) for one, other in pairs]


def _names(pair: tuple[Recording, Recording]) -> tuple[str, str]:
    return pair[0].name, pair[1].name


def _pair(one: Recording, name: str, driving: Stream, protocol: Protocol) -> Case:
    return Case(name, _views(one, protocol), _limited(one.stream, protocol), _limited(driving, protocol), None)


# By task: what drives, what is true.
SYNTHETIC = {
    Task.CROSS: ("other", "self"),
    Task.NOVEL_VIEW: ("turn_other", "turn"),
    Task.APPEARANCE: ("self", "clothes"),
}


def _synthetic(turnout: Turnout, protocol: Protocol) -> Case:
    driving, target = SYNTHETIC[protocol.task]
    needed = ["source", driving, target, *(["garment"] if protocol.task is Task.APPEARANCE else [])]
    absent = [name for name in needed if name not in turnout.folders]
    if absent:
        raise UsageError(
            f"--protocol {protocol.task.value}: clip {turnout.name} has no rendition `{absent[0]}`",
            "make the data set with all renditions: retarget synth DIR --with cross,views,clothes",
        )
    folders = turnout.folders
    return Case(
        turnout.name,
        _shots(folders["source"], protocol.sources),
        Stream(folders["source"] / "frames"),
        _limited(Stream(folders[driving] / "frames"), protocol),
        _limited(Stream(folders[target] / "frames"), protocol),
        Masks(folders[target] / "mask"),
        _shots(folders["garment"], protocol.sources) if protocol.task is Task.APPEARANCE else (),
        folders[driving] / "truth.motion" if protocol.has_true_motion else None,
    )


def _shots(folder: Path, count: int) -> tuple[Shot, ...]:
    return evenly([Shot(path) for path in sorted((folder / "frames").glob("*.png"))], count)
