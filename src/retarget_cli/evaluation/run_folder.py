"""What a run keeps on disk, so that it can be stopped at any moment and gone on with.

    RUN/run.json                             what is measured; another run in the same folder is refused
    RUN/sources/CASE/0.png ...               source pictures
    RUN/rendered/METHOD/CASE/000000.png ...  appears when it is complete
    RUN/subjects/METHOD/ID.subject           of methods that are personalised, by their source pictures
    RUN/persons/CASE.safetensors             masks of the target's person, where they had to be perceived
    RUN/scores/METHOD/CASE.json              appears when it is complete
    RUN/features/METHOD/CASE.safetensors     of metrics that compare sets; METHOD `real` holds the true frames'
    RUN/report.json, .csv, .md, .html
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from retarget_cli.core.errors import UsageError
from retarget_cli.evaluation.names import file_name
from retarget_cli.evaluation.results import Scored, scored
from retarget_cli.media.files import write_whole

FORMAT, VERSION = "retarget-run", 1
REAL = "real"
# What helps when the disk is full.
GOES_ON = "make room, and start the run again: it goes on"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @staticmethod
    def open(path: Path, settings: Mapping[str, Any], *, may_overwrite: bool = False) -> RunFolder:
        """Begin a run, or go on with one.

        Args:
            path: the folder; made if need be.
            settings: what is measured, as JSON types; must equal those of a run that is gone on with.
            may_overwrite: what another run left in the folder is removed.

        Raises:
            UsageError: the folder holds another run, or something else.
            OutputError: it can't be written.
        """
        text = json.dumps({"format": FORMAT, "format_version": VERSION, **settings}, indent=1, sort_keys=True)
        record = path / "run.json"
        if may_overwrite and record.is_file():
            shutil.rmtree(path)
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is not a folder", "choose another --output")
        if record.is_file():
            _check_same(record, json.loads(text))
        elif path.is_dir() and any(path.iterdir()):
            raise UsageError(f"{path} is not empty, and holds no run", "choose another --output")
        folder = RunFolder(path)
        folder.write_text("run.json", text + "\n")
        return folder

    def sources(self, case: str) -> Path:
        return self.path / "sources" / file_name(case)

    def rendered(self, method: str, case: str) -> Path:
        return self.path / "rendered" / file_name(method) / file_name(case)

    def subject(self, method: str, sources: str) -> Path:
        return self.path / "subjects" / file_name(method) / f"{file_name(sources)}.subject"

    def persons(self, case: str) -> Path:
        return self.path / "persons" / f"{file_name(case)}.safetensors"

    def score(self, method: str, case: str) -> Scored | None:
        """What was found before; None where nothing was, or the file is damaged."""
        path = self._score(method, case)
        try:
            return scored(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save_score(self, method: str, case: str, found: Scored) -> None:
        """Remember what was found in one clip."""
        self.write_text(str(self._score(method, case).relative_to(self.path)), json.dumps(asdict(found)))

    def features(self, method: str, case: str) -> dict[str, Tensor] | None:
        """(N, D) by metric key; None where there are none, or the file is damaged."""
        path = self._features(method, case)
        try:
            return dict(load_file(path)) if path.is_file() else None
        except (SafetensorError, OSError):
            return None

    def save_features(self, method: str, case: str, found: Mapping[str, Tensor]) -> None:
        """Remember the features of one clip."""
        content = save({key: value.contiguous() for key, value in found.items()})
        write_whole(self._features(method, case), content, GOES_ON)

    def write_text(self, name: str, text: str) -> Path:
        """Write a file whole or not at all.

        Raises:
            OutputError: it can't be written.
        """
        return write_whole(self.path / name, text.encode("utf-8"), GOES_ON)

    def _score(self, method: str, case: str) -> Path:
        return self.path / "scores" / file_name(method) / f"{file_name(case)}.json"

    def _features(self, method: str, case: str) -> Path:
        return self.path / "features" / file_name(method) / f"{file_name(case)}.safetensors"


def _check_same(record: Path, settings: Mapping[str, Any]) -> None:
    try:
        before = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{record}: {error}", "choose another --output, or add --overwrite") from error
    old, new = _flat(before), _flat(settings)
    differing = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    if differing:
        key = differing[0]
        raise UsageError(
            f"{record.parent} holds another run: its {key} is {old.get(key)}, not {new.get(key)}",
            "choose another --output, or add --overwrite to begin anew",
        )


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings inside of settings beside the others, under their own names."""
    inner = [value for value in settings.values() if isinstance(value, dict)]
    outer = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    return outer | {key: value for each in inner for key, value in each.items()}
