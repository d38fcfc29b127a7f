"""Which clips and frames are shown: all numbers are in the report, not all pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retarget_cli.evaluation.cases import evenly
from retarget_cli.evaluation.results import Clip, Report
from retarget_cli.metrics.base import Info

# Clips with pictures, frames of a contact sheet, frames called the worst.
MOST_CLIPS, SHEET, WORST = 40, 6, 5


@dataclass(frozen=True, slots=True)
class Bad:
    """A frame that a metric finds bad.

    Attributes:
        clip: its place in the report.
        method, metric: whose result, by which measure.
        index: of the frame in the clip.
        value: what the metric says.
    """

    clip: int
    method: str
    metric: str
    index: int
    value: float


def chosen_clips(report: Report, most: int, among: Sequence[int] | None = None) -> list[int]:
    """Places of the clips to be shown, in order: half of them the worst, the others evenly spread.

    Args:
        report: clips that no method could do have nothing to show.
        most: at most so many.
        among: choose only of these.
    """
    places = range(len(report.clips)) if among is None else among
    able = [place for place in places if any(not each.problem for each in report.clips[place].methods.values())]
    if len(able) <= most:
        return able
    badness = _badness(report, able)
    worst = sorted(able, key=lambda place: (-badness[place], place))[: most // 2]
    others = [place for place in able if place not in set(worst)]
    return sorted([*worst, *evenly(others, most - len(worst))])


def _badness(report: Report, places: Sequence[int]) -> dict[int, float]:
    """The mean rank of a clip over all metrics, 0 (best) to 1 (worst)."""
    ranks: dict[int, list[float]] = {place: [] for place in places}
    for info in report.metrics:
        means = {place: _mean(report.clips[place], info.key) for place in places}
        there = sorted((value, place) for place, value in means.items() if value is not None)
        if not info.is_higher_better:
            there.reverse()
        for rank, (_, place) in enumerate(there):
            ranks[place].append(1 - rank / max(1, len(there) - 1))
    return {place: sum(found) / len(found) if found else 0.0 for place, found in ranks.items()}


def _mean(clip: Clip, key: str) -> float | None:
    found = [value for each in clip.methods.values() if (value := each.means.get(key)) is not None]
    return sum(found) / len(found) if found else None


def sheet_frames(clip: Clip, count: int = SHEET) -> tuple[int, ...]:
    """Scored frames, evenly spread over the clip from its first to its last."""
    indices: tuple[int, ...] = next((each.indices for each in clip.methods.values() if each.indices), ())
    if len(indices) <= count:
        return indices
    return tuple(indices[round(number * (len(indices) - 1) / (count - 1))] for number in range(count))


def worst_frames(report: Report, count: int = WORST) -> tuple[Bad, ...]:
    """For each metric and method the frames with the worst values of all clips, the worst first."""
    found: list[Bad] = []
    for info in report.metrics:
        for method in report.methods:
            found += _worst(report.clips, info, method, count)
    return tuple(found)


def _worst(clips: Sequence[Clip], info: Info, method: str, count: int) -> list[Bad]:
    sign = 1.0 if info.is_higher_better else -1.0
    found: list[Bad] = []
    for place, clip in enumerate(clips):
        scored = clip.methods.get(method)
        if scored is None or scored.problem:
            continue
        values = zip(scored.indices, scored.frames.get(info.key, ()), strict=False)
        here = [Bad(place, method, info.key, index, value) for index, value in values if value is not None]
        found = sorted([*found, *here], key=lambda bad: (sign * bad.value, bad.clip, bad.index))[:count]
    return found


def by_clip(bad: Sequence[Bad]) -> Mapping[int, frozenset[tuple[str, int]]]:
    """Which frames (method, index) are needed of which clip."""
    places = {each.clip for each in bad}
    return {place: frozenset((each.method, each.index) for each in bad if each.clip == place) for place in places}
