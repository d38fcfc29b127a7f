"""What a method that is led by pixels is personalised with: pictures and clips of anything, no body in them.

A clip has many frames, and every two of them are an example: one is what is moved, the other what is to be made. Only
a few small ones of every clip are kept in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.example import Example
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.core.reading import SMALLEST_SIDE
from retarget_cli.core.subject import Image, Subject, pictured_subject, unperceived
from retarget_cli.media.images import is_picture
from retarget_cli.media.reader import open_frames
from retarget_cli.perception.motion_file import is_motion_file
from retarget_cli.workflows.canvas import CanvasSize
from retarget_cli.workflows.pixels import LONGEST, MOST_VIEWS, pictured
from retarget_cli.workflows.spreading import spread
from retarget_cli.workflows.variations import variation

# Frames of one clip, and of all together: about 100 MB and 200 MB of wide film.
CLIP_FRAMES, MOST_FRAMES, MOST_CLIPS = 120, 240, 24
# Examples of every take that are told apart; they are made when they are drawn.
_ROUND = 1000


@dataclass(frozen=True, slots=True)
class Take:
    """Pictures of one thing, each of which can be made from the others.

    Attributes:
        pictures: all of one size.
        is_clip: whether they are frames of one clip.
    """

    pictures: tuple[Image, ...]
    is_clip: bool


def read_takes(sources: Sequence[Path], driving: Sequence[Path], progress: Progress) -> list[Take]:
    """All that there is to learn from: the source's pictures together, and every clip.

    Args:
        sources: pictures and clips of what will be moved.
        driving: clips of what it will be moved by; folders of frames, too.
        progress: told of every clip.

    Raises:
        InputError: a file can't be read.
        UsageError: a clip holds no pictures.
    """
    photos = [path for path in sources if is_picture(path)]
    clips = [path for path in sources if path not in photos] + list(driving)
    takes = []
    if photos:
        views = pictured(photos, CanvasSize(longest=LONGEST), Silence()).views
        takes.append(Take(tuple(view.image for view in views), False))
    share = min(CLIP_FRAMES, MOST_FRAMES // max(1, len(clips)))
    for number, path in enumerate(clips, 1):
        with open_frames(path, long_side=LONGEST) as frames:
            takes.append(Take(tuple(spread(((each.index, each.rgb) for each in frames), share)), True))
        progress.stage("clips", number, len(clips))
    return takes


def check_driving(clips: Sequence[Path]) -> None:
    """Find out at once whether there are pictures to see.

    Args:
        clips: as the user named them.

    Raises:
        UsageError: too many, or no clips.
        InputError: one is not there.
    """
    if len(clips) > MOST_CLIPS:
        raise UsageError(f"--driving: {len(clips)} clips, expected {MOST_CLIPS} at most", "give those that matter most")
    for path in clips:
        if path.is_file() and is_motion_file(path):
            raise UsageError(f"--driving {path}: a motion file holds no pictures to learn from", "give the clip itself")
        if not path.exists():
            raise InputError(f"--driving {path}: there is no such file", "give a clip or a folder of frames")


def picture_sources(files: Sequence[Path], canvas: CanvasSize, progress: Progress) -> Subject:
    """What will be moved: the first picture; with it those that show more of it. Clips share what pictures leave.

    Raises:
        InputError: a file can't be read, or is too small.
    """
    photos = sum(is_picture(path) for path in files)
    clips = len(files) - photos
    subject = pictured(files, canvas, progress, (MOST_VIEWS - photos) // clips if clips else 1)
    height, width = subject.size
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(
            f"{files[0]} would be of {width}x{height}, expected {SMALLEST_SIDE} pixels a side at least",
            "give a larger picture, or a --size",
        )
    return subject


class Exercises:
    """Examples of all takes, equally many of each, made when they are asked for; each depends on its number alone.

    Args:
        takes: what they are made of.
        seed: of who is source and who target, and of the variations.
        variations: of an example of few pictures, moved and scaled; a clip's frames differ enough.
    """

    def __init__(self, takes: Sequence[Take], seed: int, variations: int) -> None:
        self._takes, self._seed, self._variations = takes, seed, variations

    def __len__(self) -> int:
        return _ROUND * len(self._takes)

    def __getitem__(self, number: int) -> Example:
        place, row = number % len(self._takes), number // len(self._takes)
        take = self._takes[place]
        rng = np.random.default_rng([self._seed, place, row])
        made = _example(take.pictures, rng)
        is_few = len(take.pictures) <= MOST_VIEWS
        return variation(made, rng) if is_few and row % (self._variations + 1) else made

    @property
    def frames(self) -> int:
        """Of clips, in memory."""
        return sum(len(take.pictures) for take in self._takes if take.is_clip)


def _example(pictures: Sequence[Image], rng: np.random.Generator) -> Example:
    """One as the target, a few others as sources; a single one is both."""
    order = rng.permutation(len(pictures))
    target, sources = order[0], order[1 : 1 + MOST_VIEWS] if len(order) > 1 else order
    subject = pictured_subject([pictures[row] for row in sources])
    return Example(subject, unperceived(pictures[target]), pictures[target])
