"""The key of a study: what the opaque names in its page stand for. Participants never see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from retarget_cli.core.errors import InputError

FORMAT, VERSION = "retarget-study-key", 1
PAIRS, SINGLE = "pairs", "single"
# What the real film is called beside the methods.
TRUTH = "ground truth"


@dataclass(frozen=True, slots=True)
class Medium:
    """A film of the page: of which clip, by which method, in which evaluation."""

    clip: str
    method: str
    evaluation: str


@dataclass(frozen=True, slots=True)
class Item:
    """A question: of which design, and about which films."""

    design: str
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """Everything that was blinded.

    Attributes:
        study: name of the study; answers carry it.
        media: by opaque name.
        items: by opaque name.
    """

    study: str
    media: Mapping[str, Medium]
    items: Mapping[str, Item]

    def data(self) -> dict[str, Any]:
        """JSON types."""
        return {"format": FORMAT, "format_version": VERSION, **asdict(self)}

    @staticmethod
    def load(path: Path) -> Key:
        """Read a key.

        Raises:
            InputError: it is none, or of another version.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}", "keep the key that was written beside the page") from error
        except ValueError as error:
            raise InputError(f"{path}: not the key of a study: {error}") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("format_version") != VERSION:
            raise InputError(f"{path}: not a key that this program reads", "it is written by `retarget eval study`")
        try:
            media = {name: Medium(**each) for name, each in data["media"].items()}
            items = {name: Item(each["design"], tuple(each["media"])) for name, each in data["items"].items()}
            return Key(str(data["study"]), media, items)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: damaged: {error}", "write the study again") from error


def key_path(page: Path) -> Path:
    """Beside the page."""
    return page.with_name(f"{page.stem}-key.json")
