"""Perceive a clip's motion and save it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retarget_cli.body.catalog import load_body
from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.core.motion import join
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.perception.persons import Choice
from retarget_cli.workflows.driving import Excerpt, open_driving
from retarget_cli.workflows.progress import Progress, Silence


@dataclass(frozen=True, slots=True)
class ExtractResult:
    """What was saved: where, how many frames, and in how many of them the person is seen."""

    path: Path
    frames: int
    present: int


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
    if not driving.exists():
        raise InputError(f"{driving}: there is no such file", "give a clip, or a folder of frames")
    if output.exists() and not may_overwrite:
        raise OutputError(f"{output} exists", "choose another --output, or add --overwrite")
    model = load_body(body)
    with open_driving(driving, model, choice, excerpt or Excerpt(), cache, progress or Silence()) as opened:
        motion = join(list(opened.windows))
    present = int(motion.present.sum())
    if not present:
        raise InputError(
            f"{driving}: no person is seen in any frame", "use a clip that shows one person, ideally from head to foot"
        )
    save_motion(output, motion, {"driving": driving.name, "person": str(choice)})
    return ExtractResult(output, len(motion), present)
