"""Make a data set of synthetic people: what it is to be, and its clips."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from retarget_cli.core.errors import UsageError
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.synth.choreography import KINDS, Given
from retarget_cli.synth.parts import CLASSES, Part
from retarget_cli.synth.plan import EXTRAS, TURN_VIEWS, CameraKind, Recipe
from retarget_cli.workflows.synth_clip import make_clip
from retarget_cli.workflows.synth_files import Clip
from retarget_cli.workflows.synth_motion import read_given
from retarget_cli.workflows.synth_run import (
    SynthResult,
    Wanted,
    check_least,
    finish,
    head_of,
    make_missing,
    open_folder,
    pictures_in_folder,
)


@dataclass(frozen=True, slots=True)
class SynthOptions:
    """What a data set is to be.

    Attributes:
        clips, frames: how many, and of how many frames each motion is.
        size: (height, width) pixels.
        seed: of everything random.
        rate: frames a second.
        views: azimuths of the source.
        camera: static, moving, or both.
        extras: which optional renditions there are.
        kinds: of generated motion.
        motions: `.motion` files to perform.
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
    extras: tuple[str, ...] = EXTRAS
    kinds: tuple[str, ...] = tuple(KINDS)
    motions: tuple[Path, ...] = ()
    backgrounds: Path | None = None
    workers: int | None = None
    has_video: bool = False


def synthesize(folder: Path, options: SynthOptions, progress: Progress | None = None) -> SynthResult:
    """Make what is missing of a data set.

    Args:
        folder: where to; made anew, or one that was begun with the same options.
        options: what it is to be.
        progress: is told how many frames are done.

    Raises:
        UsageError: an option is impossible, the folder is something else or was begun with other options.
        InputError: a motion file or the folder of backgrounds can't be used.
        OutputError: the folder can't be written.
        BackendError: a worker process died.
    """
    began = time.perf_counter()
    progress = progress or Silence()
    _check(options)
    given = tuple(read_given(path, options.rate) for path in options.motions)
    recipe = _recipe(options)
    told = _told(options, recipe)
    open_folder(folder, told)
    wanted = Wanted(options.clips, options.rate, options.has_video)
    make = partial(_make, recipe, given)
    made, counts = make_missing(folder, wanted, make, progress, frames_per_clip(recipe), options.workers)
    return SynthResult(folder, finish(folder, told), made, sum(counts), time.perf_counter() - began)


def _make(recipe: Recipe, given: tuple[Given, ...], number: int, clip: Clip) -> int:
    return make_clip(recipe, number, given, clip)


def frames_per_clip(recipe: Recipe) -> int:
    """Pictures of all renditions together."""
    pairs = recipe.frames + recipe.views
    turns = TURN_VIEWS if "views" in recipe.extras else 0
    total = pairs + turns + (pairs if "clothes" in recipe.extras else 0)
    return total + (recipe.frames + turns if "cross" in recipe.extras else 0)


def _check(options: SynthOptions) -> None:
    check_least(
        ("--clips", options.clips, 1),
        ("--frames", options.frames, 1),
        ("--size", min(options.size), 32),
        ("--views", options.views, 1),
        ("--workers", options.workers or 1, 1),
    )
    if options.seed < 0:
        raise UsageError(f"--seed is {options.seed}, expected 0 or more", "choose another --seed")
    for name, chosen, known in (("--with", options.extras, EXTRAS), ("--kinds", options.kinds, tuple(KINDS))):
        unknown = [word for word in chosen if word not in known]
        if unknown:
            raise UsageError(f"{name}: {', '.join(unknown)} is not known", f"of {', '.join(known)}")
    if not options.kinds:
        raise UsageError("--kinds names no kind of motion", f"of {', '.join(KINDS)}")


def _recipe(options: SynthOptions) -> Recipe:
    return Recipe(
        seed=options.seed,
        frames=options.frames,
        size=options.size,
        rate=float(options.rate),
        views=options.views,
        camera=options.camera,
        extras=tuple(word for word in EXTRAS if word in options.extras),
        kinds=tuple(word for word in KINDS if word in options.kinds),
        motions=tuple(path.name for path in options.motions),
        pictures=pictures_in_folder(options.backgrounds),
    )


def _told(options: SynthOptions, recipe: Recipe) -> dict[str, Any]:
    """What `dataset.json` says, but for the clips."""
    return {
        **head_of(recipe, options.rate),
        "parsing": list(CLASSES),
        "parts": [part.name.lower() for part in Part],
        "options": {
            "camera": recipe.camera,
            "with": list(recipe.extras),
            "kinds": list(recipe.kinds),
            "motions": {path.name: _digest(path) for path in options.motions},
            "backgrounds": [Path(name).name for name in recipe.pictures],
        },
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
