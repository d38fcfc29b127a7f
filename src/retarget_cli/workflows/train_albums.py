"""The albums that a training draws from: made once, side by side, and kept beside what was perceived."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from retarget_cli.core.errors import InputError, RetargetError
from retarget_cli.core.progress import Progress
from retarget_cli.evaluation.datasets import open_dataset
from retarget_cli.evaluation.recordings import Dataset, Stream
from retarget_cli.perception.cache import cache_key
from retarget_cli.synth.plan import Recipe
from retarget_cli.training.album import Album, open_album
from retarget_cli.workflows import train_clips, train_pictures, train_synthetic
from retarget_cli.workflows.synth_clip import make_clip
from retarget_cli.workflows.synth_files import Clip
from retarget_cli.workflows.train_pool import in_processes

STAGE = "albums"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A clip of `retarget synth` to be drawn: nothing of it is kept but its albums."""

    recipe: Recipe
    number: int


Origin = Drawn | Path | Stream
"""Where albums come from: a clip to be drawn, the folder of a synthetic clip, or a recorded clip."""


@dataclass(frozen=True, slots=True)
class Job:
    """Albums to be made of one clip.

    Attributes:
        origin: of what.
        name: for people.
        folder: where albums are.
        size: of the pictures that will be learned from, pixels.
        is_pictured: the pictures are all that is wanted; nobody is looked for.
        is_in_order: consecutive frames are wanted, and which those are.
    """

    origin: Origin
    name: str
    folder: Path
    size: int
    is_pictured: bool = False
    is_in_order: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a job: albums, or why there are none."""

    paths: tuple[Path, ...]
    fault: str = ""


def albums(
    data: Sequence[Path],
    drawn: int,
    seed: int,
    size: int,
    folder: Path,
    workers: int | None,
    progress: Progress,
    is_pictured: bool = False,
    is_in_order: bool = False,
) -> list[Album]:
    """All albums of data sets, in the same order every time.

    Args:
        data: any layout that `open_dataset` reads; of those that have one, the part for training.
        drawn: so many synthetic clips more; clip k is the same for the same seed and size.
        seed: of those.
        size: of the pictures that will be learned from, pixels.
        folder: where albums are kept.
        workers: processes; None is one a core.
        progress: is told about clips, and about those that are of no use.
        is_pictured: the pictures are all that is wanted: nobody is looked for, and clips may show anything.
        is_in_order: consecutive frames are wanted.

    Raises:
        InputError: a data set can't be read, or none of its clips can be used.
        OutputError: an album can't be written.
    """
    jobs = [job for root in data for job in _jobs(root, folder, size, is_pictured)]
    recipe = Recipe(seed=seed, size=(size, size))
    jobs += [Job(Drawn(recipe, number), f"clip {number}", folder, size, is_pictured) for number in range(drawn)]
    jobs = [replace(job, is_in_order=is_in_order) for job in jobs]
    found: dict[int, Made] = {}
    places = {id(job): place for place, job in enumerate(jobs)}
    progress.stage(STAGE, 0, len(jobs))
    count = min(workers or os.cpu_count() or 1, max(1, len(jobs)))
    missing = []
    for place, job in enumerate(jobs):
        known = known_albums(job)
        if known is None:
            missing.append(job)
        else:
            found[place] = known
    for job, made in in_processes(make_albums, missing, count):
        found[places[id(job)]] = made
        progress.stage(STAGE, len(found), len(jobs))
    progress.stage(STAGE, len(jobs), len(jobs))
    for place, job in enumerate(jobs):
        if found[place].fault:
            progress.note(f"{job.name} is left out: {found[place].fault}")
    paths = [path for place in range(len(jobs)) for path in found[place].paths]
    if not paths:
        wanted = "clips of two frames or more" if is_pictured else "clips that show one person plainly"
        raise InputError("none of the clips can be learned from", f"give {wanted}")
    return [open_album(path) for path in paths]


def known_albums(job: Job) -> Made | None:
    """What an earlier run has made of a clip; None where something is missing."""
    try:
        paths = _paths(job)
    except RetargetError as error:
        return Made((), error.line)
    if paths is None or not all(path.is_file() for path in paths):
        nobody = None if paths is None else train_clips.nobody_file(paths[0])
        return Made((), train_clips.NOBODY) if nobody is not None and nobody.is_file() else None
    return Made(paths)


def make_albums(job: Job) -> Made:
    """Make what is missing of a clip's albums; in a process of its own.

    Raises:
        OutputError: an album can't be written.
    """
    try:
        if isinstance(job.origin, Drawn):
            return Made(_draw(job, job.origin))
        if isinstance(job.origin, Path):
            return Made(_from_synthetic(job, job.origin))
        return _from_stream(job, job.origin)
    except InputError as error:
        return Made((), error.line)


def _jobs(root: Path, folder: Path, size: int, is_pictured: bool) -> list[Job]:
    dataset = _opened(root)
    if dataset.turnouts:
        # Every rendition of a clip lies in the clip's folder.
        clips = [next(iter(turnout.folders.values())).parent for turnout in dataset.turnouts]
        return [Job(clip, f"{root.name}/{clip.name}", folder, size, is_pictured) for clip in clips]
    return [Job(each.stream, f"{root.name}/{each.name}", folder, size, is_pictured) for each in dataset.recordings]


def _opened(root: Path) -> Dataset:
    """The part of a data set that is for training; all of it where that part is empty."""
    try:
        return open_dataset(root, split="train")
    except InputError:
        if not root.exists():
            raise
        return open_dataset(root)


def _paths(job: Job) -> tuple[Path, ...] | None:
    """The files of a clip's albums; None where they are known only once it is drawn."""
    origin = job.origin
    if isinstance(origin, Drawn):
        count = len(train_pictures.GROUPS if job.is_pictured else train_synthetic.GROUPS)
        return tuple(_drawn_path(job, origin, place) for place in range(count))
    if isinstance(origin, Path):
        return tuple(_path(job, _key(job, origin, group)) for group in _groups(job, origin))
    return (_path(job, _stream_key(job, origin)),)


def _stream_key(job: Job, stream: Stream) -> str:
    if job.is_pictured:
        return train_pictures.stream_key(stream, job.size)
    return train_clips.key_of(stream, job.size, job.is_in_order)


def _path(job: Job, key: str) -> Path:
    return job.folder / f"{key}.safetensors"


def _groups(job: Job, clip: Path) -> list[tuple[str, ...]]:
    return train_pictures.groups_of(clip) if job.is_pictured else train_synthetic.groups_of(clip)


def _key(job: Job, clip: Path, group: tuple[str, ...]) -> str:
    if job.is_pictured:
        return train_pictures.key_of(clip, group)
    return train_synthetic.key_of(clip, group, job.is_in_order)


def _write(job: Job, clip: Path, group: tuple[str, ...], path: Path) -> None:
    write = train_pictures.write_group if job.is_pictured else train_synthetic.write_synthetic
    write(clip, group, path)


def _drawn_path(job: Job, origin: Drawn, place: int) -> Path:
    what = f"drawn pictures {train_pictures.VERSION}" if job.is_pictured else f"drawn album {train_synthetic.VERSION}"
    options: dict[str, object] = {"what": what, "number": origin.number, "place": place}
    if job.is_in_order:
        options["in order"] = True
    return _path(job, cache_key(repr(origin.recipe), options))


def _draw(job: Job, origin: Drawn) -> tuple[Path, ...]:
    """Draw a clip into a folder that goes again, and keep its albums."""
    scratch = Path(tempfile.mkdtemp(prefix="retarget-train-"))
    try:
        clip = scratch / f"{origin.number:04d}"
        make_clip(origin.recipe, origin.number, (), Clip(clip, Fraction(25)))
        paths = []
        for place, group in enumerate(_groups(job, clip)):
            paths.append(_drawn_path(job, origin, place))
            _write(job, clip, group, paths[-1])
        return tuple(paths)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _from_synthetic(job: Job, clip: Path) -> tuple[Path, ...]:
    paths = []
    for group in _groups(job, clip):
        paths.append(_path(job, _key(job, clip, group)))
        if not paths[-1].is_file():
            _write(job, clip, group, paths[-1])
    return tuple(paths)


def _from_stream(job: Job, stream: Stream) -> Made:
    path = _path(job, _stream_key(job, stream))
    if job.is_pictured:
        is_made, fault = train_pictures.write_stream(stream, job.name, job.size, path), train_pictures.STILL
    else:
        is_made = train_clips.write_clip(stream, job.name, job.size, path, job.is_in_order)
        fault = train_clips.NOBODY
    return Made((path,)) if is_made else Made((), fault)
