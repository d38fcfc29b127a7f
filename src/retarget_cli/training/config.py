"""The options of a run, written beside its checkpoints: a run goes on with those that it was begun with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retarget_cli.core.errors import UsageError
from retarget_cli.core.files import write_whole

# What a run may be given anew when it goes on.
FREE = ("steps",)


def write_config(path: Path, options: Mapping[str, Any]) -> None:
    """Write options as JSON.

    Raises:
        OutputError: they can't be written.
    """
    text = json.dumps(dict(options), indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text.encode(), "choose another --output")


def read_config(path: Path) -> dict[str, Any]:
    """What was written.

    Raises:
        UsageError: it is not there or damaged.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can't be read: {error}", "the run can't go on: begin a new one") from error
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no options", "the run can't go on: begin a new one")
    return found


def check_same(path: Path, asked: Mapping[str, Any]) -> None:
    """Refuse to go on with other options than the run was begun with.

    Raises:
        UsageError: some differ, and which; or fewer steps are asked for than before.
    """
    before = read_config(path)
    plain = json.loads(json.dumps(dict(asked)))
    differing = [
        f"{name} was {json.dumps(before.get(name), ensure_ascii=False)}, now "
        f"{json.dumps(plain.get(name), ensure_ascii=False)}"
        for name in sorted({*before, *plain} - set(FREE))
        if before.get(name) != plain.get(name)
    ]
    if differing:
        raise UsageError(
            f"{path.parent} was begun with other options: {'; '.join(differing)}",
            "give the same options to go on, or name another --output",
        )
    if plain.get("steps", 0) < before.get("steps", 0):
        raise UsageError(
            f"--steps {plain.get('steps')}: the run was begun for {before.get('steps')}", "steps may only grow"
        )
