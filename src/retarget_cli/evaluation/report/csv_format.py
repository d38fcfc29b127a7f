"""Reports as CSV: one row a method and metric, and one row a clip, method and metric."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from retarget_cli.evaluation.report.numbers import words
from retarget_cli.evaluation.results import Estimate, Report, Scored
from retarget_cli.metrics.base import Info

Cell = str | int | float | None
SUMMARY = (
    "dataset", "protocol", "method", "metric", "name", "unit", "better", "mean", "low", "high", "clips", "frames",
    "implementation", "network", "sha256", "problem",
)  # fmt: skip
CLIPS = (
    "dataset", "protocol", "clip", "method", "metric", "mean", "frames", "height", "width", "codec", "seconds",
    "problem",
)  # fmt: skip


def csv_text(*reports: Report) -> str:
    """One row a method and metric; metrics that could not run have no mean, and a problem."""
    return _text(SUMMARY, (row for report in reports for row in _summary(report)))


def clips_csv_text(*reports: Report) -> str:
    """One row a clip, method and metric; a clip that failed has one row a method, with the problem."""
    return _text(CLIPS, (row for report in reports for row in _clips(report)))


def _text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return file.getvalue()


def _summary(report: Report) -> Iterator[list[Cell]]:
    for method, found in report.overall.items():
        start: list[Cell] = [_name(report), words(report.protocol), method]
        for info in report.metrics:
            each = found.get(info.key, Estimate(None))
            yield [
                *start, info.key, info.name, info.unit, _better(info), each.mean, each.low, each.high, each.clips,
                each.frames, info.implementation, info.network, info.sha256,
                "" if info.key in found else "not measured",
            ]  # fmt: skip
        for missing in report.missing:
            problem = f"{missing.reason}: {missing.command}"
            yield [*start, missing.key, missing.name, *([None] * 10), problem]


def _clips(report: Report) -> Iterator[list[Cell]]:
    for clip in report.clips:
        for method, scored in clip.methods.items():
            start: list[Cell] = [_name(report), words(report.protocol), clip.name, method]
            end: list[Cell] = [*_size(scored), scored.codec, scored.seconds, scored.problem]
            if scored.problem:
                yield [*start, None, None, None, *end]
                continue
            for info in report.metrics:
                if info.key in scored.means:
                    values = scored.frames.get(info.key, ())
                    count = sum(value is not None for value in values)
                    yield [*start, info.key, scored.means[info.key], count, *end]


def _size(scored: Scored) -> tuple[Cell, Cell]:
    return scored.size if any(scored.size) else (None, None)


def _name(report: Report) -> str:
    return str(report.dataset.get("name", ""))


def _better(info: Info) -> str:
    return "higher" if info.is_higher_better else "lower"
