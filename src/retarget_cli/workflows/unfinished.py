"""What a personalisation keeps on disk until it is finished, so that it can be stopped and gone on with.

    OUTPUT.progress/run.json             what is being made; another personalisation is refused
    OUTPUT.progress/person.safetensors   the subject, so that nothing is perceived twice
    OUTPUT.progress/state.safetensors    networks, optimizers, random numbers after the last step that was saved
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from retarget_cli.core.errors import InputError, OutputError, UsageError
from retarget_cli.core.subject import Subject
from retarget_cli.media.files import write_whole
from retarget_cli.training.checkpoint import write_tensors
from retarget_cli.workflows.subject_file import read_metadata, subject_from, subject_tensors

FORMAT, VERSION = "retarget-personalization", 1
GOES_ON = "make room, and start the same command again: it goes on"
_RESTART = "add --restart to begin anew"


class Unfinished:
    """The folder of one personalisation.

    Args:
        output: what it is to become; the folder lies beside it.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.with_name(output.name + ".progress")

    def resumed(self, settings: Mapping[str, str], *, is_anew: bool = False) -> Subject | None:
        """The person of a personalisation that was stopped; None where there is nothing to go on with.

        Args:
            settings: what is being made; must equal those of what is gone on with.
            is_anew: what was done before is removed.

        Raises:
            UsageError: the folder holds another personalisation, or something else.
            InputError: the file is damaged.
        """
        record, person = self.folder / "run.json", self.folder / "person.safetensors"
        if is_anew and record.is_file():
            self.remove()
        if not record.is_file():
            if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
                raise UsageError(
                    f"{self.folder} is not empty, and holds no personalisation", "choose another --output"
                )
            return None
        _check_same(record, _record(settings))
        try:
            return subject_from(load_file(person), read_metadata(person))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise InputError(f"{person} is damaged: {error}", _RESTART) from error

    def begin(self, settings: Mapping[str, str], subject: Subject) -> None:
        """Remember what is being made, and of whom.

        Raises:
            OutputError: it can't be written; nothing is left behind.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"can't make {self.folder}: {error.strerror or error}"
            raise OutputError(message, "choose another --output") from error
        try:
            about = {"body": subject.body, "name": subject.name}
            write_tensors(self.folder / "person.safetensors", subject_tensors(subject), about, GOES_ON)
            record = json.dumps(_record(settings), indent=1, sort_keys=True)
            write_whole(self.folder / "run.json", record.encode(), GOES_ON)
        except OutputError:
            self.remove()
            raise

    def state(self) -> dict[str, Tensor] | None:
        """What was learned; None where nothing was.

        Raises:
            InputError: the file is damaged.
        """
        path = self.folder / "state.safetensors"
        if not path.is_file():
            return None
        try:
            return dict(load_file(path))
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(f"{path} is damaged: {error}", _RESTART) from error

    def keep_state(self, state: Mapping[str, Tensor]) -> None:
        """Remember what was learned; what was kept before stays until this is whole.

        Raises:
            OutputError: it can't be written.
        """
        write_tensors(self.folder / "state.safetensors", state, {}, GOES_ON)

    def remove(self) -> None:
        """It is finished, or begun anew; only what was put here is removed.

        Raises:
            OutputError: it can't be removed.
        """
        try:
            shutil.rmtree(self.folder)
        except OSError as error:
            raise OutputError(f"can't remove {self.folder}: {error.strerror or error}", "remove it yourself") from error


def _record(settings: Mapping[str, str]) -> dict[str, str]:
    return {"format": FORMAT, "format_version": str(VERSION), **settings}


def _check_same(record: Path, told: Mapping[str, str]) -> None:
    try:
        before = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{record} can't be read: {error}", _RESTART) from error
    known = before if isinstance(before, dict) else {}
    differing = [key for key in sorted({*known, *told}) if known.get(key) != told.get(key)]
    if differing:
        key = differing[0]
        raise UsageError(
            f"{record.parent} holds another personalisation: its {key} is {known.get(key)}, not {told.get(key)}",
            f"give the same options to go on, or {_RESTART}",
        )
