"""Names of results, with places for what went in."""

from __future__ import annotations

import os
from pathlib import Path
from string import Formatter

from retarget_cli.core.errors import UsageError

FIELDS = ("source", "driving", "index", "backend")
_MOST = 100_000


def output_path(template: str, source: str, driving: str, backend: str) -> Path:
    """Fill in a name such as `out/{source}_{driving}_{index:03d}.mp4`.

    `{index}` is the first number from 1 whose name is not taken. Names that are filled in are data: whatever in
    them would lead to another folder is replaced.

    Raises:
        UsageError: an unknown field, or unbalanced braces.
    """
    if "index" not in fields_of(template):
        return Path(filled(template, source, driving, backend, 1))
    for index in range(1, _MOST):
        path = Path(filled(template, source, driving, backend, index))
        if not os.path.exists(path):  # False for names that are too long: the writer says so
            return path
    raise UsageError(f"--output {template}: all numbers up to {_MOST} are taken", "choose another name")


def fields_of(template: str) -> set[str]:
    """The places that a template has.

    Raises:
        UsageError: one of them is unknown, or braces are unbalanced.
    """
    try:
        fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise UsageError(f"--output {template}: {error}", "write {{ for a brace that is meant") from error
    unknown = sorted(fields - set(FIELDS))
    if unknown:
        places = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise UsageError(f"--output {template}: unknown {{{unknown[0]}}}", f"places are {places}")
    return fields


def filled(template: str, source: str, driving: str, backend: str, index: int) -> str:
    """A template of known fields with its places filled in.

    Raises:
        UsageError: a field is followed by something that is no format of it.
    """
    values = {"source": plain(source), "driving": plain(driving), "backend": plain(backend), "index": index}
    try:
        return template.format(**values)
    except (ValueError, KeyError, IndexError, AttributeError, MemoryError, OverflowError) as error:
        raise UsageError(
            f"--output {template}: {error}", "for example out/{source}_{index:03d}.mp4"
        ) from error


def plain(name: str) -> str:
    """A name without anything that a path would take for a folder."""
    kept = "".join("_" if sign in "/\\:\0" else sign for sign in name)
    return kept if kept.strip(".") else "_"
