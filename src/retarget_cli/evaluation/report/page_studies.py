"""The page's numbers from elsewhere: what people said, and what the papers print."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from retarget_cli.evaluation.published.reader import LABEL, PublishedTable
from retarget_cli.evaluation.report.markup import Markup, content, tag
from retarget_cli.evaluation.report.shell import scrolled, sortable
from retarget_cli.evaluation.study.results import Share, StudyResult, percent


def study_block(result: StudyResult) -> Markup:
    """Both designs of a user study."""
    parts: list[Markup] = []
    if result.preferences:
        rows = [
            tag(
                "tr",
                tag("th", f"{each.first} over {each.second}", scope="row", data_value=f"{each.first} {each.second}"),
                *_share(each.share),
            )
            for each in result.preferences
        ]
        parts.append(_table("Which looks more real?", "Preferred", rows))
    if result.reals:
        rows = [
            tag("tr", tag("th", each.method, scope="row", data_value=each.method), *_share(each.share))
            for each in result.reals
        ]
        parts.append(_table("Does this look real?", "Said to be real", rows))
    note = f"{result.summary}. Share of answers with Wilson's 95 % interval; answers count as independent."
    return tag(
        "section", tag("h2", "User study"), *parts, tag("p", note, class_="note"), id="study", class_="block"
    )


def _table(title: str, head: str, rows: Sequence[Markup]) -> Markup:
    heads = [sortable("", "Method"), sortable("", head, True), sortable("", "Answers", True)]
    table = tag(
        "table",
        tag("caption", title),
        tag("thead", tag("tr", heads)),
        tag("tbody", rows),
        class_="sortable",
    )
    return scrolled(table, title)


def _share(share: Share) -> tuple[Markup, Markup]:
    return (
        tag(
            "td",
            tag("span", percent(share.share)),
            tag("small", f"[{percent(share.low)}, {percent(share.high)}]"),
            class_="number",
            data_value=repr(share.share),
        ),
        tag("td", str(share.trials), class_="number", data_value=share.trials),
    )


def published_block(tables: Sequence[PublishedTable], datasets: Sequence[str]) -> Markup:
    """The papers' rows, apart from everything measured; papers that measured on the report's data sets first."""
    near = {each.paper for each in tables if any(each.is_of(name) for name in datasets)}
    ordered = sorted(tables, key=lambda each: each.paper not in near)
    parts: list[Markup] = []
    for paper, group in groupby(ordered, key=lambda each: each.paper):
        parts += [tag("h3", paper), *(_published(each) for each in group)]
    intro = (
        "Numbers as the papers print them, by their authors' code, weights and crops. They are for orientation: only "
        "what was measured by the same program under the same conditions can be compared."
    )
    return tag(
        "section",
        tag(
            "details",
            tag("summary", tag("h2", "The papers’ rows"), tag("em", LABEL, class_="label")),
            tag("p", intro, class_="note"),
            *parts,
        ),
        id="published",
        class_="block published",
    )


def _published(table: PublishedTable) -> Markup:
    said = [table.resolution, table.settings]
    caption = tag(
        "caption",
        tag("b", f"{table.number}, {table.dataset}"),
        f": {table.task}. ",
        tag("em", LABEL, class_="label"),
        tag("small", ". ".join(each for each in (*said, table.note) if each)),
    )
    heads = [tag("th", "Method", scope="col"), *(tag("th", m, scope="col", class_="number") for m in table.metrics)]
    rows = [
        tag("tr", tag("th", method, scope="row"), [tag("td", value, class_="number") for value in values])
        for method, values in table.rows
    ]
    whole = tag("table", caption, tag("thead", tag("tr", heads)), tag("tbody", rows), class_="plain")
    return content(scrolled(whole, f"{table.paper}, {table.number}: {LABEL}"))
