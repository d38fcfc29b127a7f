"""From the scores of all clips to a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

from retarget_cli.evaluation.results import Clip, Difference, Estimate, Report, Scored
from retarget_cli.evaluation.run_folder import REAL, RunFolder
from retarget_cli.evaluation.statistics import estimate, paired
from retarget_cli.metrics.base import Info
from retarget_cli.metrics.frechet import Moments, frechet_distance
from retarget_cli.metrics.registry import Missing

PIXELS = "8-bit RGB, 0 to 255, full range; frames brought to size by area interpolation"


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything of a report but its numbers; the fields are those of `Report`."""

    title: str
    version: str
    machine: str
    dataset: Mapping[str, str | int | float]
    protocol: Mapping[str, str | int | float]
    metrics: tuple[Info, ...]
    missing: tuple[Missing, ...]
    methods: Mapping[str, Mapping[str, str]]


def summarise(setting: Setting, folder: RunFolder, clips: Sequence[Clip]) -> Report:
    """Means, intervals, distances of sets, and differences of every two methods."""
    names = list(setting.methods)
    overall = {
        name: {info.key: _overall(info, name, clips, folder) for info in setting.metrics} for name in names
    }
    differences = [
        Difference(first, second, info.key, paired(_means(clips, first, info.key), _means(clips, second, info.key)))
        for first, second in combinations(names, 2)
        for info in setting.metrics
        if not info.is_set
    ]
    return Report(
        title=setting.title,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=setting.version,
        machine=setting.machine,
        dataset=setting.dataset,
        protocol=setting.protocol,
        pixels=PIXELS,
        metrics=setting.metrics,
        missing=setting.missing,
        methods=setting.methods,
        overall=overall,
        differences=tuple(differences),
        clips=tuple(clips),
    )


def _means(clips: Sequence[Clip], method: str, key: str) -> list[float | None]:
    return [_of(clip, method).means.get(key) for clip in clips]


def _of(clip: Clip, method: str) -> Scored:
    return clip.methods.get(method, Scored(problem="not rendered"))


def _overall(info: Info, method: str, clips: Sequence[Clip], folder: RunFolder) -> Estimate:
    if info.is_set:
        return _distance(info.key, method, clips, folder)
    frames = sum(
        sum(value is not None for value in _of(clip, method).frames.get(info.key, ())) for clip in clips
    )
    return estimate(_means(clips, method, info.key), frames)


def _distance(key: str, method: str, clips: Sequence[Clip], folder: RunFolder) -> Estimate:
    """Frechet distance of all rendered frames to all real ones; one clip's features are in memory at a time."""
    ours, theirs = Moments(), Moments()
    count = 0
    for clip in clips:
        if _of(clip, method).problem:
            continue
        rendered, real = folder.features(method, clip.name), folder.features(REAL, clip.name)
        if rendered is None or real is None or key not in rendered or key not in real:
            continue
        for moments, features in ((ours, rendered[key]), (theirs, real[key])):
            if len(features):
                moments.add(features)
        count += 1
    if min(ours.count, theirs.count) < 2:
        return Estimate(None, clips=count, frames=ours.count)
    return Estimate(frechet_distance(ours, theirs), clips=count, frames=ours.count)


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean of those that are there."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def plain(values: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Texts and numbers only, as a report's tables take them."""

    def items() -> Iterator[tuple[str, str | int | float]]:
        for key, value in values.items():
            if isinstance(value, bool):
                yield key, "yes" if value else "no"
            elif isinstance(value, str | int | float):
                yield key, value
            elif value is not None:
                yield key, " x ".join(map(str, value))

    return dict(items())
