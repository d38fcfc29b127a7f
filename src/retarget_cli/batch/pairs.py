"""Files that say which videos to make, a row each: .csv, .jsonl or .yaml; columns are `retarget animate`'s options.

Every fault names the file, the line and the column. Relative paths count from the folder of the pairs file where they
exist there, and else from the working folder. Nothing in such a file can do more than name options: no tags, anchors
or nested values, and a size that is bounded before anything is kept.
"""

from __future__ import annotations

import csv
import glob
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retarget_cli.batch.columns import COLUMNS, options_from, placed
from retarget_cli.batch.item import Value
from retarget_cli.batch.pairs_text import Cells, at, lines, named, new_name
from retarget_cli.batch.pairs_yaml import yaml_rows
from retarget_cli.batch.urls import is_url
from retarget_cli.core.errors import InputError, UsageError

KINDS = (".csv", ".jsonl", ".yaml", ".yml")
MOST_ROWS = 1_000_000
_DELIMITERS = (",", ";", "\t")
_SEVERAL = "|"


@dataclass(frozen=True, slots=True)
class Row:
    """One video that is asked for.

    Attributes:
        place: such as "pairs.csv, line 3".
        options: checked and in their usual form, files' names whole; without `output`.
        output: name or template of the result; empty where the row has none.
    """

    place: str
    options: Mapping[str, Value]
    output: str = ""


def read_pairs(path: Path) -> list[Row]:
    """All rows of a pairs file.

    Raises:
        InputError: it can't be read, is of no known kind, too large, or broken.
        UsageError: a column is unknown, or a value impossible.
    """
    kind = path.suffix.lower()
    readers = {".csv": _csv_rows, ".jsonl": _json_rows, ".yaml": yaml_rows, ".yml": yaml_rows}
    if kind not in readers:
        raise InputError(f"{path}: {kind or 'no ending'} is no kind of pairs file", f"expected {', '.join(KINDS)}")
    rows: list[Row] = []
    for number, cells in readers[kind](path):
        if len(rows) == MOST_ROWS:
            raise InputError(f"{at(path, number)}: there are more than {MOST_ROWS} rows", "make several batches of it")
        rows.append(_row(path, number, cells))
    if not rows:
        raise InputError(f"{path} asks for no video: it has no rows", "write a source and a driving clip in each row")
    return rows


def _row(path: Path, number: int, cells: Cells) -> Row:
    place = at(path, number)
    try:
        options = options_from({name: tuple(texts) for name, texts in cells.items()})
        if "driving" not in options:
            raise UsageError("column driving: is empty", "name a clip, a folder of frames or a motion file")
        if not {"source", "subject"} & options.keys():
            raise UsageError("column source: is empty", "name photos or a clip of one person, or a subject file")
    except UsageError as error:
        raise UsageError(f"{place}, {error.message}", error.hint) from error
    output = options.pop("output", "")
    sources = options.get("source", ())
    if sources:
        options["source"] = tuple(file for text in sources for file in _files(path.parent, text))
    return Row(place, placed(options, lambda text: _near(path.parent, text)), str(output))


def _near(folder: Path, text: str) -> str:
    """A whole path: from the folder of the pairs file where it is there, else from the working folder."""
    beside = os.path.join(folder, text)
    return os.path.abspath(beside if os.path.exists(beside) else text)


def _files(folder: Path, text: str) -> list[str]:
    """The files that a name or a glob means; a name that holds a glob's signs and exists is a name.

    A glob that finds nothing stays as it is: whoever makes the video says so.
    """
    if is_url(text) or not glob.has_magic(text) or os.path.exists(os.path.join(folder, text)) or os.path.exists(text):
        return [text]
    for base in (folder, Path.cwd()):
        if found := sorted(glob.glob(os.path.join(glob.escape(str(base)), text), recursive=True)):
            return found
    return [text]


def _csv_rows(path: Path) -> Iterator[tuple[int, Cells]]:
    numbered = lines(path)
    header = next(((number, line) for number, line in numbered if line.strip()), None)
    if header is None:
        return
    first, line = header
    delimiter = max(_DELIMITERS, key=lambda sign: (len(_split(path, first, line, sign)), sign == ","))
    names = _header(path, first, _split(path, first, line, delimiter))
    rest = (text for _, text in numbered)
    reader = csv.reader(rest, delimiter=delimiter, strict=True, skipinitialspace=True)
    number = first + 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield number, _cells(path, number, names, fields)
            number = first + reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{at(path, number)}: {error}", "quotes around a value must be closed") from error


def _split(path: Path, number: int, line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True), [])
    except csv.Error as error:
        raise InputError(f"{at(path, number)}: {error}", "the first line has the columns' names") from error


def _header(path: Path, number: int, fields: list[str]) -> list[str]:
    names: list[str] = []
    for field in fields:
        name = named(path, number, field)
        if name in names and not COLUMNS[name].is_several:
            raise UsageError(f"{at(path, number)}, column {name}: stands there twice", "leave one out")
        names.append(name)
    if "driving" not in names:
        raise UsageError(
            f"{at(path, number)}: there is no column driving",
            "the first line has the columns' names, such as source,driving",
        )
    return names


def _cells(path: Path, number: int, names: list[str], fields: list[str]) -> Cells:
    if len(fields) != len(names):
        raise InputError(
            f"{at(path, number)}: has {len(fields)} values, the first line has {len(names)} columns",
            "put values in quotes that hold the delimiter",
        )
    cells: Cells = {}
    for name, field in zip(names, fields, strict=True):
        cells.setdefault(name, []).extend(field.split(_SEVERAL) if COLUMNS[name].is_several else [field])
    return cells


def _json_rows(path: Path) -> Iterator[tuple[int, Cells]]:
    for number, line in lines(path):
        if not line.strip():
            continue
        # Numbers stay as they are written: 29.97 is no binary fraction.
        numbers: dict[str, Any] = {"parse_float": str, "parse_int": str, "parse_constant": str}
        try:
            pairs = json.loads(line, object_pairs_hook=_Pairs, **numbers)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{at(path, number)}, character {error.pos + 1}: {error.msg}", 'each line is {"source": ..., ...}'
            ) from error
        except RecursionError:
            pairs = None
        if not isinstance(pairs, _Pairs):
            raise InputError(f"{at(path, number)}: is no object", 'each line is {"source": ..., "driving": ...}')
        cells: Cells = {}
        for written, value in pairs:
            name = new_name(path, number, written, cells)
            cells[name] = [_json_text(path, number, name, each) for each in _as_list(value)]
        yield number, cells


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its names as they stand there: none is lost that stands there twice."""


def _as_list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) and not isinstance(value, _Pairs) else [value]


def _json_text(path: Path, number: int, name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    raise UsageError(f"{at(path, number)}, column {name}: expected a text, a number, true, false or a list of texts")
