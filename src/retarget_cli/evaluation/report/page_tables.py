"""Tables of the page: results, what is not measured, differences, conditions, problems."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from retarget_cli.evaluation.report.facts import conditions, failures, notes
from retarget_cli.evaluation.report.markup import Markup, content, tag
from retarget_cli.evaluation.report.numbers import (
    ABSENT,
    arrow,
    best,
    counted,
    decimals,
    estimates,
    interval,
    is_certain,
    shown,
)
from retarget_cli.evaluation.report.shell import scrolled, sortable
from retarget_cli.evaluation.results import Difference, Estimate, Report
from retarget_cli.metrics.base import Info

# Columns of one table at most: more don't fit a printed page.
WIDEST = 6


def results(report: Report) -> Markup:
    """The main table, in parts where it has many columns."""
    parts = [_results(report, infos) for infos in in_parts(report.metrics)]
    rest = "best in bold" if len(report.methods) > 1 else "↑ higher is better, ↓ lower is"
    note = f"Mean over clips with its 95 % interval; {rest}. Heads sort."
    return content(*parts, tag("p", note, class_="note"))


def in_parts(infos: Sequence[Info]) -> list[Sequence[Info]]:
    """As few parts of about one size as are narrow enough."""
    if not infos:
        return []
    count = math.ceil(len(infos) / WIDEST)
    size = math.ceil(len(infos) / count)
    return [infos[start : start + size] for start in range(0, len(infos), size)]


def _results(report: Report, infos: Sequence[Info]) -> Markup:
    columns = {info.key: estimates(report, info.key) for info in infos}
    digits = {key: decimals(each.mean for each in found.values()) for key, found in columns.items()}
    winners = {info.key: best(columns[info.key], info, digits[info.key]) for info in infos}
    head = tag("tr", sortable("", "Method"), [metric_head(info) for info in infos])
    rows = [
        tag(
            "tr",
            tag("th", method, scope="row", data_value=method),
            [_cell(columns[i.key][method], digits[i.key], method in winners[i.key]) for i in infos],
        )
        for method in report.methods
    ]
    caption = tag("caption", "Results", class_="quiet")
    return scrolled(tag("table", caption, tag("thead", head), tag("tbody", rows), class_="sortable"), "Results")


def metric_head(info: Info) -> Markup:
    """The head of a metric's column."""
    unit = f" {info.unit}" if info.unit else ""
    return sortable("", f"{info.name} {arrow(info)}{unit}", info.is_higher_better, info.meaning)


def _cell(found: Estimate, digits: int, is_best: bool) -> Markup:
    mean = shown(found.mean, digits)
    number = tag("strong", mean) if is_best else tag("span", mean)
    around = interval(found, digits)
    kind = "number" if found.mean is not None else "number absent"
    value = None if found.mean is None else repr(found.mean)
    return tag("td", number, tag("small", around) if around else "", class_=kind, data_value=value)


def missing(report: Report) -> Markup:
    """Metrics that could not run, with what makes them run."""
    if not report.missing:
        return Markup()
    rows = [
        tag(
            "tr",
            tag("th", each.name, scope="row"),
            tag("td", ABSENT, class_="absent"),
            tag("td", each.reason),
            tag("td", tag("code", each.command)),
        )
        for each in report.missing
    ]
    heads = [tag("th", text, scope="col") for text in ("Metric", "", "Why", "What helps")]
    table = tag("table", tag("thead", tag("tr", heads)), tag("tbody", rows), class_="plain")
    return content(tag("h3", "Not measured"), scrolled(table, "Not measured"))


def differences(report: Report) -> Markup:
    """Every two methods, paired by clip."""
    if not report.differences:
        return Markup()
    infos = [info for info in report.metrics if any(each.metric == info.key for each in report.differences)]
    found = {(each.first, each.second, each.metric): each for each in report.differences}
    pairs = list(dict.fromkeys((each.first, each.second) for each in report.differences))
    digits = {info.key: _digits(report.differences, info.key) for info in infos}
    parts = []
    for part in in_parts(infos):
        head = tag("tr", sortable("", "Methods"), [metric_head(info) for info in part])
        rows = [
            tag(
                "tr",
                tag("th", f"{one} − {other}", scope="row", data_value=f"{one} {other}"),
                [_difference(found.get((one, other, info.key)), digits[info.key]) for info in part],
            )
            for one, other in pairs
        ]
        table = tag("table", tag("thead", head), tag("tbody", rows), class_="sortable")
        parts.append(scrolled(table, "Differences"))
    note = "First minus second, paired by clip, with the 95 % interval; bold where the interval leaves zero out."
    return content(tag("h3", "Differences"), *parts, tag("p", note, class_="note"))


def _digits(found: Sequence[Difference], key: str) -> int:
    return decimals(
        value for each in found if each.metric == key for value in (each.estimate.mean, each.estimate.low)
    )


def _difference(found: Difference | None, digits: int) -> Markup:
    if found is None or found.estimate.mean is None:
        return tag("td", ABSENT, class_="number absent")
    mean = ("+" if found.estimate.mean > 0 else "") + shown(found.estimate.mean, digits)
    number = tag("strong", mean) if is_certain(found.estimate) else tag("span", mean)
    around = interval(found.estimate, digits)
    small = tag("small", around) if around else ""
    return tag("td", number, small, class_="number", data_value=repr(found.estimate.mean))


def facts_of(report: Report) -> Markup:
    """All that must be known for a number to be believed."""
    said = [content(tag("dt", what), tag("dd", how)) for what, how in conditions(report)]
    heads = [tag("th", text, scope="col") for text in ("Metric", "What it measures", "Implementation", "Network")]
    rows = [
        tag(
            "tr",
            tag("th", info.name, scope="row"),
            tag("td", info.meaning),
            tag("td", info.implementation),
            tag("td", info.network or "–", tag("code", info.sha256, class_="hash") if info.sha256 else ""),
        )
        for info in report.metrics
    ]
    table = tag("table", tag("thead", tag("tr", heads)), tag("tbody", rows), class_="plain")
    return content(tag("h3", "Conditions"), tag("dl", said), scrolled(table, "Metrics"))


def problems(report: Report, others: Sequence[str], anchor: str) -> Markup:
    """What failed, and what else must be known."""
    return content(*_problems(report, others, anchor))


def _problems(report: Report, others: Sequence[str], anchor: str) -> Iterator[Markup]:
    failed, told = failures(report), notes(report)
    if not failed and not told and not others:
        return
    yield tag("h3", "Problems", id=anchor)
    for title, found in (("Without a result", failed), ("Notes", told)):
        if found:
            heads = [tag("th", text, scope="col") for text in ("Clip", "Method", title)]
            rows = [
                tag("tr", tag("th", clip, scope="row"), tag("td", method), tag("td", text))
                for clip, method, text in found
            ]
            table = tag("table", tag("thead", tag("tr", heads)), tag("tbody", rows), class_="plain")
            yield scrolled(table, title)
    if others:
        yield tag("ul", [tag("li", each) for each in others], class_="notes")


def alarm(report: Report, warnings: Sequence[str], anchor: str) -> Markup:
    """One line under the table where something failed; runs that don't quite fit together."""
    failed = len(failures(report))
    lines = [tag("p", text) for text in warnings]
    if failed:
        total = sum(len(clip.methods) for clip in report.clips)
        link = tag("a", "Problems", href=f"#{anchor}")
        lines.append(tag("p", f"{failed} of {counted(total, 'result')} failed; see ", link, "."))
    return tag("div", lines, class_="alarm", role="note") if lines else Markup()
