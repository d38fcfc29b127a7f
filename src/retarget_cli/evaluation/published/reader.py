"""Reads the papers' tables."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LABEL = "published, not measured here"


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table of a paper, or the part of it that belongs to one task.

    Attributes:
        paper, number: where it stands.
        dataset, task: what was measured on, and what was asked of the methods.
        resolution, settings: as far as the paper tells.
        metrics: heads of the columns, with the direction of better.
        rows: method and values, as they are printed.
        note: what is odd about the printed numbers; mostly empty.
    """

    paper: str
    number: str
    dataset: str
    task: str
    resolution: str
    settings: str
    metrics: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    note: str = ""

    def value(self, method: str, metric: str) -> str:
        """As it is printed; the metric with or without its arrow.

        Raises:
            KeyError: there is no such row or column.
        """
        values = dict(self.rows)[method]
        names = [re.sub(r"\s*[↑↓]$", "", each) for each in self.metrics]
        bare = re.sub(r"\s*[↑↓]$", "", metric)
        if bare not in names:
            raise KeyError(metric)
        return values[names.index(bare)]

    def is_of(self, dataset: str) -> bool:
        """Whether it was measured on a data set of this name, however that is written."""
        return bool(dataset) and _letters(dataset) in [_letters(each) for each in _names(self.dataset)]


@cache
def published_tables() -> tuple[PublishedTable, ...]:
    """All of them, in the order of the papers."""
    text = files("retarget_cli.evaluation.published").joinpath("tables.toml").read_text(encoding="utf-8")
    return tuple(_table(item) for item in tomllib.loads(text)["table"])


def _table(item: dict[str, object]) -> PublishedTable:
    said = {key: str(value) for key, value in item.items() if key not in ("metrics", "rows")}
    metrics, rows = item["metrics"], item["rows"]
    assert isinstance(metrics, list)
    assert isinstance(rows, list)
    values = tuple((str(row[0]), tuple(str(each) for each in row[1:])) for row in rows)
    return PublishedTable(**said, metrics=tuple(metrics), rows=values)


def _names(dataset: str) -> list[str]:
    return re.split(r", | and | \(", dataset.rstrip(")"))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
