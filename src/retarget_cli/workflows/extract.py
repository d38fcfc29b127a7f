"""Perceive a clip's motion and save it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from retarget_cli.body.catalog import load_body
from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.core.motion import join
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.core.version import installed_version
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.perception.persons import Choice
from retarget_cli.workflows.driving import Excerpt, open_driving


@dataclass(frozen=True, slots=True)
class ExtractResult:
    """What was saved.

    Attributes:
        path: the motion file.
        frames: how many it has.
        present: in how many of them the person is seen.
        rate: nominal frames a second.
        seconds: wall time.
        notes: what is odd about the clip.
    """

    path: Path
    frames: int
    present: int
    rate: Fraction
    seconds: float
    notes: tuple[str, ...]


def extract_motion(
    driving: Path,
    output: Path,
    *,
    choice: Choice = "largest",
    excerpt: Excerpt | None = None,
    body: str = "anny",
    may_overwrite: bool = False,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> ExtractResult:
    """Write the motion of a clip to a motion file (see docs/motion-format.md).

    Raises:
        InputError: the clip can't be read, or shows nobody.
        OutputError: the file exists or can't be written.
    """
    started = time.perf_counter()
    excerpt = excerpt or Excerpt()
    _check(driving, output, may_overwrite)
    model = load_body(body)
    with open_driving(driving, model, choice, excerpt, cache, progress or Silence()) as opened:
        motion = join(list(opened.windows))
        rate, notes = opened.rate, opened.notes()
    present = int(motion.present.sum())
    if not present:
        raise InputError(
            f"{driving}: no person is seen in any frame", "use a clip that shows one person, ideally from head to foot"
        )
    save_motion(output, motion, _provenance(driving, choice, excerpt))
    return ExtractResult(output, len(motion), present, rate, time.perf_counter() - started, notes)


def _check(driving: Path, output: Path, may_overwrite: bool) -> None:
    """Find out before any work what would only fail at its end."""
    if not os.path.exists(driving):  # False for names that are too long
        raise InputError(f"{driving}: there is no such file", "give a clip, or a folder of frames")
    if output.is_dir():
        raise OutputError(f"{output} is a folder", "name a file, for example dance.motion")
    if os.path.exists(output) and not may_overwrite:
        raise OutputError(f"{output} exists", "choose another --output, or add --overwrite")
    if not output.parent.is_dir():
        raise OutputError(f"{output.parent}: there is no such folder", "make it first, or choose another --output")


def _provenance(driving: Path, choice: Choice, excerpt: Excerpt) -> dict[str, str]:
    """Where a motion comes from, for whoever opens the file later."""
    made_by = f"retarget {installed_version() or ''}".rstrip()
    told = {
        "made_by": made_by,
        "driving": driving.name,
        "person": choice,
        "start": excerpt.start,
        "end": excerpt.end,
        "max_frames": excerpt.max_frames,
    }
    return {name: str(value) for name, value in told.items() if value is not None}
