"""What both the page and the Markdown say about a report besides its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from retarget_cli.evaluation.report.numbers import plain
from retarget_cli.evaluation.results import Report


def failures(report: Report) -> list[tuple[str, str, str]]:
    """(clip, method, reason) of all that has no result."""
    return [
        (clip.name, name, scored.problem)
        for clip in report.clips
        for name, scored in clip.methods.items()
        if scored.problem
    ]


def notes(report: Report) -> list[tuple[str, str, str]]:
    """(clip, method, note) of what else must be known."""
    return [
        (clip.name, name, note)
        for clip in report.clips
        for name, scored in clip.methods.items()
        for note in scored.notes
    ]


def conditions(report: Report) -> list[tuple[str, str]]:
    """(what, how) it was measured, without the metrics."""
    scored = [each for clip in report.clips for each in clip.methods.values()]
    sizes = dict.fromkeys(each.size for each in scored if any(each.size))
    codecs = dict.fromkeys(each.codec for each in scored if each.codec)
    found = [
        ("dataset", _said(report.dataset)),
        ("protocol", _said(report.protocol)),
        ("size", ", ".join(f"{width} × {height}" for height, width in sizes)),
        ("pixels", report.pixels),
        ("frames", "; ".join(codecs)),
        *((f"method {name}", _said(about)) for name, about in report.methods.items()),
        ("made by", f"retarget {report.version}, {report.machine}, {report.created}"),
    ]
    return [(what, how) for what, how in found if how]



def _said(values: Mapping[str, str | int | float] | Mapping[str, str]) -> str:
    return ", ".join(f"{plain(key)} {value}" for key, value in values.items() if value != "")
