"""Pictures of one person in one outfit in one place, with everything known about them, as one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from retarget_cli.core.errors import InputError
from retarget_cli.core.files import write_whole
from retarget_cli.core.motion import JOINTS, LANDMARKS, FloatArray
from retarget_cli.core.subject import Image, Subject, View
from retarget_cli.geometry.rotations import axis_angle_to_matrix

FORMAT, VERSION = "retarget-album", "1"
_PICTURES = ("images", "masks", "plates")
_NUMBERS = ("pose", "world", "theta", "camera", "betas")
_RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Contents:
    """What is put into an album.

    Attributes:
        name: of the album, for messages.
        body: name of the body model of `theta`, `betas`.
        images: (T, H, W, 3) uint8.
        masks: (T, H, W) uint8: how much of the pixel the person covers, 0 to 255.
        plates: (1, H, W, 3) or (T, H, W, 3) uint8: what is behind the person, the same for all or of each picture.
        pose, world: (T, 33, 3); theta: (T, 24, 3); camera: (T, 3); betas: (n,); see `core.motion.Motion`.
        runs: (T,) of consecutive frames the same number; None: no picture is known to follow another.
    """

    name: str
    body: str
    images: Image
    masks: NDArray[np.uint8]
    plates: Image
    pose: FloatArray
    world: FloatArray
    theta: FloatArray
    camera: FloatArray
    betas: FloatArray
    runs: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Album:
    """An album's file: numbers in memory, pictures read when they are asked for, from any thread.

    Attributes:
        path: of the file.
        name, body: see `Contents`.
        size: (height, width).
        plates: how many there are: 1, or one a picture.
        pose, world, theta, camera, betas: see `Contents`.
        facing: (T,) radians about the vertical: 0 faces the viewer, pi shows the back.
        runs: (T,), see `Contents`; where none are known every picture is one by itself.
    """

    path: Path
    name: str
    body: str
    size: tuple[int, int]
    plates: int
    pose: FloatArray
    world: FloatArray
    theta: FloatArray
    camera: FloatArray
    betas: FloatArray
    facing: FloatArray
    runs: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.camera)

    def view(self, row: int) -> View:
        """One picture with all that is known of it."""
        mask = self._picture("masks", row).astype(np.float32) / 255
        return View(
            self._picture("images", row), mask, self.pose[row], self.world[row], self.theta[row], self.camera[row]
        )

    def plate(self, row: int) -> Image:
        """(H, W, 3) uint8 behind the person of a picture."""
        return self._picture("plates", row if self.plates > 1 else 0)

    def subject(self, rows: list[int]) -> Subject:
        """The person in some pictures; the first one's plate."""
        views = tuple(self.view(row) for row in rows)
        return Subject(views, self.betas, self.body, self.plate(rows[0]), self.name)

    def _picture(self, kind: str, row: int) -> NDArray[Any]:
        try:
            with safe_open(self.path, framework="numpy") as file:
                return np.asarray(file.get_slice(kind)[row : row + 1][0])
        except (OSError, SafetensorError) as error:
            raise InputError(f"{self.path} can't be read any more: {error}", "run the same command again") from error


def save_album(path: Path, contents: Contents) -> None:
    """Write an album; the file appears whole.

    Raises:
        OutputError: it can't be written.
    """
    arrays = {name: np.ascontiguousarray(getattr(contents, name)) for name in _PICTURES}
    arrays |= {name: np.ascontiguousarray(getattr(contents, name), np.float32) for name in _NUMBERS}
    if contents.runs is not None:
        arrays[_RUNS] = np.ascontiguousarray(contents.runs, np.int64)
    told = {"format": FORMAT, "format_version": VERSION, "name": contents.name, "body": contents.body}
    write_whole(path, save(arrays, told), "make room, or let $RETARGET_CACHE name a folder with more of it")


def open_album(path: Path) -> Album:
    """An album, its pictures left where they are.

    Raises:
        InputError: there is none, it is damaged or something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            told = file.metadata() or {}
            if told.get("format") != FORMAT or told.get("format_version") != VERSION:
                raise InputError(f"{path} is no album of this version", "remove it: it is made again")
            numbers: dict[str, FloatArray] = {name: file.get_tensor(name) for name in _NUMBERS}
            names = set(file.keys())
            runs = file.get_tensor(_RUNS) if _RUNS in names else np.arange(len(numbers["camera"]))
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in _PICTURES}
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there", "run the command that makes it again") from error
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} is damaged: {error}", "remove it: it is made again") from error
    count, height, width = shapes["masks"]
    wanted = {"pose": (count, LANDMARKS, 3), "world": (count, LANDMARKS, 3), "theta": (count, JOINTS, 3)}
    fits = all(numbers[name].shape == shape for name, shape in wanted.items()) and shapes["plates"][0] in (1, count)
    fits = fits and runs.shape == (count,)
    if not fits or shapes["images"] != (count, height, width, 3) or shapes["plates"][1:] != (height, width, 3):
        raise InputError(f"{path}: its parts do not fit together", "remove it: it is made again")
    turned = axis_angle_to_matrix(torch.from_numpy(numbers["theta"][:, 0])).numpy()
    facing = np.arctan2(turned[:, 0, 2], turned[:, 2, 2]).astype(np.float32)
    return Album(
        path, told["name"], told["body"], (height, width), shapes["plates"][0], **numbers, facing=facing, runs=runs
    )
