"""Writes the page of a user study, and the key to what it hides.

Both designs of the pose2video paper (section 5): films of the same motion side by side, and films for themselves. Each
participant gets an order and sides of his own. Nothing in the page tells which method a film is by.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from retarget_cli.core.errors import InputError, RetargetError, UsageError
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.evaluation.report.joining import Section, load_sections
from retarget_cli.evaluation.report.markup import data_block, filled
from retarget_cli.evaluation.study.films import Source, film_uri, size_of, sources
from retarget_cli.evaluation.study.key import PAIRS, SINGLE, Item, Key, Medium, key_path
from retarget_cli.evaluation.study.results import COLUMNS
from retarget_cli.media.files import write_whole

Design = Literal["pairs", "single", "both"]


def write_study(
    runs: Sequence[Path],
    out: Path,
    design: Design = "both",
    seed: int = 0,
    per_person: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a page, and its key beside it.

    Args:
        runs: folders that hold a report.json.
        out: the page.
        design: pairs (which looks more real?), single (does this look real?), or both.
        seed: of names, orders and sides.
        per_person: questions to each person, at most; None asks all.
        progress: told how many clips are done.

    Returns:
        The page's path.

    Raises:
        UsageError: `per_person` is below 1.
        InputError: a run has no report, or there is nothing to ask about.
        OutputError: a file can't be written.
    """
    if per_person is not None and per_person < 1:
        raise UsageError(f"--per-person {per_person}: expected 1 or more")
    progress = progress or Silence()
    sections = load_sections(runs)
    study = _name(sections, design, seed)
    films, media, items = _collect(sections, design, random.Random(f"{study} {seed}"), progress)
    if not items:
        wanted = "two films of the same clip" if design == PAIRS else "a rendered clip"
        raise InputError(f"nothing to ask: the study needs {wanted}", "add runs, or choose --design single")
    page = _page(study, seed, per_person, films, items)
    key = json.dumps(Key(study, media, items).data(), ensure_ascii=False, indent=1)
    write_whole(key_path(out), f"{key}\n".encode())
    return write_whole(out, page.encode())


def _name(sections: Sequence[Section], design: str, seed: int) -> str:
    """The same runs, design and seed are the same study."""
    told = json.dumps([[section.report.title, section.report.created, design, seed] for section in sections])
    return sha256(told.encode()).hexdigest()[:10]


def _collect(
    sections: Sequence[Section], design: str, chance: random.Random, progress: Progress
) -> tuple[dict[str, str], dict[str, Medium], dict[str, Item]]:
    """Films, what they are, and questions, each by opaque name."""
    films: dict[str, str] = {}
    media: dict[str, Medium] = {}
    items: dict[str, Item] = {}
    clips = [(section.report.title, clip) for section in sections for clip in section.report.clips]
    for number, (title, clip) in enumerate(clips):
        shown: list[str] = []
        for source, uri in _films(sources(clip), clip.name, progress):
            name = _opaque("f", chance, films)
            films[name], media[name] = uri, Medium(clip.name, source.method, title)
            shown.append(name)
        for kind, chosen in _questions(shown, design):
            items[_opaque("q", chance, items)] = Item(kind, chosen)
        progress.stage("pictures", number + 1, len(clips))
    return films, media, items


def _films(found: list[Source], clip: str, progress: Progress) -> Iterator[tuple[Source, str]]:
    """Those that can be read; the others are told."""
    try:
        size = size_of(found) if found else (0, 0)
    except RetargetError as error:
        progress.note(f"{clip}: {error.message}")
        return
    for source in found:
        try:
            yield source, film_uri(source, size)
        except RetargetError as error:
            progress.note(f"{clip}, {source.method}: {error.message}")


def _questions(shown: Sequence[str], design: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if design in (PAIRS, "both"):
        yield from ((PAIRS, pair) for pair in combinations(shown, 2))
    if design in (SINGLE, "both"):
        yield from ((SINGLE, (name,)) for name in shown)


def _opaque(letter: str, chance: random.Random, taken: dict[str, Any]) -> str:
    """A name that tells nothing, not even an order."""
    while True:
        name = f"{letter}{chance.getrandbits(32):08x}"
        if name not in taken:
            return name


def _page(study: str, seed: int, per_person: int | None, films: dict[str, str], items: dict[str, Item]) -> str:
    data = {
        "study": study,
        "seed": seed,
        "perPerson": per_person,
        "columns": COLUMNS,
        "films": dict(sorted(films.items())),  # by their random names: the order tells nothing either
        "items": [
            {"name": name, "design": item.design, "films": sorted(item.media)} for name, item in sorted(items.items())
        ],
    }
    return filled(
        _asset("study.html"),
        style=_asset("study.css"),
        data=data_block("data", data),
        program=_asset("study.js"),
    )


def _asset(name: str) -> str:
    return files("retarget_cli.evaluation.study").joinpath("assets", name).read_text(encoding="utf-8")
