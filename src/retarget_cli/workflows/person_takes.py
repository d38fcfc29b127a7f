"""What a method that learns from film is personalised with: every frame of the person's clips, in the clips' order.

    clip -> motion, smoothed -> frames in runs -> masks, or a green screen keyed out -> album in the cache
    other people's clips or motion files -> their postures                             (for unpaired learning)

Pictures lie in albums on disk while they are learned from; the subject file keeps a few views, as ever.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import finalize

import numpy as np
import torch
from numpy.typing import NDArray

from retarget_cli.body.catalog import load_body
from retarget_cli.core.errors import InputError
from retarget_cli.core.example import Example, Span
from retarget_cli.core.motion import FloatArray, Motion, join
from retarget_cli.core.progress import Progress
from retarget_cli.core.subject import Image, Subject
from retarget_cli.evaluation.recordings import Stream
from retarget_cli.evaluation.streams import facts, frames
from retarget_cli.perception.cache import Cache, cache_key, content_hash
from retarget_cli.perception.chroma import Screen, find_screen, keyed, without_spill
from retarget_cli.perception.fit import BodyFitter, FitOptions
from retarget_cli.perception.mask import person_mask
from retarget_cli.perception.persons import Choice
from retarget_cli.perception.plate import median_plate
from retarget_cli.perception.pose import PoseFinding
from retarget_cli.perception.smoothing import smooth_motion
from retarget_cli.training.album import Album, Contents, open_album, save_album
from retarget_cli.training.courses import course_of, passage, targets
from retarget_cli.workflows.others import motion_of, read_others
from retarget_cli.workflows.train_clips import chosen_runs, run_numbers

VERSION = 1
STAGE = "clip"
# Frames that are kept of all clips together, and how many follow each other where not all can be.
MOST_FRAMES, RUN = 1200, 150
# As `animate` smooths what it follows, unless told otherwise.
SMOOTH = 0.5
# Pictures are so much finer than they are looked at.
_FINER = 1.25
# Frames of a clip that are asked for a green screen.
_ASKED = 24
# Frames from which a background is put together.
_BEHIND = 40
# Examples with each frame as the target that are told apart: somebody else's postures differ.
_ROUND = 100


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip of the person.

    Attributes:
        path: of it.
        choice: whom to take where several are seen.
        most: frames that are kept of it.
        fineness: pixels a metre that its pictures will be looked at with.
    """

    path: Path
    choice: Choice
    most: int
    fineness: float


class Scenes:
    """Examples of all frames of some albums, made when they are asked for; each depends on its number alone.

    Args:
        albums: of the person.
        subject: as it is kept.
        span: what of a target's clip is told.
        others: (T, 24, 3) each, films of somebody else's postures.
        seed: of which postures of others are taken.
        scratch: folder of the albums, which goes when this does; None where they stay.

    Raises:
        InputError: no album has as many consecutive frames as are wanted.
    """

    def __init__(
        self,
        albums: Sequence[Album],
        subject: Subject,
        span: Span,
        others: Sequence[FloatArray],
        seed: int,
        scratch: Path | None = None,
    ) -> None:
        if scratch is not None:
            finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        self._subject, self._span, self._others, self._seed = subject, span, others, seed
        self._places = [(album, int(row)) for album in albums for row in targets(album, span)]
        if not self._places:
            raise InputError(
                f"no clip shows the person in {span.shown} frames on end", "give one in which nobody else is in the way"
            )

    def __len__(self) -> int:
        return _ROUND * len(self._places)

    def __getitem__(self, number: int) -> Example:
        album, row = self._places[number % len(self._places)]
        others = None
        if self._others:
            rng = np.random.default_rng([self._seed, number])
            others = passage(self._others[int(rng.integers(len(self._others)))], rng, self._span)
        course = course_of(album, row, self._span, others=others)
        return Example(self._subject, album.view(row), album.plate(row), course)

    @property
    def frames(self) -> int:
        """That can be the target."""
        return len(self._places)


def read_clips(
    clips: Sequence[Path], choice: Choice, subject: Subject, span: Span, folder: Path, cache: Cache | None,
    progress: Progress,
) -> list[Album]:  # fmt: skip
    """Albums of the person's clips, made once.

    Args:
        clips: of one person.
        choice: whom to take where several are seen.
        subject: whose proportions are kept.
        span: tells how fine pictures are to be.
        folder: where albums are kept.
        cache: of perception.
        progress: told of every clip, and of green screens.

    Raises:
        InputError: a clip can't be read, or shows nobody.
        OutputError: an album can't be written.
    """
    albums = []
    for number, path in enumerate(clips):
        progress.stage(STAGE, number, len(clips))
        clip = Clip(path, choice, max(RUN, MOST_FRAMES // len(clips)), span.fineness)
        made = folder / f"{_key(clip, subject)}.safetensors"
        if not made.is_file():
            _write(clip, subject, made, cache, progress)
        albums.append(open_album(made))
    progress.stage(STAGE, len(clips), len(clips))
    return albums


def open_scenes(
    clips: Sequence[Path], others: Sequence[Path], choice: Choice, subject: Subject, span: Span, seed: int,
    cache: Cache | None, progress: Progress,
) -> Scenes:  # fmt: skip
    """All that there is to learn from; see `read_clips` and `read_others`.

    Raises:
        InputError: a file can't be read, or shows nobody.
        OutputError: an album can't be written.
    """
    if cache is not None:
        albums = read_clips(clips, choice, subject, span, cache.folder / "albums", cache, progress)
        return Scenes(albums, subject, span, read_others(others, subject.body, cache, progress), seed)
    scratch = Path(tempfile.mkdtemp(prefix="retarget-clips-"))
    try:
        albums = read_clips(clips, choice, subject, span, scratch, None, progress)
        return Scenes(albums, subject, span, read_others(others, subject.body, None, progress), seed, scratch)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise


def _key(clip: Clip, subject: Subject) -> str:
    options: dict[str, object] = {
        "what": f"take {VERSION}", "person": str(clip.choice), "most": clip.most, "fineness": clip.fineness,
        "body": subject.body, "betas": subject.betas.tobytes().hex(),
    }  # fmt: skip
    return cache_key(content_hash(clip.path), options)


def _write(clip: Clip, subject: Subject, path: Path, cache: Cache | None, progress: Progress) -> None:
    motion = motion_of(clip.path, subject.body, clip.choice, cache)
    rows = np.flatnonzero(motion.present)
    if not len(rows):
        raise InputError(f"{clip.path}: no person is seen in the clip", "use a clip that shows one person plainly")
    rows = rows[chosen_runs(len(rows), clip.most, RUN)]
    theta, camera = _fitted(motion, subject)
    factor = min(1.0, _FINER * clip.fineness / max(float(np.median(camera[rows, 0])), 1e-3))
    height, width = (max(16, round(side * factor)) for side in facts(Stream(clip.path)).size)
    ratio = np.array([width / motion.size[1], height / motion.size[0]], np.float32)
    pose = motion.pose * np.array([*ratio, 1], np.float32)
    pictures = _pictures(clip.path, (height, width), rows)
    screen = _screen(pictures, len(rows))
    if screen is not None:
        progress.note(f"{clip.path}: filmed before a green screen, which is keyed out")
    images, masks = [], []
    for place, (row, picture) in enumerate(_pictures(clip.path, (height, width), rows)):
        progress.stage("masks", place, len(rows))
        image, mask = _cut_out(picture, pose[row], motion.world[row], screen)
        images.append(image)
        masks.append(mask)
    some = sorted(set(np.linspace(0, len(images) - 1, min(_BEHIND, len(images))).round().astype(int).tolist()))
    behind = median_plate([images[at] for at in some], [masks[at].astype(np.float32) / 255 for at in some])[None]
    # Scale and place are about what lies across and down alike; frames keep their shape to a pixel.
    cameras = camera * np.array([ratio.mean(), *ratio], np.float32)
    numbers = pose[rows], motion.world[rows], theta[rows], cameras[rows].astype(np.float32), subject.betas
    save_album(
        path,
        Contents(
            clip.path.name, subject.body, np.stack(images), np.stack(masks), behind, *numbers, run_numbers(rows)
        ),
    )  # fmt: skip


def _fitted(motion: Motion, subject: Subject) -> tuple[FloatArray, FloatArray]:
    """(T, 24, 3), (T, 3): the motion of the subject's own body, as smooth as `animate` would have it."""
    rows = np.flatnonzero(motion.present)
    fitter = BodyFitter(load_body(subject.body), FitOptions(steps=5))
    fit = fitter.fit(
        torch.from_numpy(motion.pose[rows]), torch.from_numpy(motion.world[rows]), torch.from_numpy(subject.betas)
    )
    theta = np.zeros((len(motion), 24, 3), np.float32)
    camera = np.ones((len(motion), 3), np.float32)
    theta[rows], camera[rows] = fit.theta.numpy(), fit.camera.numpy()
    own = replace(motion, theta=theta, camera=camera, betas=subject.betas, body=subject.body)
    smooth = join(list(smooth_motion([own], SMOOTH)))
    assert smooth.theta is not None
    assert smooth.camera is not None
    return smooth.theta, smooth.camera


def _pictures(path: Path, size: tuple[int, int], rows: NDArray[np.int64]) -> Iterator[tuple[int, Image]]:
    wanted = {int(row) for row in rows}
    return ((index, np.ascontiguousarray(picture)) for index, picture in frames(Stream(path), size) if index in wanted)


def _screen(pictures: Iterator[tuple[int, Image]], count: int) -> Screen | None:
    every = max(1, count // _ASKED)
    return find_screen([picture for place, (_, picture) in enumerate(pictures) if place % every == 0])


def _cut_out(
    picture: Image, pose: FloatArray, world: FloatArray, screen: Screen | None
) -> tuple[Image, NDArray[np.uint8]]:
    """The picture, and how much of every pixel the person covers, 0 to 255."""
    if screen is None:
        mask = person_mask(picture, PoseFinding(pose, world, None), None)
        return picture, np.rint(mask * 255).astype(np.uint8)
    mask = keyed(picture, screen, pose)
    return without_spill(picture, mask), np.rint(mask * 255).astype(np.uint8)
