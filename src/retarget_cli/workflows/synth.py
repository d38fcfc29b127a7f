"""Make a synthetic data set: plan, workers, files, and going on where an earlier run stopped."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from retarget_cli.core.errors import BackendError, InputError, OutputError, UsageError
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.media.images import is_picture
from retarget_cli.synth.choreography import KINDS, Given
from retarget_cli.synth.parts import CLASSES, Part
from retarget_cli.synth.plan import EXTRAS, TURN_VIEWS, CameraKind, Recipe
from retarget_cli.workflows.synth_clip import make_clip, prepare_worker, unfinished
from retarget_cli.workflows.synth_files import Clip, write_json
from retarget_cli.workflows.synth_motion import read_given

FORMAT, VERSION = "retarget-synth", 1
STAGE = "synth"
_POLL = 0.5


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


@dataclass(frozen=True, slots=True)
class SynthResult:
    """What came of it: the folder, clips in it, clips and frames made now, seconds that took."""

    folder: Path
    clips: int
    made: int
    frames: int
    seconds: float


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
    _open(folder, told)
    missing = [number for number in range(options.clips) if not is_complete(clip_folder(folder, number))]
    counts = _made(folder, recipe, missing, given, options, progress)
    done = [f"{path.name}" for path in sorted((folder / "clips").glob("[0-9]*")) if is_complete(path)]
    write_json(folder / "dataset.json", {**told, "clips": done})
    return SynthResult(folder, len(done), len(missing), sum(counts), time.perf_counter() - began)


def clip_folder(folder: Path, number: int) -> Path:
    """Where a clip is."""
    return folder / "clips" / f"{number:04d}"


def is_complete(clip: Path) -> bool:
    """Whether all of a clip is there: its description is written last."""
    return (clip / "clip.json").is_file()


def frames_per_clip(recipe: Recipe) -> int:
    """Pictures of all renditions together."""
    pairs = recipe.frames + recipe.views
    turns = TURN_VIEWS if "views" in recipe.extras else 0
    total = pairs + turns + (pairs if "clothes" in recipe.extras else 0)
    return total + (recipe.frames + turns if "cross" in recipe.extras else 0)


def _check(options: SynthOptions) -> None:
    for name, value, least in (
        ("--clips", options.clips, 1),
        ("--frames", options.frames, 1),
        ("--size", min(options.size), 32),
        ("--views", options.views, 1),
        ("--workers", options.workers or 1, 1),
    ):
        if value < least:
            raise UsageError(f"{name} is {value}, expected at least {least}", f"choose a larger {name}")
    if options.seed < 0:
        raise UsageError(f"--seed is {options.seed}, expected 0 or more", "choose another --seed")
    for name, chosen, known in (("--with", options.extras, EXTRAS), ("--kinds", options.kinds, tuple(KINDS))):
        unknown = [word for word in chosen if word not in known]
        if unknown:
            raise UsageError(f"{name}: {', '.join(unknown)} is not known", f"of {', '.join(known)}")
    if not options.kinds:
        raise UsageError("--kinds names no kind of motion", f"of {', '.join(KINDS)}")


def _recipe(options: SynthOptions) -> Recipe:
    pictures: tuple[str, ...] = ()
    if options.backgrounds is not None:
        pictures = tuple(str(path) for path in _pictures(options.backgrounds))
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
        pictures=pictures,
    )


def _pictures(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file() and is_picture(path))
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}", "name a folder of pictures") from error
    if not found:
        raise InputError(f"no picture in {folder}", "name a folder of PNG, JPEG or WebP pictures")
    return found


def _told(options: SynthOptions, recipe: Recipe) -> dict[str, Any]:
    """What `dataset.json` says, but for the clips."""
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "seed": recipe.seed,
        "size": list(recipe.size),
        "fps": str(options.rate),
        "frames": recipe.frames,
        "views": recipe.views,
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


def _open(folder: Path, told: dict[str, Any]) -> None:
    """Begin a data set, or see that this is the one that was begun."""
    description = folder / "dataset.json"
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, expected a folder", "name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not description.exists() and any(path.name != "clips" for path in folder.iterdir()):
            raise UsageError(f"{folder} is not empty and no data set of retarget", "name a new folder")
        (folder / "clips").mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't make {folder}: {error.strerror or error}", "choose another folder") from error
    if not description.exists():
        write_json(description, {**told, "clips": []})
        return
    before = _read(description)
    for name, wanted in told.items():
        if before.get(name) != wanted:
            raise UsageError(
                f"{folder} was begun with {name} {json.dumps(before.get(name))}, not {json.dumps(wanted)}",
                "use the same options to go on, or name another folder",
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged: {error}", "name another folder") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise UsageError(f"{path} describes no data set of retarget synth", "name another folder")
    return found


def _made(
    folder: Path,
    recipe: Recipe,
    missing: list[int],
    given: tuple[Given, ...],
    options: SynthOptions,
    progress: Progress,
) -> list[int]:
    """Make clips; what is unfinished when anything stops us is removed."""
    total = frames_per_clip(recipe) * len(missing)
    clips = {number: Clip(clip_folder(folder, number), options.rate, options.has_video) for number in missing}
    progress.stage(STAGE, 0, total)
    workers = min(options.workers or os.cpu_count() or 1, max(len(missing), 1))
    counts: list[int] = []
    try:
        source = _alone(recipe, clips, given) if workers == 1 else _together(recipe, clips, given, workers)
        # Closed before the folders are removed: no worker may still be writing into them.
        with closing(source):
            for count in source:
                if count >= 0:
                    counts.append(count)
                progress.stage(STAGE, min(sum(counts) + _unfinished_frames(folder), max(total - 1, 0)), total)
    finally:
        for clip in clips.values():
            shutil.rmtree(unfinished(clip.folder), ignore_errors=True)
    progress.stage(STAGE, total, total)
    return counts


def _unfinished_frames(folder: Path) -> int:
    """Frames of clips that are being written."""
    return sum(1 for _ in (folder / "clips").glob(".*.part/*/flow/*.png"))


def _alone(recipe: Recipe, clips: dict[int, Clip], given: tuple[Given, ...]) -> Generator[int, None, None]:
    """Frames of each clip, made in this process."""
    for number, clip in clips.items():
        yield make_clip(recipe, number, given, clip)


def _together(
    recipe: Recipe, clips: dict[int, Clip], given: tuple[Given, ...], workers: int
) -> Generator[int, None, None]:
    """Frames of each clip, made by worker processes; -1 now and then while nothing is finished."""
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=prepare_worker)
    try:
        waiting: set[Future[int]] = {
            pool.submit(make_clip, recipe, number, given, clip) for number, clip in clips.items()
        }
        while waiting:
            done, waiting = wait(waiting, timeout=_POLL, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            if not done:
                yield -1
        pool.shutdown()
    except BrokenProcessPool as error:
        raise BackendError(
            "a worker process died; perhaps memory ran out",
            "run the same command again with fewer --workers: it goes on",
        ) from error
    finally:
        # Whatever is still drawing when we are stopped need not be waited for.
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
