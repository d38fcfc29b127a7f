"""Weights of a backend's generator: one safetensors file with a label that says what it is.

The label is the file's metadata, all of it text:

    format      "retarget-weights 1"
    backend     name of the method
    design      JSON object: the options that the network's form depends on, as `Trainable.design()` gives them
    notes       JSON list: what a reader must know, such as a loss that stood in for another
    steps       of training; 0 where nobody counted
    provenance  where they come from
    license     of the weights
    version     of the retarget that wrote the file
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from retarget_cli.core.errors import WeightsError
from retarget_cli.core.files import write_whole
from retarget_cli.core.version import installed_version
from retarget_cli.weights.hashing import Ledger, sha256_of
from retarget_cli.weights.places import data_folder, own_places
from retarget_cli.weights.shipped import check_shipped

KIND, VERSION = "retarget-weights", 1
SUFFIX = ".safetensors"
RUN_WEIGHTS = "weights.safetensors"
"""What a run of `retarget train` calls them."""

_MAKERS = "such files come from `retarget train` and `retarget weights import`"
_REMAKE = "copy it again, or make it again"
# What else this project writes as safetensors, and where it belongs.
_OTHERS = {
    "retarget-subject": ("a subject file", "give it to --subject"),
    "retarget-checkpoint": ("a checkpoint of a run", "the weights of a run are in its weights.safetensors"),
}


@dataclass(frozen=True, slots=True)
class Label:
    """What a file of weights says about itself.

    Attributes:
        backend: name of the method.
        design: options, as `--set` has them, that the network's form depends on.
        notes: what a reader must know.
        steps: of training.
        provenance: where the weights come from; for people.
        license: of the weights.
        version: of the retarget that wrote the file; filled in when it is written.
        others: further words, by name.
    """

    backend: str
    design: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    steps: int = 0
    provenance: str = ""
    license: str = ""
    version: str = ""
    others: Mapping[str, str] = field(default_factory=dict)

    def metadata(self) -> dict[str, str]:
        """As it stands in the file."""
        return {
            **self.others,
            "format": f"{KIND} {VERSION}",
            "backend": self.backend,
            "design": json.dumps(dict(self.design), sort_keys=True),
            "notes": json.dumps(list(self.notes)),
            "steps": str(self.steps),
            "provenance": self.provenance,
            "license": self.license,
            "version": self.version or installed_version() or "",
        }


def write_weights(path: Path, state: Mapping[str, Tensor], label: Label) -> None:
    """Write weights; the file and its folder appear whole or not at all, and a former file is replaced.

    Args:
        state: on any device, in the precision that is to be kept.

    Raises:
        OutputError: it can't be written.
    """
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}
    write_whole(path, save(plain, label.metadata()), "make room, or choose another folder")


def read_weights(path: Path, backend: str) -> tuple[dict[str, Tensor], Label]:
    """Weights of one method, on the CPU, floats in single precision.

    Raises:
        WeightsError: the file is not there, damaged, of another method or another kind, or of a newer version.
    """
    label = read_label(path)
    if label.backend != backend:
        raise WeightsError(
            f"{path} has weights of {label.backend}, not of {backend}", f"--backend {label.backend} takes them"
        )
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        loaded = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _damaged(path, error) from error
    state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in loaded.items()}
    broken = [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise WeightsError(f"{path}: {broken[0]} holds values that are not finite", _REMAKE)
    return state, label


def read_label(path: Path) -> Label:
    """What a file of weights says about itself; its tensors are not read.

    Raises:
        WeightsError: as for `read_weights`.
    """
    told = read_words(path)
    _check_kind(path, told.get("format", ""))
    return _label(path, told)


def read_words(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file of any kind.

    Raises:
        WeightsError: it is not there, can't be read, is damaged, or is no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if path.is_dir():
            raise WeightsError(f"{path} is a folder, expected a file of weights", "name one file inside it")
        with path.open("rb") as file:
            file.read(1)
        with safe_open(path, framework="pt") as opened:
            return dict(opened.metadata() or {})
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist, expected a file of weights", _MAKERS) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise WeightsError(f"{path} can't be read: {reason}", "check the path and its permissions") from error
    except SafetensorError as error:
        raise _damaged(path, error) from error


def lineage_of(path: Path, label: Label) -> dict[str, str]:
    """Where weights come from that others will be made of: for `Trainable.lineage`."""
    told = {"base": path.name, "license": label.license, "base notes": "; ".join(label.notes)}
    return {**{name: text for name, text in told.items() if text}, "sha256": sha256_of(path)}


def find_weights(backend: str, given: str = "", folder: Path | None = None) -> Path:
    """The file that a method's weights come from.

    Args:
        backend: name of the method.
        given: a file, a run of `retarget train`, or the name of a file in the folders that are searched; empty: the
            base weights, `BACKEND-SIZE.safetensors`, of the first folder that has any, and there the smallest size.
        folder: searched before all others.

    Raises:
        WeightsError: there are none, or they came with the project and are damaged.
    """
    found = _named(given, folder) if given else _base(backend, folder)
    makers = f"`retarget weights import` takes released ones, `retarget train {backend}` makes some"
    if found is None and given:
        raise WeightsError(
            f"{given}: no such file, and no weights of that name in the folders of `retarget weights list`", makers
        )
    if found is None:
        raise WeightsError(
            f"no base weights of {backend} are in the folders of `retarget weights list`",
            f"{makers}; give --set weights=FILE, or call the file {backend}-SIZE{SUFFIX}",
        )
    check_shipped(found, Ledger(data_folder(os.environ) / "checked.json"))
    return found


def _named(given: str, folder: Path | None) -> Path | None:
    path = Path(given).expanduser()
    for candidate in (path / RUN_WEIGHTS, path):
        if candidate.is_file():
            return candidate
    if path.is_dir():
        raise WeightsError(f"{path} is a folder without {RUN_WEIGHTS}", "name a file, or a run of `retarget train`")
    if path.name != given:
        return None
    for place in own_places(folder):
        for candidate in (place.folder / f"{given}{SUFFIX}", place.folder / given):
            if candidate.is_file():
                return candidate
    return None


def _base(backend: str, folder: Path | None) -> Path | None:
    pattern = re.compile(rf"{re.escape(backend)}-(\d+){re.escape(SUFFIX)}")
    for place in own_places(folder):
        found = {
            int(match[1]): path
            for path in place.folder.glob(f"*{SUFFIX}")
            if (match := pattern.fullmatch(path.name)) and path.is_file()
        }
        if found:
            return found[min(found)]
    return None


def _damaged(path: Path, error: Exception) -> WeightsError:
    if path.suffix != SUFFIX:
        return WeightsError(f"{path} is no safetensors file", _converter(path))
    return WeightsError(f"{path} is damaged, or no safetensors file: {str(error).splitlines()[0]}", _REMAKE)


def _converter(path: Path) -> str:
    return f"`retarget weights import {path}` converts what it knows"


def _check_kind(path: Path, text: str) -> None:
    kind, _, number = text.partition(" ")
    if kind in _OTHERS:
        what, instead = _OTHERS[kind]
        raise WeightsError(f"{path} is {what}, expected weights", instead)
    if kind != KIND:
        raise WeightsError(f"{path} does not say which method its weights are of", _converter(path))
    if not number.isdecimal() or int(number) > VERSION:
        raise WeightsError(f"{path} is of format {text[:40]!r}, this retarget knows up to {VERSION}", "update retarget")


def _label(path: Path, told: dict[str, str]) -> Label:
    try:
        design, notes = json.loads(told["design"]), json.loads(told["notes"])
        if not (isinstance(design, dict) and isinstance(notes, list)):
            raise ValueError("design is no object, or notes are no list")
        own = Label("").metadata()
        return Label(
            told["backend"],
            {str(name): str(value) for name, value in design.items()},
            tuple(str(note) for note in notes),
            int(told["steps"]),
            told["provenance"],
            told["license"],
            told["version"],
            {name: text for name, text in told.items() if name not in own},
        )
    except (KeyError, ValueError, RecursionError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise WeightsError(f"{path} has a damaged label: {what}", _REMAKE) from error
