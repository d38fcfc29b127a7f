"""What a method that is volumetric knows of its source, for the eye: slices of the volume, and the volume turned."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.base import Performer, Volumetric
from retarget_cli.backends.registry import backend_class, known_backends
from retarget_cli.core.errors import BackendError, OutputError, UsageError
from retarget_cli.core.subject import Image
from retarget_cli.media.images import write_png
from retarget_cli.media.writer import open_writer
from retarget_cli.workflows.animate_options import AnimateOptions

SLICES, TURNTABLE = "occupancy.png", "turntable.gif"
# Views of a whole turn, and how many are shown in a second.
VIEWS, RATE = 24, Fraction(12)
# Slices stand side by side in rows of so many, each at least so many pixels wide, with a line between them.
_COLUMNS, _TILE, _LINE = 8, 96, 2
_GREY = 0.5


def check_volume(options: AnimateOptions, backend: str) -> None:
    """Find out before any work whether volumes can be shown.

    Raises:
        UsageError: the method has none; those that have are named.
        OutputError: something is where they would be written.
    """
    folder = options.debug_volume
    if folder is None:
        return
    if not backend_class(backend).spec.is_volumetric:
        able = [name for name in sorted(known_backends()) if _is_volumetric(name)]
        raise UsageError(f"--debug-volume: --backend {backend} has no volumes", f"those that have: {', '.join(able)}")
    for path in (folder / SLICES, folder / TURNTABLE):
        if path.exists() and not _may_replace(options):
            raise OutputError(f"{path} exists", "choose another --debug-volume, or add --overwrite")


def show_volume(performer: Performer, options: AnimateOptions) -> None:
    """Write what `options` ask for; nothing, where that is nothing."""
    if options.debug_volume is not None:
        write_volume(performer, options.debug_volume, overwrite=_may_replace(options))


def write_volume(performer: Performer, folder: Path, *, overwrite: bool = False) -> None:
    """Write `occupancy.png` and `turntable.gif` into a folder, which is made where it is not there.

    Raises:
        BackendError: the method has no volumes, though it says so.
        OutputError: they can't be written.
    """
    if not isinstance(performer, Volumetric):
        raise BackendError(f"{type(performer).__name__} has no volumes", "leave --debug-volume out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} can't be made: {error.strerror}", "choose another --debug-volume") from error
    write_png(folder / SLICES, slices(performer.occupancy()))
    angles = [360 * number / VIEWS for number in range(VIEWS)]
    pictures = [_shown(view) for view in performer.turntable(angles)]
    size = pictures[0].shape[0], pictures[0].shape[1]
    with open_writer(folder / TURNTABLE, size=size, rate=RATE, overwrite=overwrite) as writer:
        for number, picture in enumerate(pictures):
            writer.write(picture, number / RATE)


def slices(occupancy: Tensor) -> Image:
    """(H, W, 3): the planes of a volume (D, H, W) in [0, 1], the nearest to the viewer first, full cells white."""
    times = max(1, -(-_TILE // occupancy.shape[2]))
    planes = functional.interpolate(occupancy.float().cpu()[:, None], scale_factor=times, mode="nearest")
    framed = functional.pad(planes[:, 0], (0, _LINE, 0, _LINE), value=_GREY)
    columns = min(_COLUMNS, len(framed))
    missing = -len(framed) % columns
    tiles = torch.cat([framed, framed.new_full((missing, *framed.shape[1:]), _GREY)])
    height, width = tiles.shape[1:]
    sheet = tiles.reshape(-1, columns, height, width).transpose(1, 2).reshape(-1, columns * width)
    return _bytes(sheet[..., None].expand(-1, -1, 3))


def _shown(view: Tensor) -> Image:
    """RGBA (4, S, S) before grey."""
    picture = view[:3] * view[3:] + _GREY * (1 - view[3:])
    return _bytes(picture.cpu().permute(1, 2, 0))


def _bytes(picture: Tensor) -> Image:
    return (picture * 255).round().clamp(0, 255).numpy().astype(np.uint8)


def _may_replace(options: AnimateOptions) -> bool:
    """The command that goes on with a film is the one that wrote these."""
    return options.may_overwrite or options.is_resumed


def _is_volumetric(backend: str) -> bool:
    try:
        return backend_class(backend).spec.is_volumetric
    except BackendError:  # somebody's extension that is broken is no help here
        return False
