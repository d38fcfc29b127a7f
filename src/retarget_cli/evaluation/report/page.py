"""One self-contained HTML page: nothing in it reaches for the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retarget_cli.evaluation.published.reader import published_tables
from retarget_cli.evaluation.report.joining import Section
from retarget_cli.evaluation.report.markup import Markup, content, tag
from retarget_cli.evaluation.report.numbers import arrow, counted, decimals
from retarget_cli.evaluation.report.page_clips import Thumbs, worst
from retarget_cli.evaluation.report.page_studies import published_block, study_block
from retarget_cli.evaluation.report.page_tables import alarm, differences, facts_of, missing, problems, results
from retarget_cli.evaluation.report.selection import Bad
from retarget_cli.evaluation.report.shell import asset, whole_page
from retarget_cli.evaluation.results import Report, Scored
from retarget_cli.evaluation.study.results import StudyResult

# Digits that a plot needs.
PRECISION = 5


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pictures of a section.

    Attributes:
        articles: of the clips that are shown.
        shown: their places.
        bad: worst frames.
        thumbs: their pictures, by (clip, method, frame).
        notes: what was left out, what could not be read.
    """

    articles: tuple[Markup, ...]
    shown: tuple[int, ...]
    bad: tuple[Bad, ...]
    thumbs: Thumbs
    notes: tuple[str, ...] = ()


def page(sections: Sequence[Section], galleries: Sequence[Gallery], study: StudyResult | None) -> str:
    """The whole page."""
    title = sections[0].report.title if len(sections) == 1 else f"{len(sections)} evaluations"
    body = [_section(number, *both) for number, both in enumerate(zip(sections, galleries, strict=True))]
    if study is not None:
        body.append(study_block(study))
    datasets = [str(section.report.dataset.get("name", "")) for section in sections]
    body.append(published_block(published_tables(), datasets))
    data = {"sections": [_data(*both) for both in zip(sections, galleries, strict=True)]}
    header = _header(title, sections, study is not None)
    return whole_page(title, header, content(*body), data, asset("page.css"), asset("page.js"))


def _header(title: str, sections: Sequence[Section], has_study: bool) -> Markup:
    first = sections[0].report
    day = max(section.report.created for section in sections)
    facts = [f"retarget {first.version}", first.machine, day.replace("T", " ").replace("+00:00", " UTC")]
    links = [(f"#s{number}", f"Results {number + 1}") for number in range(len(sections))]
    if len(sections) == 1:
        links = [("#s0", "Results"), ("#s0-clips", "Clips"), ("#s0-conditions", "Conditions")]
    links += [("#study", "User study")] if has_study else []
    links += [("#published", "The papers’ rows")]
    return tag(
        "header",
        tag("h1", title),
        tag("p", " · ".join(each for each in facts if each), class_="sub"),
        tag("nav", [tag("a", text, href=target) for target, text in links], aria_label="Sections"),
        class_="top",
    )


def _section(number: int, section: Section, gallery: Gallery) -> Markup:
    report = section.report
    name = report.dataset.get("name", "")
    size = f"{counted(len(report.clips), 'clip')}, {counted(len(report.methods), 'method')}"
    troubles = f"s{number}-problems"
    return tag(
        "section",
        tag("h2", report.title if number or name == "" else "Results", " ", tag("small", f"{name}: {size}")),
        results(report),
        alarm(report, section.warnings, troubles),
        missing(report),
        differences(report),
        _explore(number, report, gallery),
        tag("div", facts_of(report), id=f"s{number}-conditions"),
        problems(report, gallery.notes, troubles),
        id=f"s{number}",
        class_="block run",
        data_section=number,
    )


def _explore(number: int, report: Report, gallery: Gallery) -> Markup:
    """All that follows the chosen metric."""
    infos = [info for info in report.metrics if not info.is_set]
    if not infos or not report.clips:
        return Markup()
    options = [tag("option", f"{info.name} {arrow(info)}", value=info.key) for info in infos]
    chooser = tag("label", "Metric ", tag("select", options, class_="metric"), class_="chooser")
    every = tag(
        "details",
        tag("summary", "Every clip in numbers"),
        tag("div", class_="every scroll", tabindex=0, role="region", aria_label="Every clip"),
    )
    total = len(report.clips)
    left = "" if len(gallery.shown) == total else f" {len(gallery.shown)} of {total} are shown: the worst, and others."
    note = tag("p", f"{counted(total, 'clip')}.{left}", class_="note")
    return tag(
        "div",
        tag("div", chooser, tag("span", class_="meaning"), class_="toolbar"),
        worst(report, number, gallery.bad, gallery.thumbs, frozenset(gallery.shown)),
        tag("h3", "Clips"),
        note,
        every,
        gallery.articles,
        class_="explore",
        id=f"s{number}-clips",
    )


def _data(section: Section, gallery: Gallery) -> dict[str, Any]:
    """What the page's program draws."""
    report = section.report
    infos = [info for info in report.metrics if not info.is_set]
    methods = list(report.methods)
    scored = [[clip.methods.get(name, Scored()) for name in methods] for clip in report.clips]
    return {
        "methods": methods,
        "metrics": [
            {
                "key": info.key,
                "name": info.name,
                "unit": info.unit,
                "meaning": info.meaning,
                "up": info.is_higher_better,
                "digits": decimals(each.means.get(info.key) for row in scored for each in row),
            }
            for info in infos
        ],
        "clips": [
            {"name": clip.name, "means": [{i.key: each.means.get(i.key) for i in infos} for each in row]}
            for clip, row in zip(report.clips, scored, strict=True)
        ],
        "plots": {str(place): [_series(each) for each in scored[place]] for place in gallery.shown},
    }


def _series(scored: Scored) -> dict[str, Any]:
    values = {key: [_rounded(value) for value in found] for key, found in scored.frames.items()}
    return {"at": list(scored.indices), "values": values}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{PRECISION}g}")
