"""The files of a synthetic clip; docs/synth.md describes them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from retarget_cli.core.errors import OutputError
from retarget_cli.core.motion import Motion
from retarget_cli.media.writer import open_writer
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.synth.rendition import Frame, Rendition

PICTURES = ("frames", "mask", "parsing", "parts", "depth", "flow")
DEPTH_ZERO, FLOW_ZERO, FLOW_UNIT = 32768, 32768, 64
# Of what is fast, runs of equal bytes also give the smallest files here.
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)


@dataclass(frozen=True, slots=True)
class Clip:
    """Where a clip is written, and its rate; `has_video` adds a film of each rendition."""

    folder: Path
    rate: Fraction
    has_video: bool = False


def unfinished(clip: Path) -> Path:
    """The hidden folder that a clip is written into."""
    return clip.with_name(f".{clip.name}.part")


def begun(clip: Clip) -> Path:
    """The folder that a clip is written into, without what an earlier run left there."""
    scratch = unfinished(clip.folder)
    shutil.rmtree(scratch, ignore_errors=True)
    return scratch


def appear(clip: Clip) -> None:
    """Give a finished clip its name.

    Raises:
        OutputError: it can't be had.
    """
    try:
        shutil.rmtree(clip.folder, ignore_errors=True)
        unfinished(clip.folder).replace(clip.folder)
    except OSError as error:
        raise OutputError(f"can't write {clip.folder}: {error.strerror or error}", "check the folder") from error


def write_png(path: Path, pixels: NDArray[Any]) -> None:
    """8 or 16 bits, gray or RGB.

    Raises:
        OutputError: the disk is full, or the folder has gone.
    """
    turned = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    is_done, content = cv2.imencode(".png", turned, _PNG)
    if not is_done:
        raise OutputError(f"{path} can't be encoded")
    write_bytes(path, content.tobytes())


def write_bytes(path: Path, content: bytes) -> None:
    """A file.

    Raises:
        OutputError: it can't be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(
            f"can't write {path}: {error.strerror or error}", "make room and run the same command again: it goes on"
        ) from error


def write_json(path: Path, data: object) -> None:
    """A file that appears whole, by way of a hidden one beside it."""
    partial = path.with_name(f".{path.name}.part")
    write_bytes(partial, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
    partial.replace(path)


def make_folders(folder: Path, kinds: tuple[str, ...] = PICTURES) -> None:
    """The folders of a rendition's kinds of pictures.

    Raises:
        OutputError: they can't be made.
    """
    try:
        for name in kinds:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't make {folder}: {error.strerror or error}", "check its permissions") from error


def write_frame(folder: Path, number: int, frame: Frame) -> None:
    """The pictures of one frame."""
    name = f"{number:06d}.png"
    pictures: tuple[NDArray[Any], ...] = (
        frame.image, frame.mask, frame.parsing, frame.parts, depth_picture(frame.depth),
        flow_picture(frame.flow, frame.visible),
    )  # fmt: skip
    for kind, pixels in zip(PICTURES, pictures, strict=True):
        write_png(folder / kind / name, pixels)


def depth_picture(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(H, W): 32768 and millimetres from the hips; 0 where nobody is."""
    there = np.isfinite(depth)
    value = DEPTH_ZERO + 1000 * np.where(there, depth, 0)
    return np.where(there, np.rint(value).clip(1, 65535), 0).astype(np.uint16)


def flow_picture(flow: NDArray[np.float32], visible: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """(H, W, 3): right, down, visible, as KITTI has it; what is too far for 16 bits counts as not visible."""
    value = np.rint(flow * FLOW_UNIT + FLOW_ZERO)
    told = value.clip(0, 65535)
    picture = np.empty((*visible.shape, 3), np.uint16)
    picture[..., :2] = told
    picture[..., 2] = visible & (told[..., 0] == value[..., 0]) & (told[..., 1] == value[..., 1])
    return picture


def write_truth(
    folder: Path, rendition: Rendition, landmarks: NDArray[np.float32], clip: Clip, size: tuple[int, int]
) -> None:
    """`truth.motion` and `joints.safetensors`."""
    skeleton, count = rendition.skeleton, len(rendition.theta)
    world = skeleton.landmarks - skeleton.landmarks[:, [23, 24]].mean(1, keepdims=True)
    motion = Motion(
        size=size,
        times=tuple(row / clip.rate for row in range(count)),
        present=np.ones(count, bool),
        pose=np.ascontiguousarray(landmarks, np.float32),
        world=np.ascontiguousarray(world, np.float32),
        body="anny",
        theta=np.ascontiguousarray(rendition.theta, np.float32),
        camera=np.ascontiguousarray(rendition.cameras, np.float32),
        betas=np.ascontiguousarray(rendition.figure.betas, np.float32),
    )
    path = folder / "truth.motion"
    save_motion(path, motion, {"driving": f"retarget synth: {rendition.name}", "truth": "exact"})
    write_bytes(path, with_sorted_header(path.read_bytes()))
    places = skeleton.joints - skeleton.joints[:, :1]
    flat = skeleton.joints[..., :2] * rendition.cameras[:, None, :1] + rendition.cameras[:, None, 1:]
    joints = {"joints_2d": flat, "joints_3d": places}
    arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in joints.items()}
    write_bytes(folder / "joints.safetensors", save(arrays))


def with_sorted_header(content: bytes) -> bytes:
    """A safetensors file with its header's words in order: the library writes them in a new order every time."""
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def write_film(folder: Path, clip: Clip, size: tuple[int, int]) -> None:
    """`video.mp4` of the frames, to look at."""
    with open_writer(folder / "video.mp4", size=size, rate=clip.rate, overwrite=True) as writer:
        for number, path in enumerate(sorted((folder / "frames").iterdir())):
            pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
            writer.write(np.ascontiguousarray(pixels[..., ::-1]), number / clip.rate)
