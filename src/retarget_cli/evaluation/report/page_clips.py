"""The page's pictures: clips one by one, and the worst frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retarget_cli.evaluation.report.film import Film
from retarget_cli.evaluation.report.footage import Footage
from retarget_cli.evaluation.report.markup import Markup, content, tag
from retarget_cli.evaluation.report.numbers import decimals, shown
from retarget_cli.evaluation.report.selection import Bad
from retarget_cli.evaluation.results import Clip, Report

Thumbs = Mapping[tuple[int, str, int], str]


def anchor_of(section: int, place: int) -> str:
    """Where a clip stands in the page."""
    return f"s{section}-clip{place}"


def article(section: int, place: int, clip: Clip, footage: Footage) -> Markup:
    """Everything that is shown of one clip."""
    failed = [
        tag("p", tag("b", name), f": no result. {scored.problem}", class_="note")
        for name, scored in clip.methods.items()
        if scored.problem
    ]
    broken = [tag("p", text, class_="note") for text in footage.problems]
    plot = tag("figure", tag("div", class_="chart"), tag("figcaption", class_="legend"), class_="plot", data_clip=place)
    return tag(
        "article",
        tag("h4", clip.name),
        failed,
        broken,
        _sheet(clip, footage),
        plot,
        _film(clip.name, footage.film),
        class_="clip",
        id=anchor_of(section, place),
    )


def _sheet(clip: Clip, footage: Footage) -> Markup:
    if not footage.columns:
        return Markup()
    count = len(footage.columns)
    rows = []
    if footage.source:
        share = f"--share:{min(1.0, footage.sources / count):.4g}"
        rows.append(_row("source", "real", footage.source, f"Source pictures of {clip.name}", share))
    numbers = [tag("span", str(index)) for index in footage.columns]
    rows.append(
        tag("div", tag("span", "frame", class_="label"), tag("div", numbers, class_="numbers"), class_="row heads")
    )
    for row in footage.rows:
        rows.append(_row(row.label, row.kind, row.picture, f"{row.label}, frames {_frames(footage)} of {clip.name}"))
    return tag("div", rows, class_="sheet", style=f"--count:{count};--wide:{footage.cell[1] * count}px")


def _frames(footage: Footage) -> str:
    return ", ".join(map(str, footage.columns))


def _row(label: str, kind: str, picture: str, alt: str, style: str | None = None) -> Markup:
    image = tag("img", src=picture, alt=alt, style=style)
    return tag("div", tag("span", label, class_="label"), tag("div", image), class_=f"row {kind}")


def _film(name: str, film: Film | None) -> Markup:
    if film is None:
        return Markup()
    labels = [tag("span", panel) for panel in film.panels]
    said = f"{', '.join(film.panels)} of {name}, side by side"
    height, width = film.size
    video = tag(
        "video", src=film.film, controls=True, muted=True, loop=True, playsinline=True, preload="metadata",
        width=width, height=height, aria_label=said, data_rate=f"{film.rate:g}",
    )  # fmt: skip
    still = tag("img", src=film.poster, alt=f"First frame: {said}", class_="still")
    cut = tag("figcaption", "The beginning of the clip only.", class_="note") if film.is_cut else ""
    return tag(
        "figure",
        tag("div", labels, class_="panels"),
        video,
        still,
        cut,
        class_="film",
        style=f"--count:{len(film.panels)};--wide:{width}px",
    )


def worst(report: Report, section: int, bad: Sequence[Bad], thumbs: Thumbs, shown_clips: frozenset[int]) -> Markup:
    """For each metric a block with a row a method; the page shows the block of the chosen metric."""
    blocks: list[Markup] = []
    for info in report.metrics:
        found = [each for each in bad if each.metric == info.key]
        if not found:
            continue
        digits = decimals(each.value for each in found)
        rows = []
        for method in report.methods:
            own = [each for each in found if each.method == method]
            figures = [_thumbnail(report, section, each, thumbs, digits, shown_clips) for each in own]
            if figures:
                rows.append(tag("div", tag("h5", method), tag("div", figures, class_="thumbs"), class_="row"))
        is_hidden = bool(blocks)
        blocks.append(tag("div", rows, class_="worst", data_metric=info.key, hidden=is_hidden))
    if not blocks:
        return Markup()
    note = "The five frames of all clips with the worst value: target, result, difference ×3."
    return content(tag("h3", "Worst frames"), tag("p", note, class_="note"), *blocks)


def _thumbnail(
    report: Report, section: int, bad: Bad, thumbs: Thumbs, digits: int, shown_clips: frozenset[int]
) -> Markup:
    name = report.clips[bad.clip].name
    picture = thumbs.get((bad.clip, bad.method, bad.index))
    alt = f"{bad.method} on {name}, frame {bad.index}: target, result, difference"
    image = tag("img", src=picture, alt=alt) if picture else tag("span", "no picture", class_="blank")
    label = tag("a", name, href=f"#{anchor_of(section, bad.clip)}") if bad.clip in shown_clips else tag("span", name)
    value = tag("span", shown(bad.value, digits), class_="value")
    return tag("figure", image, tag("figcaption", label, tag("span", f"frame {bad.index}"), value))
