"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retarget_cli.evaluation.report.facts import conditions, failures, notes
from retarget_cli.evaluation.report.numbers import (
    ABSENT,
    arrow,
    best,
    decimals,
    estimates,
    heading,
    interval,
    is_certain,
    shown,
)
from retarget_cli.evaluation.results import Estimate, Report
from retarget_cli.evaluation.study.results import Share, StudyResult, percent

NOTE = "Means over clips with their 95 % interval, `mean [low, high]`; ↑ higher is better, ↓ lower is; **best**."


def markdown(report: Report, warnings: Sequence[str] = ()) -> str:
    """Table, what is not measured, differences, conditions, and what failed."""
    return "\n".join(_lines(report, warnings)).rstrip() + "\n"


def _lines(report: Report, warnings: Sequence[str]) -> Iterator[str]:
    yield from (f"# {escaped(report.title)}", "")
    yield from _results(report)
    for warning in warnings:
        yield from (f"> {escaped(warning)}", "")
    yield from _missing(report)
    yield from _differences(report)
    yield from _conditions(report)
    yield from _problems(report)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], is_text: int = 1) -> Iterator[str]:
    """A table; the first `is_text` columns are text, the others numbers, which stand at the right."""
    yield f"| {' | '.join(header)} |"
    yield f"|{'|'.join([' --- '] * is_text + [' ---: '] * (len(header) - is_text))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def escaped(text: str) -> str:
    """Text that means nothing to Markdown, on one line."""
    kept = "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)
    return " ".join(kept.split())


def code(text: str) -> str:
    """A command, also inside a table."""
    inside = " ".join(text.split()).replace("|", "\\|")
    return f"`` {inside} ``" if "`" in inside else f"`{inside}`"


def _results(report: Report) -> Iterator[str]:
    columns = {}
    for info in report.metrics:
        found = estimates(report, info.key)
        digits = decimals(each.mean for each in found.values())
        winners = best(found, info, digits)
        columns[info.key] = {name: _cell(each, digits, name in winners) for name, each in found.items()}
    header = ["method", *(escaped(heading(info)) for info in report.metrics)]
    rows = [[escaped(name), *(columns[info.key][name] for info in report.metrics)] for name in report.methods]
    yield from table(header, rows)
    yield from (NOTE, "")


def _cell(found: Estimate, digits: int, is_best: bool) -> str:
    mean = shown(found.mean, digits)
    return f"{f'**{mean}**' if is_best else mean} {_bracketed(interval(found, digits))}".strip()


def _bracketed(text: str) -> str:
    """Brackets that don't begin a link."""
    return text.replace("[", "\\[").replace("]", "\\]")


def _missing(report: Report) -> Iterator[str]:
    if report.missing:
        yield from ("## Not measured", "")
        rows = [[escaped(each.name), ABSENT, escaped(each.reason), code(each.command)] for each in report.missing]
        yield from table(["metric", "", "why", "what helps"], rows, 4)


def _differences(report: Report) -> Iterator[str]:
    if not report.differences:
        return
    yield from ("## Differences", "")
    infos = {info.key: info for info in report.metrics}
    rows = []
    for each in report.differences:
        found = each.estimate
        digits = decimals((found.mean, found.low, found.high))
        text = shown(found.mean, digits)
        info = infos[each.metric]
        certain = f"**{text}**" if is_certain(found) else text
        rows.append([
            f"{escaped(each.first)} − {escaped(each.second)}",
            f"{escaped(info.name)} {arrow(info)}",
            f"{certain} {_bracketed(interval(found, digits))}".strip(),
            str(found.clips),
        ])  # fmt: skip
    yield from table(["methods", "metric", "difference", "clips"], rows, 2)
    yield from ("Paired by clip, with the 95 % interval; **bold** where it leaves zero out.", "")


def _conditions(report: Report) -> Iterator[str]:
    yield from ("## Conditions", "")
    yield from (f"- {escaped(what)}: {escaped(how)}" for what, how in conditions(report))
    yield ""
    header = ["metric", "what it measures", "implementation", "network", "SHA-256"]
    rows = [
        [escaped(text) for text in (info.name, info.meaning, info.implementation, info.network or "–")]
        + [code(info.sha256) if info.sha256 else "–"]
        for info in report.metrics
    ]
    yield from table(header, rows, 5)


def _problems(report: Report) -> Iterator[str]:
    for title, found in (("Failed", failures(report)), ("Notes", notes(report))):
        if found:
            yield from (f"## {title}", "")
            yield from (f"- {escaped(clip)}, {escaped(method)}: {escaped(text)}" for clip, method, text in found)
            yield ""


def study_markdown(result: StudyResult) -> str:
    """What people said."""
    lines = ["# User study", ""]
    if result.preferences:
        rows = [
            [f"{escaped(each.first)} over {escaped(each.second)}", *_share(each.share)] for each in result.preferences
        ]
        lines += ["## Which looks more real?", "", *table(["methods", "preferred", "answers"], rows)]
    if result.reals:
        rows = [[escaped(each.method), *_share(each.share)] for each in result.reals]
        lines += ["## Does this look real?", "", *table(["method", "said to be real", "answers"], rows)]
    lines.append(f"{result.summary}. Shares with Wilson's 95 % interval; answers count as independent.")
    return "\n".join(lines) + "\n"


def _share(share: Share) -> list[str]:
    around = _bracketed(f"[{percent(share.low)}, {percent(share.high)}]")
    return [f"{percent(share.share)} {around}", str(share.trials)]
