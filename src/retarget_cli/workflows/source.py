"""The source side: photos or a clip of one person, as a subject."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch

from retarget_cli.body.model import Body
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.progress import Progress
from retarget_cli.core.subject import Image, Subject, View
from retarget_cli.geometry.rotations import axis_angle_to_matrix
from retarget_cli.media.images import is_picture, read_picture
from retarget_cli.media.picture_source import pictures_in
from retarget_cli.media.reader import open_frames
from retarget_cli.perception.cache import Cache, cache_key, content_hash
from retarget_cli.perception.fit import BodyFitter, FitOptions
from retarget_cli.perception.mask import person_mask
from retarget_cli.perception.person_tracker import PersonTracker
from retarget_cli.perception.persons import Choice
from retarget_cli.perception.plate import empty_plate, median_plate
from retarget_cli.perception.pose import PoseFinding
from retarget_cli.workflows.canvas import CanvasSize, fit_canvas

VERSION = 3
# Of a source clip so many frames are looked at, evenly spread, and so many kept as views.
CLIP_FRAMES = 24
CLIP_VIEWS = 4


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of the person before its body is known.

    Attributes:
        image: (H, W, 3) uint8.
        mask: (H, W) float32.
        finding: landmarks in its pixels.
    """

    image: Image
    mask: FloatArray
    finding: PoseFinding


def source_files(patterns: Iterable[str], option: str = "--source") -> list[Path]:
    """The files that paths, globs and folders name, in order; `option` is what said them.

    Raises:
        UsageError: there are none.
        InputError: one of them names nothing.
    """
    files: list[Path] = []
    for pattern in patterns:
        path = Path(pattern)
        if os.path.isdir(path):  # unlike Path.is_dir, False for a name that is too long
            found = pictures_in(path)
        elif os.path.exists(path):
            found = [path]
        else:
            found = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
        if not found:
            raise InputError(
                f"{option} {pattern}: there is no such file", "give a photo, several, a folder or a clip"
            )
        files += found
    if not files:
        raise UsageError("no --source is given", "give a photo of the person who shall move")
    return files


def prepare_subject(
    files: list[Path],
    canvas: CanvasSize,
    choice: Choice,
    body: Body,
    cache: Cache | None,
    progress: Progress,
    clip_views: int = CLIP_VIEWS,
) -> Subject:
    """Look at every picture of the source person; the one that faces the viewer best comes first.

    Args:
        files: pictures and clips.
        canvas: what size the first is brought to.
        choice: whom to take where several are seen.
        body: what is fitted.
        cache: of perception; None keeps nothing.
        progress: told of every file.
        clip_views: so many views at most are taken from a clip, spread over the directions that the person faces.

    Raises:
        InputError: a file can't be read, or none shows a person.
    """
    shots: list[Shot] = []
    plates: list[Image] = []
    for number, path in enumerate(files):
        progress.stage("source", number, len(files))
        for shot, plate in _shots(path, canvas, choice, cache, clip_views):
            shots.append(shot)
            plates.append(plate)
    progress.stage("source", len(files), len(files))
    views, betas = fit_views(shots, body)
    order = sorted(range(len(views)), key=lambda i: -quality(views[i]))
    primary = views[order[0]]
    others = tuple(_resized(views[i], primary) for i in order[1:])
    return Subject((primary, *others), betas, body.name, plates[order[0]], files[0].stem)


def _shots(
    path: Path, canvas: CanvasSize, choice: Choice, cache: Cache | None, clip_views: int
) -> Iterator[tuple[Shot, Image]]:
    if cache is None:
        yield from _looked_at(path, canvas, choice, clip_views)
        return
    options = {"what": f"source {VERSION}", "canvas": str(canvas), "person": choice}
    if not is_picture(path) and clip_views != CLIP_VIEWS:
        options["views"] = clip_views
    key = cache_key(content_hash(path), options)
    known = cache.get(key)
    if known is None:
        with cache.claimed(key):
            known = cache.get(key)  # another process may have looked at it meanwhile
            if known is None:
                found = _looked_at(path, canvas, choice, clip_views)
                cache.put(key, _packed(found), {})
    yield from found if known is None else _unpacked(known)


def _looked_at(path: Path, canvas: CanvasSize, choice: Choice, clip_views: int) -> list[tuple[Shot, Image]]:
    if is_picture(path):
        return _look_at_picture(path, canvas, choice)
    return _look_at_clip(path, canvas, choice, clip_views)


def _look_at_picture(path: Path, canvas: CanvasSize, choice: Choice) -> list[tuple[Shot, Image]]:
    picture = read_picture(path)
    with PersonTracker(choice, video=False, with_mask=True) as tracker:
        image, alpha, finding = fit_canvas(picture.rgb, picture.alpha, canvas, tracker.find)
    if finding is None:
        raise InputError(
            f"{path}: no person is seen in the picture",
            "use a photo that shows one person plainly, ideally from head to foot",
        )
    mask = person_mask(image, finding, alpha)
    return [(Shot(image, mask, finding), empty_plate(image, mask))]


def _look_at_clip(path: Path, canvas: CanvasSize, choice: Choice, most: int) -> list[tuple[Shot, Image]]:
    with open_frames(path, long_side=canvas.longest) as source:
        stride = max(1, (source.frame_count or CLIP_FRAMES) // CLIP_FRAMES)
        spread = (frame.rgb for frame in source if frame.index % stride == 0)
        frames = list(islice(spread, 2 * CLIP_FRAMES))
    shots: list[Shot] = []
    with PersonTracker(choice, video=False, with_mask=True) as tracker:
        for frame in frames:
            image, _, finding = fit_canvas(frame, None, canvas, tracker.find)
            if finding is not None and finding.soft_mask is not None:
                shots.append(Shot(image, finding.soft_mask, finding))
    if not shots:
        raise InputError(
            f"{path}: no person is seen in the source clip", "use a clip that shows one person plainly"
        )
    plate = median_plate([shot.image for shot in shots], [shot.mask for shot in shots])
    kept = _spread(shots, most)
    refined = [replace(shot, mask=person_mask(shot.image, shot.finding, None)) for shot in kept]
    return [(shot, plate) for shot in refined]


def _spread(shots: list[Shot], most: int) -> list[Shot]:
    """The best-facing shot, then those that differ most in the direction that the person faces."""
    facing = np.array([facing_angle(shot.finding.world) for shot in shots])
    chosen = [int(np.argmin(np.abs(facing)))]
    while len(chosen) < min(most, len(shots)):
        apart = np.abs((facing[:, None] - facing[chosen][None] + np.pi) % (2 * np.pi) - np.pi).min(1)
        if apart.max() < np.radians(25):
            break
        chosen.append(int(np.argmax(apart)))
    return [shots[i] for i in chosen]


def facing_angle(world: FloatArray) -> float:
    """How far the shoulders are turned from the viewer, radians: 0 faces him, +-pi shows the back."""
    across = world[11] - world[12]
    return float(np.arctan2(across[2], across[0]))


def fit_views(shots: list[Shot], body: Body) -> tuple[list[View], FloatArray]:
    """Fit one shape and a pose a picture."""
    pose = torch.from_numpy(np.stack([shot.finding.pose for shot in shots]))
    world = torch.from_numpy(np.stack([shot.finding.world for shot in shots]))
    # Pictures may differ in size: the fit works in shares of the person's height anyway.
    options = FitOptions(steps=5, shape_rounds=4)
    fit = BodyFitter(body, options).fit(pose, world, torch.zeros(body.shape_count))
    views = [
        View(
            shot.image,
            shot.mask,
            shot.finding.pose,
            shot.finding.world,
            fit.theta[row].numpy(),
            fit.camera[row].numpy(),
        )
        for row, shot in enumerate(shots)
    ]
    return views, fit.betas.numpy()


def quality(view: View) -> float:
    """How good a primary view is: faces the viewer, large, whole."""
    turned = axis_angle_to_matrix(torch.from_numpy(view.theta[:1]))[0]
    facing = float(turned[2, 2])
    whole = float((view.pose[:, 2] > 0.5).mean())
    return facing + whole + 0.2 * float(view.camera[0]) / max(view.image.shape[:2])


def _resized(view: View, primary: View) -> View:
    """A view at the size of the primary one, padded below and right."""
    height, width = primary.image.shape[:2]
    factor = min(height / view.image.shape[0], width / view.image.shape[1])
    size = (max(1, round(view.image.shape[1] * factor)), max(1, round(view.image.shape[0] * factor)))
    image = np.zeros((height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.float32)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    image[: size[1], : size[0]] = cv2.resize(view.image, size, interpolation=way)
    mask[: size[1], : size[0]] = cv2.resize(view.mask, size, interpolation=way)
    pose = view.pose * np.array([factor, factor, 1], np.float32)
    return replace(view, image=image, mask=mask, pose=pose, camera=(view.camera * factor).astype(np.float32))


def _packed(found: list[tuple[Shot, Image]]) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    arrays: dict[str, np.ndarray] = {}  # type: ignore[type-arg]
    for number, (shot, plate) in enumerate(found):
        arrays[f"{number}.image"] = shot.image
        arrays[f"{number}.mask"] = shot.mask
        arrays[f"{number}.pose"] = shot.finding.pose
        arrays[f"{number}.world"] = shot.finding.world
        arrays[f"{number}.plate"] = plate
    return arrays


def _unpacked(arrays: dict[str, np.ndarray]) -> Iterator[tuple[Shot, Image]]:  # type: ignore[type-arg]
    for number in range(len(arrays) // 5):
        finding = PoseFinding(arrays[f"{number}.pose"], arrays[f"{number}.world"], None)
        yield Shot(arrays[f"{number}.image"], arrays[f"{number}.mask"], finding), arrays[f"{number}.plate"]
