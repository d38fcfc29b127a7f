"""Make a data set of moving toys and cartoons: what it is to be, and its clips."""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from retarget_cli.core.errors import UsageError
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.synth.camera import STILL
from retarget_cli.synth.toys.plan import CameraKind, ToyPlan, ToyRecipe, plan_toys
from retarget_cli.synth.toys.rendition import ToyRendition, plate_of, toy_frames, toy_renditions
from retarget_cli.synth.toys.zoo import FAMILIES
from retarget_cli.workflows.synth_files import (
    Clip,
    appear,
    begun,
    flow_picture,
    make_folders,
    with_sorted_header,
    write_bytes,
    write_film,
    write_json,
    write_png,
)
from retarget_cli.workflows.synth_run import (
    TOY,
    SynthResult,
    Wanted,
    check_least,
    finish,
    head_of,
    make_missing,
    open_folder,
    pictures_in_folder,
)

PICTURES = ("frames", "mask", "parts", "flow")


@dataclass(frozen=True, slots=True)
class ToyOptions:
    """What a data set of toys is to be.

    Attributes:
        clips, frames: how many, and of how many frames each motion is.
        size: (height, width) pixels.
        seed: of everything random.
        rate: frames a second.
        views: reference pictures.
        camera: static, moving, or both.
        has_cross: whether another instance performs the motion too.
        families: flat, solid, face.
        backgrounds: folder of pictures, or None.
        workers: processes; None is one a core.
        has_video: also write a film of each rendition.
    """

    clips: int = 20
    frames: int = 60
    size: tuple[int, int] = (256, 256)
    seed: int = 0
    rate: Fraction = Fraction(25)
    views: int = 8
    camera: CameraKind = "both"
    has_cross: bool = True
    families: tuple[str, ...] = FAMILIES
    backgrounds: Path | None = None
    workers: int | None = None
    has_video: bool = False


def synthesize_toys(folder: Path, options: ToyOptions, progress: Progress | None = None) -> SynthResult:
    """Make what is missing of a data set; as `synth.synthesize` does.

    Raises:
        UsageError: an option is impossible, the folder is something else or was begun with other options.
        InputError: the folder of backgrounds can't be used.
        OutputError: the folder can't be written.
        BackendError: a worker process died.
    """
    began = time.perf_counter()
    _check(options)
    recipe = _recipe(options)
    told = _told(options, recipe)
    open_folder(folder, told)
    count = recipe.views + recipe.frames * (2 if recipe.has_cross else 1)
    wanted = Wanted(options.clips, options.rate, options.has_video)
    make = partial(make_toy_clip, recipe)
    made, counts = make_missing(folder, wanted, make, progress or Silence(), count, options.workers)
    return SynthResult(folder, finish(folder, told), made, sum(counts), time.perf_counter() - began)


def make_toy_clip(recipe: ToyRecipe, number: int, clip: Clip) -> int:
    """Draw a clip and write it; its folder appears when all is there.

    Returns:
        The number of frames.

    Raises:
        OutputError: it can't be written.
    """
    scratch = begun(clip)
    plan = plan_toys(recipe, number)
    made = toy_renditions(recipe, plan)
    origins = {one.name: one for one in made}
    for one in made:
        _write_rendition(scratch / one.name, one, origins[one.flow_to], recipe.size)
        if clip.has_video:
            write_film(scratch / one.name, clip, recipe.size)
    write_json(scratch / "clip.json", _about(plan, made))
    appear(clip)
    return sum(len(one.places) for one in made)


def _write_rendition(folder: Path, one: ToyRendition, origin: ToyRendition, size: tuple[int, int]) -> None:
    """Pictures, points, motion and plate."""
    make_folders(folder, PICTURES)
    points = []
    for row, frame in enumerate(toy_frames(one, origin, size)):
        flow = flow_picture(frame.flow, frame.visible)
        pictures: tuple[NDArray[Any], ...] = (frame.image, frame.mask, frame.parts, flow)
        for kind, pixels in zip(PICTURES, pictures, strict=True):
            write_png(folder / kind / f"{row:06d}.png", pixels)
        points.append(frame.points)
    arrays = {"points": np.stack(points).astype(np.float32), "motion": np.ascontiguousarray(one.motion.values)}
    write_bytes(folder / "points.safetensors", with_sorted_header(save(arrays)))
    write_png(folder / "plate.png", plate_of(one, size))


def _check(options: ToyOptions) -> None:
    check_least(
        ("--clips", options.clips, 1),
        ("--frames", options.frames, 1),
        ("--size", min(options.size), 32),
        ("--views", options.views, 1),
        ("--workers", 1 if options.workers is None else options.workers, 1),
        ("--seed", options.seed, 0),
    )
    unknown = [word for word in options.families if word not in FAMILIES]
    if unknown:
        raise UsageError(f"--kinds: {', '.join(unknown)} is not known", f"with --kind toy: {', '.join(FAMILIES)}")
    if not options.families:
        raise UsageError("--kinds names no kind of toy", f"of {', '.join(FAMILIES)}")


def _recipe(options: ToyOptions) -> ToyRecipe:
    return ToyRecipe(
        seed=options.seed,
        frames=options.frames,
        size=options.size,
        rate=float(options.rate),
        views=options.views,
        camera=options.camera,
        has_cross=options.has_cross,
        families=tuple(word for word in FAMILIES if word in options.families),
        pictures=pictures_in_folder(options.backgrounds),
    )


def _told(options: ToyOptions, recipe: ToyRecipe) -> dict[str, Any]:
    """What `dataset.json` says, but for the clips."""
    return {
        **head_of(recipe, options.rate, TOY),
        "options": {
            "camera": recipe.camera,
            "with": ["cross"] if recipe.has_cross else [],
            "kinds": list(recipe.families),
            "backgrounds": [Path(name).name for name in recipe.pictures],
        },
    }


def _about(plan: ToyPlan, made: list[ToyRendition]) -> dict[str, Any]:
    """What `clip.json` says."""
    toy = made[0].toy
    sceneries = {"a": plan.scenery, "b": plan.other_scenery}
    return {
        "species": plan.species.name,
        "family": plan.species.family,
        "camera": "static" if all(view == STILL for view in plan.views) else "moving",
        "parts": ["background", *toy.part_names],
        "points": [mark.name for mark in toy.marks],
        "channels": list(plan.motion.names),
        "renditions": {
            one.name: {
                "instance": one.instance,
                "background": sceneries[one.instance].kind,
                "frames": len(one.places),
                "flow_to": f"{one.flow_to}/000000",
            }
            for one in made
        },
    }
