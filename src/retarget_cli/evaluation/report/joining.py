"""Runs side by side: which belong together, and what their methods are called then."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from retarget_cli.core.errors import UsageError
from retarget_cli.evaluation.report.numbers import counted, listed
from retarget_cli.evaluation.results import Clip, Difference, Estimate, Report, Scored
from retarget_cli.evaluation.statistics import paired

FILE = "report.json"


@dataclass(frozen=True, slots=True)
class Section:
    """Runs of one data set under one protocol, as one report.

    Attributes:
        report: all methods; paths of media are absolute.
        warnings: why numbers beside each other may not be comparable.
    """

    report: Report
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    folder: Path
    report: Report
    names: Mapping[str, str]  # of its methods, as they are called in the section


def load_sections(runs: Sequence[Path]) -> tuple[Section, ...]:
    """Read runs and join those that belong together.

    Raises:
        UsageError: no run was given.
        InputError: a folder holds no report.
    """
    if not runs:
        raise UsageError("no run to report on", "give the folder of a run of `retarget eval`")
    folders = list(dict.fromkeys(Path(os.path.abspath(run)) for run in runs))
    return merge([(folder, Report.load(folder / FILE)) for folder in folders])


def merge(reports: Sequence[tuple[Path, Report]]) -> tuple[Section, ...]:
    """One section for every data set and protocol, in the order of their first run.

    Args:
        reports: each with the folder that its media paths are relative to.
    """
    groups: dict[str, list[tuple[Path, Report]]] = {}
    for folder, report in reports:
        groups.setdefault(_kind(report), []).append((folder, report))
    return tuple(_joined(group) for group in groups.values())


def _kind(report: Report) -> str:
    """Equal for runs of which methods may stand side by side."""
    dataset = {key: value for key, value in report.dataset.items() if key != "clips"}
    return json.dumps([dataset, dict(report.protocol), report.pixels], sort_keys=True)


def _joined(group: Sequence[tuple[Path, Report]]) -> Section:
    if len(group) == 1:
        folder, report = group[0]
        return Section(replace(report, clips=tuple(_placed(clip, folder) for clip in report.clips)))
    runs = _named(group)
    first = runs[0].report
    clips = _clips(runs)
    metrics = {info.key: info for run in runs for info in run.report.metrics}
    missing = {each.key: each for run in runs for each in run.report.missing if each.key not in metrics}
    methods = [name for run in runs for name in run.names.values()]
    report = replace(
        first,
        title=first.title if len({run.report.title for run in runs}) == 1 else f"{first.title} and others",
        created=max(run.report.created for run in runs),
        version=_each(runs, lambda report: report.version),
        machine=_each(runs, lambda report: report.machine),
        dataset={**first.dataset, "clips": len(clips)},
        metrics=tuple(metrics.values()),
        missing=tuple(missing.values()),
        methods={new: run.report.methods[old] for run in runs for old, new in run.names.items()},
        overall={new: run.report.overall.get(old, {}) for run in runs for old, new in run.names.items()},
        differences=tuple(
            Difference(one, other, info.key, _difference(clips, one, other, info.key))
            for one, other in combinations(methods, 2)
            for info in metrics.values()
            if not info.is_set
        ),
        clips=clips,
    )
    return Section(report, tuple(_warnings(runs)))


def _named(group: Sequence[tuple[Path, Report]]) -> list[_Run]:
    """Methods of one name in several runs are told apart by the runs' folders, or by numbers where those agree too."""
    often = Counter(name for _, report in group for name in report.methods)
    taken: set[str] = set()
    runs = []
    for folder, report in group:
        names = {}
        for name in report.methods:
            wanted = name if often[name] == 1 else f"{name} ({folder.name})"
            unique, number = wanted, 2
            while unique in taken:
                unique, number = f"{wanted} #{number}", number + 1
            taken.add(unique)
            names[name] = unique
        runs.append(_Run(folder, report, names))
    return runs


def _clips(runs: Sequence[_Run]) -> tuple[Clip, ...]:
    """All clips of all runs, in the order in which they come first."""
    found: dict[str, Clip] = {}
    for run in runs:
        for clip in run.report.clips:
            placed = _placed(clip, run.folder)
            methods = {run.names[name]: scored for name, scored in placed.methods.items()}
            before = found.get(clip.name)
            found[clip.name] = replace(before or placed, methods={**(before.methods if before else {}), **methods})
    everyone = [name for run in runs for name in run.names.values()]
    return tuple(
        replace(clip, methods={name: clip.methods.get(name, Scored(problem="not in this run")) for name in everyone})
        for clip in found.values()
    )


def _placed(clip: Clip, folder: Path) -> Clip:
    """With absolute paths."""

    def place(path: str) -> str:
        return str(folder / path) if path else ""

    methods = {name: replace(scored, media=place(scored.media)) for name, scored in clip.methods.items()}
    return replace(
        clip,
        source=tuple(place(path) for path in clip.source),
        driving=place(clip.driving),
        target=place(clip.target),
        methods=methods,
    )


def relative_to(report: Report, folder: Path) -> Report:
    """With media paths relative to a folder where they lie inside of it: what `report.json` in that folder holds."""
    root = os.path.abspath(folder) + os.sep

    def place(path: str) -> str:
        return path.removeprefix(root)

    def moved(clip: Clip) -> Clip:
        return replace(
            clip,
            source=tuple(place(path) for path in clip.source),
            driving=place(clip.driving),
            target=place(clip.target),
            methods={name: replace(each, media=place(each.media)) for name, each in clip.methods.items()},
        )

    return replace(report, clips=tuple(moved(clip) for clip in report.clips))


def _difference(clips: Sequence[Clip], first: str, second: str, key: str) -> Estimate:
    """Of the clips that both have."""
    return paired(*([clip.methods[name].means.get(key) for clip in clips] for name in (first, second)))


def _each(runs: Sequence[_Run], what: Callable[[Report], str]) -> str:
    return "; ".join(dict.fromkeys(what(run.report) for run in runs))


def _warnings(runs: Sequence[_Run]) -> list[str]:
    found = []
    names = [frozenset(clip.name for clip in run.report.clips) for run in runs]
    shared = frozenset.intersection(*names)
    if any(each != shared for each in names):
        pairs = zip(runs, names, strict=True)
        sizes = listed([f"{run.folder.name}: {counted(len(each), 'clip')}" for run, each in pairs])
        found.append(
            f"The runs hold different clips ({sizes}; {len(shared)} in all of them): means in the table are over the "
            "clips that each method has, differences over those that both have."
        )
    infos = [{info.key: info for info in run.report.metrics} for run in runs]
    for key in dict.fromkeys(key for each in infos for key in each):
        ways = {(each[key].implementation, each[key].network, each[key].sha256) for each in infos if key in each}
        if len(ways) > 1:
            name = next(each[key].name for each in infos if key in each)
            found.append(f"{name} was measured in different ways ({len(ways)}): its numbers must not be compared.")
    if len({run.report.version for run in runs}) > 1:
        found.append("The runs were made by different versions of retarget.")
    return found
