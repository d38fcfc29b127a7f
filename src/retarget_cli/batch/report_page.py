"""The HTML of a batch's report; all texts are escaped here, or by the page's program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from retarget_cli.batch.status import span
from retarget_cli.core.version import installed_version
from retarget_cli.evaluation.report.markup import Markup, content, tag
from retarget_cli.evaluation.report.shell import asset, scrolled, sortable, whole_page

COLUMNS = (
    "number", "state", "source", "driving", "backend", "frames", "seconds", "fps", "device", "peak", "attempts",
    "reason", "output",
)  # fmt: skip
Row = tuple[str | int | float | None, ...]
_SECONDS, _STATE = COLUMNS.index("seconds"), COLUMNS.index("state")
# (column, label, whether the larger comes first when it is sorted; None for text); "" is not sorted.
_HEADS: tuple[tuple[str, str, bool | None], ...] = (
    ("number", "#", False), ("state", "State", None), ("source", "Source", None), ("driving", "Driving", None),
    ("backend", "Backend", None), ("", "First and middle frame", None), ("frames", "Frames", True),
    ("seconds", "Seconds", True), ("fps", "fps", True), ("device", "Device", None), ("peak", "Peak MiB", True),
    ("attempts", "Attempts", True), ("reason", "Reason or notes", None), ("output", "Output", None),
)  # fmt: skip
_MOST_BARS = 120
_WIDE, _TALL, _TOP = 960, 140, 18


@dataclass(frozen=True, slots=True)
class Facts:
    """What is told of the whole batch.

    Attributes:
        title: name of the folder.
        counts: items by state.
        work_seconds: of all last attempts together.
        wall_seconds: from the first begin to the last end of finished items.
        frames: of finished items.
        made: finished items whose begin and end are known.
        rows_left_out, without_picture, unreadable: items that the table leaves out, and finished ones that have no
            pictures because they are too many, or because they can't be read.
    """

    title: str
    counts: Mapping[str, int]
    work_seconds: float
    wall_seconds: float
    frames: int
    made: int
    rows_left_out: int
    without_picture: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that failed."""

    number: int
    source: str
    driving: str
    place: str
    kind: str
    reason: str


def page(
    facts: Facts, rows: Sequence[Row], failures: Sequence[Failure], pictures: Mapping[int, tuple[str, ...]]
) -> str:
    """The whole page."""
    body = content(_tiles(facts), _failed(facts, failures), _bars(rows), _table(facts))
    data = {
        "columns": COLUMNS,
        "rows": rows,
        "pictures": {str(number): found for number, found in pictures.items()},
    }
    made_by = tag("p", f"retarget {installed_version() or ''}".strip(), class_="sub")
    header = tag("header", tag("h1", "Batch ", tag("bdi", facts.title)), made_by, class_="top")
    own = "retarget_cli.batch"
    return whole_page(
        f"Batch {facts.title}", header, body, data, asset("report.css", own), asset("report.js", own)
    )


def lasted(seconds: float) -> str:
    """`3.2 s`, `4 min 05 s`, `2 h 07 min`."""
    return f"{seconds:.1f} s" if seconds < 60 else span(seconds)


def _tiles(facts: Facts) -> Markup:
    told = [(str(sum(facts.counts.values())), "items")]
    told += [(str(count), state) for state, count in facts.counts.items()]
    told += [(lasted(facts.work_seconds), "of work"), (str(facts.frames), "frames")]
    if facts.wall_seconds > 0:
        told += [
            (lasted(facts.wall_seconds), "first begin to last end"),
            (f"{60 * facts.made / facts.wall_seconds:.1f}", "items a minute"),
        ]
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for value, name in told], class_="tiles")


def _failed(facts: Facts, failures: Sequence[Failure]) -> Markup:
    if not failures:
        return Markup()
    heads = [tag("th", "#", scope="col", class_="number")]
    heads += [tag("th", text, scope="col") for text in ("Source", "Driving", "Asked for in", "Kind", "Reason")]
    rows = [
        tag(
            "tr",
            tag("td", str(each.number), class_="number"),
            [tag("td", tag("bdi", text)) for text in (each.source, each.driving, each.place, each.kind, each.reason)],
        )
        for each in failures
    ]
    table = tag("table", tag("thead", tag("tr", heads)), tag("tbody", rows), class_="plain failures")
    total = facts.counts.get("failed", 0)
    rest = total - len(failures)
    note = tag("p", f"{rest} more: choose “failed” in the table of all items.", class_="note") if rest > 0 else ""
    return tag("section", tag("h2", f"Failed ({total})"), scrolled(table, "Failed"), note, class_="block", id="failed")


def _bars(rows: Sequence[Row]) -> Markup:
    """Seconds of items in their order; of many, the mean of neighbours."""
    timed = [(float(row[_SECONDS] or 0), row[_STATE] == "failed") for row in rows if row[_SECONDS] is not None]
    if not timed:
        return Markup()
    size = -(-len(timed) // _MOST_BARS)
    groups = [timed[start : start + size] for start in range(0, len(timed), size)]
    bars = [(sum(each for each, _ in group) / len(group), all(bad for _, bad in group)) for group in groups]
    largest = max(value for value, _ in bars) or 1.0
    shape = tag(
        "svg",
        tag("text", f"{largest:.1f} s", x=0, y=12),
        list(_drawn(bars, largest)),
        viewBox=f"0 0 {_WIDE} {_TALL}",
        role="img",
        aria_label="Seconds of each item",
        class_="bars",
    )
    what = "each bar is one item" if size == 1 else f"each bar is the mean of {size} items that follow each other"
    note = tag("p", f"In the items' order; {what}.", class_="note")
    return tag("section", tag("h2", "Seconds an item"), shape, note, class_="block")


def _drawn(bars: Sequence[tuple[float, bool]], largest: float) -> Iterator[Markup]:
    step = _WIDE / max(len(bars), 20)
    for place, (value, is_bad) in enumerate(bars):
        height = max(1.0, (_TALL - _TOP) * value / largest)
        yield tag(
            "rect", tag("title", f"{value:.2f} s"), x=f"{place * step:.2f}", y=f"{_TALL - height:.2f}",
            width=f"{step * 0.85:.2f}", height=f"{height:.2f}", class_="failed" if is_bad else None,
        )  # fmt: skip


def _table(facts: Facts) -> Markup:
    states = [tag("option", "all", value="")]
    states += [tag("option", f"{name} ({count})", value=name) for name, count in facts.counts.items()]
    toolbar = tag(
        "div",
        tag("label", "Search ", tag("input", id="words", type="search", autocomplete="off")),
        tag("label", "State ", tag("select", states, id="state")),
        class_="toolbar",
    )
    turning = tag(
        "div",
        tag("button", "Before", type="button"),
        tag("span", id="where", aria_live="polite"),
        tag("button", "After", type="button"),
        class_="turning",
    )
    heads = [_head(*each) for each in _HEADS]
    table = tag("table", tag("thead", tag("tr", heads)), tag("tbody"), id="items")
    notes = [tag("p", text, class_="note") for text in _notes(facts)]
    return tag("section", tag("h2", "Items"), toolbar, scrolled(table, "Items"), turning, notes, class_="block")


def _head(column: str, label: str, is_higher_first: bool | None) -> Markup:
    if not column:
        return tag("th", label, scope="col")
    return Markup(sortable("", label, is_higher_first).replace("<th ", f'<th data-column="{column}" ', 1))


def _notes(facts: Facts) -> Iterator[str]:
    if facts.rows_left_out > 0:
        yield f"{facts.rows_left_out} items are not listed: the table has the first of them only."
    if facts.without_picture > 0:
        yield f"{facts.without_picture} finished items have no pictures here, so that the page stays small."
    if facts.unreadable > 0:
        yield f"{facts.unreadable} finished outputs can't be read any more, or lie elsewhere."
    yield "fps counts frames made in the last attempt; peak is what the worker's process had held by then."
