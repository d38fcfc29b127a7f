"""Motions on disk; the format is described in docs/motion-format.md."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.core.motion import JOINTS, LANDMARKS, Motion
from retarget_cli.media.limits import MAX_GAP

FORMAT = "retarget-motion"
VERSION = 1

_HEADER_LIMIT = 1 << 20
# 17 hours at 30 frames a second.
_LARGEST_FILE = 2 << 30
_LARGEST_INT64 = 2**63 - 1
_REMAKE = "make it again with `retarget extract`"

Arrays = dict[str, NDArray[Any]]


def save_motion(path: Path, motion: Motion, provenance: Mapping[str, str]) -> None:
    """Write a motion; the file appears whole or not at all.

    Args:
        path: any name; overwritten when it exists.
        motion: what to keep.
        provenance: where it comes from, for people (driving file, options, version of retarget).

    Raises:
        OutputError: it can't be written, or its times have no common denominator below 2^63.
    """
    numerators, denominator = _rational(motion.times)
    arrays: Arrays = {
        "times": numerators,
        "present": motion.present,
        "pose": motion.pose,
        "world": motion.world,
    }
    for name in ("theta", "camera", "betas"):
        array = getattr(motion, name)
        if array is not None:
            arrays[name] = array
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "size": json.dumps(list(motion.size)),
        "time_denominator": str(denominator),
        "body": motion.body,
        "provenance": json.dumps(dict(provenance), sort_keys=True),
    }
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata)
    try:
        _write_whole(path, content)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}", "choose a folder that exists and is writable"
        ) from error


def load_motion(path: Path) -> Motion:
    """Read and check a motion.

    Raises:
        InputError: unreadable, not a motion, damaged, or written by a newer version.
    """
    try:
        is_motion, size = is_motion_file(path), path.stat().st_size
        if is_motion and size > _LARGEST_FILE:
            raise InputError(f"{path} is larger than {_LARGEST_FILE >> 30} GB, as no motion is", _REMAKE)
        content = path.read_bytes() if is_motion else b""
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", "check the path") from error
    metadata = _metadata(content)
    if metadata.get("format") != FORMAT:
        raise InputError(f"{path} is not a motion file", "motion files are written by `retarget extract`")
    _check_version(path, metadata.get("version", ""))
    try:
        arrays: Arrays = load(content)
        motion = _motion(arrays, metadata)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is a damaged motion file: {error}", _REMAKE) from error
    return motion


def is_motion_file(path: Path) -> bool:
    """Whether a file holds a motion, whatever its name."""
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
            length = int.from_bytes(head, "little")
            if len(head) < 8 or not 2 <= length <= _HEADER_LIMIT:
                return False
            return _metadata(head + stream.read(length)).get("format") == FORMAT
    except OSError:
        return False


def read_provenance(path: Path) -> dict[str, str]:
    """Where a motion comes from; empty when the file does not say.

    Raises:
        InputError: unreadable or not a motion.
    """
    if not is_motion_file(path):
        raise InputError(f"{path} is not a motion file", "motion files are written by `retarget extract`")
    try:
        told = json.loads(_metadata(path.read_bytes()).get("provenance", "{}"))
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in told.items()} if isinstance(told, dict) else {}


def _metadata(content: bytes) -> dict[str, str]:
    """The text part of a safetensors file; empty for anything else."""
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 + length or length > _HEADER_LIMIT:
        return {}
    try:
        header = json.loads(content[8 : 8 + length].decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return {str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, dict) else {}


def _check_version(path: Path, text: str) -> None:
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{path} is a damaged motion file: its version is {text!r}", _REMAKE)
    if int(text) > VERSION:
        raise InputError(
            f"{path} has motion format {text}, this retarget knows up to {VERSION}",
            "update retarget, or " + _REMAKE,
        )


def _motion(arrays: Arrays, metadata: Mapping[str, str]) -> Motion:
    times = _times(arrays["times"], int(metadata["time_denominator"]))
    count = len(times)
    body = metadata.get("body", "")
    height, width = (int(side) for side in json.loads(metadata["size"]))
    if height < 1 or width < 1:
        raise ValueError(f"its size is {height}x{width}")
    fitted = [name for name in ("theta", "camera", "betas") if name in arrays]
    if body and len(fitted) < 3:
        raise ValueError(f"it has a body ({body}) but only {fitted or 'nothing'} of theta, camera, betas")
    present = arrays["present"]
    if present.dtype != np.bool_ or present.shape != (count,):
        raise ValueError(f"present is {present.dtype} {present.shape}, expected bool ({count},)")
    return Motion(
        size=(height, width),
        times=times,
        present=present,
        pose=_floats(arrays, "pose", (count, LANDMARKS, 3)),
        world=_floats(arrays, "world", (count, LANDMARKS, 3)),
        body=body,
        theta=_floats(arrays, "theta", (count, JOINTS, 3)) if "theta" in arrays else None,
        camera=_floats(arrays, "camera", (count, 3)) if "camera" in arrays else None,
        betas=_floats(arrays, "betas", (arrays["betas"].size,)) if "betas" in arrays else None,
    )


def _floats(arrays: Arrays, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    array = arrays[name]
    if array.dtype != np.float32 or array.shape != shape:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, expected float32 {shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds values that are not finite")
    return array


def _times(numerators: NDArray[Any], denominator: int) -> tuple[Fraction, ...]:
    if numerators.dtype != np.int64 or numerators.ndim != 1 or len(numerators) == 0:
        raise ValueError(f"times is {numerators.dtype} {numerators.shape}, expected int64 (T,), T >= 1")
    if denominator < 1:
        raise ValueError(f"the denominator of its times is {denominator}")
    values = numerators.tolist()
    if any(later <= earlier for earlier, later in pairwise(values)):
        raise ValueError("its times do not increase")
    if any(later - earlier > MAX_GAP * denominator for earlier, later in pairwise(values)):
        raise ValueError(f"two of its times are more than {MAX_GAP} s apart")
    return tuple(Fraction(value, denominator) for value in values)


def _rational(times: tuple[Fraction, ...]) -> tuple[NDArray[np.int64], int]:
    denominator = math.lcm(*(time.denominator for time in times))
    numerators = [int(time * denominator) for time in times]
    if max([denominator, *map(abs, numerators)]) > _LARGEST_INT64:
        raise OutputError(
            "the motion's times cannot be kept exactly", "round them to a common time base first"
        )
    return np.array(numerators, dtype=np.int64), denominator


def _write_whole(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(name, 0o666 & ~_current_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
