"""Checkpoints: safetensors files that appear whole; the newest two are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from retarget_cli.core.errors import OutputError, WeightsError
from retarget_cli.core.files import partial_path

FORMAT, VERSION = "retarget-checkpoint", "1"
KEPT = 2
_SUFFIX = ".safetensors"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], told: Mapping[str, str], hint: str) -> None:
    """A safetensors file, and its folder; it replaces the former one when it is whole.

    Args:
        tensors: on any device, laid out in any way; no two of them share memory in the file.
        told: the file's metadata.
        hint: what to do when it can't be written.

    Raises:
        OutputError: it can't be written; nothing is left behind and the former file stays.
    """
    plain = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    partial = partial_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        mode = partial.stat().st_mode  # what the user's mask lets through; safetensors gives nobody else anything
        save_file(plain, partial, dict(told))
        partial.chmod(mode)
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"can't write {path}: {reason}", hint) from error
    finally:
        if partial.exists():
            partial.unlink()


class Checkpoints:
    """The checkpoints of a run.

    Args:
        folder: made when the first one is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, number: int, state: Mapping[str, Tensor], told: Mapping[str, str]) -> Path:
        """Keep the state after step `number`; older checkpoints than the last two go.

        Raises:
            OutputError: it can't be written; the former ones stay.
        """
        path = self.folder / f"{number:08d}{_SUFFIX}"
        metadata = {"format": FORMAT, "format_version": VERSION, **told}
        write_tensors(path, state, metadata, "make room, then go on from the checkpoint before with --resume")
        for older in self._listed()[:-KEPT]:
            older.unlink(missing_ok=True)
        return path

    def newest(self) -> Path | None:
        """The last one, or None."""
        found = self._listed()
        return found[-1] if found else None

    def load(self, path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
        """What `save` was given: the state, and what was told of it.

        Raises:
            WeightsError: it is damaged, or no checkpoint of this version.
        """
        others = [other.name for other in self._listed() if other != path]
        hint = f"remove it to go on from {others[-1]}" if others else "begin a new run in another folder"
        try:
            with safe_open(path, framework="pt") as file:
                told = dict(file.metadata() or {})
            if told.get("format") != FORMAT or told.get("format_version") != VERSION:
                raise WeightsError(f"{path} is no checkpoint of this version", hint)
            return dict(load_file(path)), told
        except (OSError, SafetensorError) as error:
            raise WeightsError(f"{path} is damaged: {str(error).splitlines()[0]}", hint) from error

    def _listed(self) -> list[Path]:
        return sorted(path for path in self.folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal())
