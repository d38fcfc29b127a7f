"""One person with the networks that were tuned to him, in one file: docs/personalize.md describes the format.

The file is safetensors: nothing in it is executed, and everything that is read from it is checked, since such files are
passed on from hand to hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from retarget_cli.backends.words import WEIGHTS_OPTION
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import JOINTS, LANDMARKS, FloatArray
from retarget_cli.core.reading import LARGEST_SIDE, SMALLEST_SIDE
from retarget_cli.core.subject import NOBODY, Image, Subject, View, pictured_subject
from retarget_cli.media.kinds import SUBJECT
from retarget_cli.training.checkpoint import write_tensors

FORMAT, VERSION = "retarget-subject", 1
SUFFIX = SUBJECT
MOST_VIEWS = 8
_HEADER_LIMIT = 8 << 20
_LARGEST_FILE = 4 << 30
_MOST_BETAS = 1000
_WEIGHT, _IMAGE = "weights.", "views.image"
_REMAKE = "copy it again, or make it again with `retarget personalize`"
_MAKERS = "subject files are written by `retarget personalize`"
# Weights are kept in half precision where that changes them by less than this share of their size.
_FAITHFUL = 1e-3


@dataclass(frozen=True, slots=True)
class SavedSubject:
    """What a subject file holds.

    Attributes:
        subject: as it was prepared.
        backend: the method's name.
        settings: the method's options, as `--set` has them; never where base weights lie.
        design: of the generator, as `Trainable.design` has it.
        state: the generator's weights.
        provenance: for people: base weights and their hash, steps, losses that stood in, licence, version.
    """

    subject: Subject
    backend: str
    settings: Mapping[str, str]
    design: Mapping[str, str]
    state: Mapping[str, Tensor]
    provenance: Mapping[str, str] = field(default_factory=dict)


def save_subject(path: Path, saved: SavedSubject, *, is_half: bool = True) -> None:
    """Write a subject; the file appears whole or not at all.

    Args:
        path: overwritten when it exists.
        saved: what to keep.
        is_half: keep weights as `halved` does; pictures and all else are kept exactly in any case.

    Raises:
        OutputError: it can't be written.
    """
    state = halved(saved.state) if is_half else saved.state
    tensors = {_WEIGHT + name: each for name, each in state.items()}
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "backend": saved.backend,
        "settings": json.dumps(dict(saved.settings), sort_keys=True),
        "design": json.dumps(dict(saved.design), sort_keys=True),
        "provenance": json.dumps(dict(saved.provenance), sort_keys=True),
        "body": saved.subject.body,
        "name": saved.subject.name,
    }
    hint = "make room, or choose another --output"
    write_tensors(path, {**subject_tensors(saved.subject), **tensors}, metadata, hint)


def halved(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights in half precision, save where it matters: vectors (biases, scales), which cost nothing, and tensors whose
    values are so small or so large that more than a thousandth of them would be lost.
    """
    return {name: _halved(each) for name, each in state.items()}


def _halved(tensor: Tensor) -> Tensor:
    if tensor.dtype not in (torch.float32, torch.float64) or tensor.ndim < 2:
        return tensor
    half = tensor.half()
    lost = (half.to(tensor.dtype) - tensor).norm()
    return half if bool(lost <= _FAITHFUL * tensor.norm()) else tensor  # infinities compare as False


def subject_tensors(subject: Subject) -> dict[str, Tensor]:
    """A subject's arrays by name: views stacked; of one in which nobody was looked for, its pictures."""
    views = subject.views
    if subject.is_unperceived:
        return {_IMAGE: torch.from_numpy(np.stack([view.image for view in views]))}
    arrays = {
        f"views.{name}": np.stack([getattr(view, name) for view in views])
        for name in ("image", "mask", "pose", "world", "theta", "camera")
    }
    arrays |= {"betas": subject.betas, "plate": subject.plate}
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def is_subject_file(path: Path) -> bool:
    """Whether a file holds a subject, whatever its name."""
    try:
        return read_metadata(path).get("format") == FORMAT
    except OSError:
        return False


def load_subject(path: Path) -> SavedSubject:
    """Read and check a subject file.

    Raises:
        InputError: unreadable, no subject file, damaged, or written by a newer version.
    """
    try:
        metadata = read_metadata(path)
        if metadata.get("format") != FORMAT:
            kind = f": it is a {metadata['format']} file" if metadata.get("format") else ""
            raise InputError(f"{path} is not a subject file{kind}", _MAKERS)
        _check_version(path, metadata.get("version", ""))
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(f"{path} is larger than {_LARGEST_FILE >> 30} GB, as no subject is", _REMAKE)
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"cannot read {path}: {reason or error}", "check the path; " + _MAKERS) from error
    try:
        return _saved(load(content), metadata)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path} is a damaged subject file: {reason}", _REMAKE) from error


def read_metadata(path: Path) -> dict[str, str]:
    """The words in a safetensors file of any kind; empty for anything else.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as stream:
        head = stream.read(8)
        length = int.from_bytes(head, "little")
        if len(head) < 8 or not 2 <= length <= _HEADER_LIMIT:
            return {}
        text = stream.read(length)
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return {str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, dict) else {}


def _check_version(path: Path, text: str) -> None:
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{path} is a damaged subject file: its version is {text[:20]!r}", _REMAKE)
    if int(text) > VERSION:
        raise InputError(
            f"{path} has subject format {text}, this retarget knows up to {VERSION}", "update retarget"
        )


def _saved(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> SavedSubject:
    settings = _words(metadata, "settings")
    if WEIGHTS_OPTION in settings:  # a stranger's file must not make us open others
        raise ValueError(f"it names other weights: {settings[WEIGHTS_OPTION]}")
    state = {name.removeprefix(_WEIGHT): each for name, each in tensors.items() if name.startswith(_WEIGHT)}
    if not state:
        raise ValueError("it holds no weights")
    for name, each in state.items():
        if each.is_floating_point() and not bool(torch.isfinite(each).all()):
            raise ValueError(f"its weights {name} are not finite")
    subject, design = subject_from(tensors, metadata), _words(metadata, "design")
    return SavedSubject(subject, metadata["backend"], settings, design, state, _words(metadata, "provenance"))


def _words(metadata: Mapping[str, str], key: str) -> dict[str, str]:
    told = json.loads(metadata[key])
    if not isinstance(told, dict):
        raise ValueError(f"its {key} are no table")
    return {str(name): str(value) for name, value in told.items()}


def subject_from(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Subject:
    """A subject from what `subject_tensors` gave; metadata has its `body` and `name`.

    Raises:
        KeyError, ValueError: something is missing, or not as it should be.
    """
    pictures, name = _pictures(tensors), metadata["name"]
    if metadata["body"] == NOBODY:
        odd = [each for each in sorted(tensors) if each != _IMAGE and not each.startswith(_WEIGHT)]
        if odd:
            raise ValueError(f"nobody was looked for in its pictures, and yet it has {odd[0]}")
        return pictured_subject(pictures, name)
    height, width, _ = pictures[0].shape
    plate = tensors["plate"]
    if plate.dtype != torch.uint8 or plate.shape != (height, width, 3):
        raise ValueError(f"its background is {plate.dtype} {tuple(plate.shape)}, expected ({height}, {width}, 3)")
    size = tensors["betas"].numel()
    if size > _MOST_BETAS:
        raise ValueError(f"it has {size} proportions")
    betas = _floats(tensors, "betas", (size,))
    return Subject(_views(tensors, pictures), betas, metadata["body"], plate.numpy(), name)


def _pictures(tensors: Mapping[str, Tensor]) -> list[Image]:
    image = tensors[_IMAGE]
    if image.dtype != torch.uint8 or image.ndim != 4 or image.shape[3] != 3:
        raise ValueError(f"its pictures are {image.dtype} {tuple(image.shape)}, expected uint8 (V, H, W, 3)")
    count, height, width, _ = image.shape
    if not 1 <= count <= MOST_VIEWS:
        raise ValueError(f"it has {count} views, expected 1 to {MOST_VIEWS}")
    if min(height, width) < SMALLEST_SIDE or max(height, width) > LARGEST_SIDE:
        raise ValueError(f"its pictures are of {width}x{height}, expected {SMALLEST_SIDE} to {LARGEST_SIDE} a side")
    return list(image.numpy())


def _views(tensors: Mapping[str, Tensor], pictures: list[Image]) -> tuple[View, ...]:
    """What was perceived in the pictures."""
    count, (height, width, _) = len(pictures), pictures[0].shape
    mask = _floats(tensors, "views.mask", (count, height, width))
    if mask.min() < 0 or mask.max() > 1:
        raise ValueError("its masks are not within 0 and 1")
    pose = _floats(tensors, "views.pose", (count, LANDMARKS, 3))
    if not (pose[:, :, 2] > 0.3).any(1).all():
        raise ValueError("a view shows nobody")
    world = _floats(tensors, "views.world", (count, LANDMARKS, 3))
    theta = _floats(tensors, "views.theta", (count, JOINTS, 3))
    camera = _floats(tensors, "views.camera", (count, 3))
    if not (camera[:, 0] > 0).all():
        raise ValueError("a camera's scale is not above 0")
    return tuple(View(pictures[i], mask[i], pose[i], world[i], theta[i], camera[i]) for i in range(count))


def _floats(tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> FloatArray:
    tensor = tensors[name]
    if tensor.dtype != torch.float32 or tuple(tensor.shape) != shape:
        raise ValueError(f"{name} is {tensor.dtype} {tuple(tensor.shape)}, expected float32 {shape}")
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} holds values that are not finite")
    return tensor.numpy()
