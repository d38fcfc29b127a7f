"""What a batch consists of: every source with every clip, or what a pairs file asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retarget_cli.backends.registry import DEFAULT
from retarget_cli.batch.apart import Own, check_apart, foreign, once
from retarget_cli.batch.columns import absolute, options_from, placed, settled
from retarget_cli.batch.folders import Candidate, Note, find_drivings, find_sources, short_name
from retarget_cli.batch.item import Item, Value
from retarget_cli.batch.naming import (
    DEFAULT_TEMPLATE,
    TRANSPARENT_TEMPLATE,
    Numbered,
    Places,
    check_template,
    fitting_name,
)
from retarget_cli.batch.pairs import MOST_ROWS, Row, read_pairs
from retarget_cli.core.errors import UsageError

MOST_ITEMS = MOST_ROWS
# What stands for {backend} where a subject file brings its own method: to know it the file would have to be opened.
_OWN_BACKEND = "subject"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made.

    Attributes:
        items: in order.
        notes: what the user should know, such as files that are left out.
    """

    items: list[Item]
    notes: tuple[str, ...] = ()


def plan_items(
    sources: Sequence[str],
    drivings: Sequence[str],
    pairs: Path | None,
    template: str | None = None,
    common: Mapping[str, Value] | None = None,
    own: Own | None = None,
) -> Plan:
    """Everything that is to be made, in order; one source's items follow each other where folders are given.

    Args:
        sources, drivings: folders, files, globs or URLs; every source goes with every clip.
        pairs: a pairs file instead; it may name outputs.
        template: of outputs inside the output folder; places are {source} {driving} {backend} {index}, the last
            being the item's number; None: the usual one, .mov where the background is transparent.
        common: options of `retarget animate` (columns) that hold where a row says nothing else; relative paths in it
            count from the working folder.
        own: the output folder, so that nothing in it is both made and read; None: it lies apart.

    Raises:
        UsageError: an option is impossible, two outputs are one, or one would take an input's place.
        InputError: a place holds nothing, or the pairs file can't be read.
    """
    if template is not None:
        check_template(template)
    everywhere = placed(options_from(common or {}, "--"), absolute)
    if pairs is not None:
        if sources or drivings:
            raise UsageError("--pairs names sources and clips itself", "leave out --source and --driving")
        return _apart(Plan(list(_of_rows(read_pairs(pairs), template, everywhere))), own)
    if not sources or not drivings:
        raise UsageError("sources and driving clips are needed", "give --source and --driving, or --pairs")
    notes: list[str] = []
    shown = _found(find_sources, sources, own, notes.append)
    moving = _found(find_drivings, drivings, own, notes.append)
    return _apart(Plan(list(_of_folders(shown, moving, template, everywhere)), tuple(notes)), own)


def _found(
    find: Callable[[Sequence[str], Note], list[Candidate]], places: Sequence[str], own: Own | None, note: Note
) -> list[Candidate]:
    """What is found in all places, each once, and nothing of what this batch has made."""
    found: list[Candidate] = []
    for place in places:
        inside = find([place], note)
        found += inside if own is None else foreign(inside, place, own, note)
    return once(found, note)


def _apart(plan: Plan, own: Own | None) -> Plan:
    if own is not None:
        check_apart(plan.items, own)
    return plan


def _of_folders(
    sources: Sequence[Candidate], drivings: Sequence[Candidate], template: str | None, common: Mapping[str, Value]
) -> Iterator[Item]:
    if len(sources) * len(drivings) > MOST_ITEMS:
        raise UsageError(
            f"{len(sources)} sources with {len(drivings)} clips are more than {MOST_ITEMS} videos",
            "make several batches of it",
        )
    names = Numbered()
    number = 0
    for source in sources:
        whom: dict[str, Value] = {"subject": source.place} if source.is_subject else {"source": (source.place,)}
        for driving in drivings:
            number += 1
            options = settled({**common, **whom, "driving": driving.place})
            named = _usual(options) if template is None else template
            name = fitting_name(named, source.name, driving.name, backend_of(options), number)
            yield Item(number, options, source.name, driving.name, names.once(name))


def _of_rows(rows: Sequence[Row], template: str | None, common: Mapping[str, Value]) -> Iterator[Item]:
    taken = Places()
    for number, row in enumerate(rows, 1):
        try:
            options = settled({**common, **row.options})
            shown = options.get("source") or (options["subject"],)
            source, driving = short_name(str(shown[0])), short_name(str(options["driving"]))
            if row.output:
                check_template(row.output)
            named = row.output or (_usual(options) if template is None else template)
            name = fitting_name(named, source, driving, backend_of(options), number)
        except UsageError as error:
            raise UsageError(f"{row.place}, {error.message}", error.hint) from error
        taken.take(name, row.place)
        yield Item(number, options, source, driving, name, row.place)


def _usual(options: Mapping[str, Value]) -> str:
    """The template where the user gives none; what stands beside source and clip is never transparent."""
    is_transparent = options.get("background") == "transparent" and options.get("compare") != "true"
    return TRANSPARENT_TEMPLATE if is_transparent else DEFAULT_TEMPLATE


def backend_of(options: Mapping[str, Value]) -> str:
    """The method's name, as far as it can be known without opening a file."""
    return str(options.get("backend") or (_OWN_BACKEND if "subject" in options else DEFAULT))
