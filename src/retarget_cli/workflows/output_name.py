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
    try:
        fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise UsageError(f"--output {template}: {error}", "write {{ for a brace that is meant") from error
    unknown = sorted(fields - set(FIELDS))
    if unknown:
        places = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise UsageError(f"--output {template}: unknown {{{unknown[0]}}}", f"places are {places}")
    values = {"source": plain(source), "driving": plain(driving), "backend": plain(backend)}
    try:
        if "index" not in fields:
            return Path(template.format(**values))
        for index in range(1, _MOST):
            path = Path(template.format(index=index, **values))
            if not os.path.exists(path):  # False for names that are too long: the writer says so
                return path
    except (ValueError, KeyError, IndexError) as error:
        raise UsageError(
            f"--output {template}: {error}", "for example out/{source}_{index:03d}.mp4"
        ) from error
    raise UsageError(f"--output {template}: all numbers up to {_MOST} are taken", "choose another name")


def plain(name: str) -> str:
    """A name without anything that a path would take for a folder."""
    kept = "".join("_" if sign in "/\\:\0" else sign for sign in name)
    return kept if kept.strip(".") else "_"
