"""Score one rendered clip: frames in, values and features out, a window at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest

import numpy as np
import torch
from torch import Tensor

from retarget_cli.core.errors import InputError
from retarget_cli.core.subject import Image
from retarget_cli.evaluation.persons import BoolArray
from retarget_cli.metrics.base import Embedder, FrameMetric, Frames, Scorer, SetMetric

# Frames handed to the metrics at a time.
WINDOW = 16


@dataclass(frozen=True, slots=True)
class Measures:
    """Metrics that are loaded once and used for all clips."""

    of_frames: tuple[FrameMetric, ...] = ()
    of_sets: tuple[SetMetric, ...] = ()

    def keys(self) -> list[str]:
        """Of all values."""
        return [info.key for metric in self.of_frames for info in metric.infos] + [
            metric.info.key for metric in self.of_sets
        ]


@dataclass(frozen=True, slots=True)
class ClipScore:
    """What was found in one clip.

    Attributes:
        indices: frames that were scored.
        values: by metric key, one for each of them; None where a frame has no value.
        features: (N, D) by metric key, of the rendered frames.
        real: the same of the target's frames; empty where they were not asked for.
    """

    indices: tuple[int, ...]
    values: Mapping[str, tuple[float | None, ...]]
    features: Mapping[str, Tensor]
    real: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Material:
    """The frames of one case, as streams that are read in step.

    Attributes:
        rendered: (index, (H, W, 3)).
        target: the same; None where nothing is true.
        persons: (H, W) of the target's frames; None where they are not wanted.
        source: (S, 3, H, W) uint8.
        name: of the rendered clip, for messages.
        is_foreground: the target's background is blacked out, as the rendered one's has been.
    """

    rendered: Iterator[tuple[int, Image]]
    target: Iterator[tuple[int, Image]] | None
    persons: Iterator[BoolArray] | None
    source: Tensor | None
    name: str
    is_foreground: bool = False


@dataclass(slots=True)
class _Window:
    rendered: list[Image] = field(default_factory=list)
    target: list[Image] = field(default_factory=list)
    persons: list[BoolArray] = field(default_factory=list)


def score_clip(material: Material, measures: Measures, stride: int = 1, *, embeds_target: bool = False) -> ClipScore:
    """Read everything once, and score every `stride`th frame.

    Raises:
        InputError: a frame is missing, the clip ends too early or too late, or sizes differ.
    """
    scorers = [metric.begin() for metric in measures.of_frames]
    # Metrics wait for each other's cores less than for their own next frame.
    with ThreadPoolExecutor(max(1, len(scorers)), "metric") as pool:
        return _score(material, measures, scorers, pool, stride, embeds_target)


def _score(
    material: Material,
    measures: Measures,
    scorers: Sequence[Scorer],
    pool: ThreadPoolExecutor,
    stride: int,
    embeds_target: bool,
) -> ClipScore:
    ours = {metric.info.key: metric.begin() for metric in measures.of_sets}
    theirs = {metric.info.key: metric.begin() for metric in measures.of_sets if embeds_target}
    values: dict[str, list[float | None]] = {}
    features: dict[str, list[Tensor]] = {key: [] for key in ours}
    real: dict[str, list[Tensor]] = {key: [] for key in theirs}
    indices: list[int] = []
    for numbers, window in _windows(material, stride):
        indices += numbers
        frames = _frames(window, material.source)
        for found in pool.map(partial(_scores, frames), scorers):
            for key, each in found.items():
                values.setdefault(key, []).extend(each)
        _embed(ours, frames.rendered, features)
        if frames.target is not None:
            _embed(theirs, frames.target, real)
    return ClipScore(
        tuple(indices),
        {key: tuple(found) for key, found in values.items()},
        {key: joined(found) for key, found in features.items()},
        {key: joined(found) for key, found in real.items()},
    )


def embed_stream(pictures: Iterator[tuple[int, Image]], metrics: Sequence[SetMetric], stride: int) -> dict[str, Tensor]:
    """Features (N, D) by metric key of the frames of a stream alone: real frames without a counterpart."""
    embedders = {metric.info.key: metric.begin() for metric in metrics}
    found: dict[str, list[Tensor]] = {key: [] for key in embedders}
    material = Material(pictures, None, None, None, "real frames")
    for _, window in _windows(material, stride):
        _embed(embedders, stacked(window.rendered), found)
    return {key: joined(parts) for key, parts in found.items()}


def joined(parts: Sequence[Tensor]) -> Tensor:
    """(N, D); (0, 1) where nothing was found."""
    return torch.cat(list(parts)) if parts else torch.empty(0, 1)


def _windows(material: Material, stride: int) -> Iterator[tuple[list[int], _Window]]:
    numbers: list[int] = []
    window = _Window()
    for number, picture, truth, person in _in_step(material):
        if number % stride:
            continue
        numbers.append(number)
        window.rendered.append(picture)
        if truth is not None:
            cut = person if material.is_foreground else None
            window.target.append(truth if cut is None else truth * cut[..., None])
        if person is not None:
            window.persons.append(person)
        if len(numbers) == WINDOW:
            yield numbers, window
            numbers, window = [], _Window()
    if numbers:
        yield numbers, window


def _in_step(material: Material) -> Iterator[tuple[int, Image, Image | None, BoolArray | None]]:
    """Rendered frame, true frame, person, all of the same index."""
    persons = material.persons
    if material.target is None:
        for number, picture in material.rendered:
            yield number, picture, None, None
        return
    for ours, theirs in zip_longest(material.rendered, material.target):
        if ours is None or theirs is None:
            end, kind = (theirs, "ends too early") if ours is None else (ours, "goes on too long")
            raise InputError(
                f"{material.name}: {kind}: {end[0]} frames are in both it and the target",
                "render the whole clip, one frame for each driving frame",
            )
        if ours[1].shape != theirs[1].shape:
            (high, wide), (rows, columns) = ours[1].shape[:2], theirs[1].shape[:2]
            raise InputError(
                f"{material.name}: rendered at {wide}x{high}, but the target is {columns}x{rows}",
                "render at the target's size, or let --size bring both to one",
            )
        yield ours[0], ours[1], theirs[1], None if persons is None else next(persons)


def _frames(window: _Window, source: Tensor | None) -> Frames:
    return Frames(
        stacked(window.rendered),
        stacked(window.target) if window.target else None,
        torch.from_numpy(np.stack(window.persons)) if window.persons else None,
        source,
    )


def stacked(pictures: Sequence[Image]) -> Tensor:
    """(T, 3, H, W) uint8."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def _scores(frames: Frames, scorer: Scorer) -> dict[str, list[float | None]]:
    return {
        key: [float(value) if math.isfinite(value) else None for value in found]
        for key, found in scorer.score(frames).items()
    }


def _embed(embedders: Mapping[str, Embedder], pictures: Tensor, found: dict[str, list[Tensor]]) -> None:
    for key, embedder in embedders.items():
        part = embedder.embed(pictures)
        if len(part):
            found[key].append(part)
