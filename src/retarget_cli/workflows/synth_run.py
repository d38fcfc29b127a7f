"""The making of any synthetic data set: its folder, worker processes, and going on where an earlier run stopped."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import torch

from retarget_cli.core.errors import BackendError, InputError, OutputError, UsageError
from retarget_cli.core.progress import Progress
from retarget_cli.media.images import is_picture
from retarget_cli.workflows.synth_files import Clip, unfinished, write_json

FORMAT, VERSION = "retarget-synth", 1
PEOPLE, TOY = "people", "toy"
STAGE = "synth"
_POLL = 0.5
# Makes clip `number` and returns how many frames it has.
Make = Callable[[int, Clip], int]


@dataclass(frozen=True, slots=True)
class SynthResult:
    """What came of it: the folder, clips in it, clips and frames made now, seconds that took."""

    folder: Path
    clips: int
    made: int
    frames: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many clips, their frames a second, and whether each rendition has a film."""

    clips: int
    rate: Fraction
    has_video: bool


def clip_folder(folder: Path, number: int) -> Path:
    """Where a clip is."""
    return folder / "clips" / f"{number:04d}"


def is_complete(clip: Path) -> bool:
    """Whether all of a clip is there: its description is written last."""
    return (clip / "clip.json").is_file()


class Recipe(Protocol):
    """What the recipes of people and of toys have in common."""

    @property
    def seed(self) -> int: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def frames(self) -> int: ...
    @property
    def views(self) -> int: ...


def head_of(recipe: Recipe, rate: Fraction, kind: str = PEOPLE) -> dict[str, Any]:
    """How every `dataset.json` begins; one without a kind is of people."""
    return {
        "format": FORMAT,
        "format_version": VERSION,
        **({} if kind == PEOPLE else {"kind": kind}),
        "seed": recipe.seed,
        "size": list(recipe.size),
        "fps": str(rate),
        "frames": recipe.frames,
        "views": recipe.views,
    }


def check_least(*options: tuple[str, int, int]) -> None:
    """Refuse numbers that are too small: (option, value, least) of each.

    Raises:
        UsageError: one is.
    """
    for name, value, least in options:
        if value < least:
            raise UsageError(f"{name} is {value}, expected at least {least}", f"choose a larger {name}")


def pictures_in_folder(folder: Path | None) -> tuple[str, ...]:
    """The user's own backgrounds; none without a folder.

    Raises:
        InputError: the folder can't be read, or holds none.
    """
    if folder is None:
        return ()
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file() and is_picture(path))
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}", "name a folder of pictures") from error
    if not found:
        raise InputError(f"no picture in {folder}", "name a folder of PNG, JPEG or WebP pictures")
    return tuple(str(path) for path in found)


def open_folder(folder: Path, told: dict[str, Any]) -> None:
    """Begin a data set, or see that this is the one that was begun.

    Raises:
        UsageError: the folder is something else, or was begun with other options.
        OutputError: it can't be made.
    """
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
    before = {"kind": PEOPLE, **_read(description)}
    for name, wanted in {"kind": PEOPLE, **told}.items():
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


def make_missing(
    folder: Path, wanted: Wanted, make: Make, progress: Progress, count: int, workers: int | None
) -> tuple[int, list[int]]:
    """Make the clips that are not there; what is unfinished when anything stops us is removed.

    Args:
        folder: of the data set.
        wanted: how many clips of which rate; see `Wanted`.
        make: makes a clip from its number; a function that can be sent to another process.
        progress: is told how many frames are done.
        count: pictures of a clip.
        workers: processes; None is one a core.

    Returns:
        How many were missing, and the frames of each.

    Raises:
        BackendError: a worker process died.
    """
    missing = [number for number in range(wanted.clips) if not is_complete(clip_folder(folder, number))]
    total = count * len(missing)
    clips = {number: Clip(clip_folder(folder, number), wanted.rate, wanted.has_video) for number in missing}
    progress.stage(STAGE, 0, total)
    processes = min(workers or os.cpu_count() or 1, max(len(missing), 1))
    counts: list[int] = []
    try:
        source = _alone(make, clips) if processes == 1 else _together(make, clips, processes)
        # Closed before the folders are removed: no worker may still be writing into them.
        with closing(source):
            for frames in source:
                if frames >= 0:
                    counts.append(frames)
                progress.stage(STAGE, min(sum(counts) + _unfinished_frames(folder), max(total - 1, 0)), total)
    finally:
        for clip in clips.values():
            shutil.rmtree(unfinished(clip.folder), ignore_errors=True)
    progress.stage(STAGE, total, total)
    return len(missing), counts


def finish(folder: Path, told: dict[str, Any]) -> int:
    """Write which clips are there.

    Returns:
        How many.
    """
    done = [path.name for path in sorted((folder / "clips").glob("[0-9]*")) if is_complete(path)]
    write_json(folder / "dataset.json", {**told, "clips": done})
    return len(done)


def prepare_worker() -> None:
    """In a worker process: one thread, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def _unfinished_frames(folder: Path) -> int:
    """Frames of clips that are being written."""
    return sum(1 for _ in (folder / "clips").glob(".*.part/*/flow/*.png"))


def _alone(make: Make, clips: dict[int, Clip]) -> Generator[int, None, None]:
    """Frames of each clip, made in this process."""
    for number, clip in clips.items():
        yield make(number, clip)


def _together(make: Make, clips: dict[int, Clip], workers: int) -> Generator[int, None, None]:
    """Frames of each clip, made by worker processes; -1 now and then while nothing is finished."""
    context = multiprocessing.get_context("spawn")
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=prepare_worker)
    try:
        waiting: set[Future[int]] = {pool.submit(make, number, clip) for number, clip in clips.items()}
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
