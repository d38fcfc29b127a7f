"""Other people's movement, of which postures alone are looked at: for unpaired learning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retarget_cli.body.catalog import load_body
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray, Motion, join
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.media.kinds import ANIMATIONS, FILMS, MOTION, PICTURES
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.persons import Choice
from retarget_cli.workflows.driving import Excerpt, open_driving

_ENDINGS = FILMS | ANIMATIONS | {MOTION}


def other_clips(named: Sequence[Path]) -> list[Path]:
    """Clips and motion files: those that are named, and all that lie in folders, however deep.

    A folder with pictures is a clip itself. Where a motion file lies beside the clip of its name, it is taken alone.

    Args:
        named: clips, motion files, folders of frames and folders of any of these.

    Raises:
        InputError: one is not there or can't be read, or a folder holds nothing of the kind.
    """
    found: list[Path] = []
    for path in named:
        if not path.exists():
            raise InputError(f"--driving {path}: there is no such file", "give a clip, a motion file or a folder")
        try:
            inside = [path] if path.is_file() or _has_pictures(path) else _inside(path)
        except OSError as error:
            raise InputError(f"--driving {path} can't be read: {error.strerror}", "check its permissions") from error
        if not inside:
            raise InputError(f"--driving {path}: no clips or motion files lie in this folder", "check the folder")
        found += inside
    return found


def read_others(files: Sequence[Path], body: str, cache: Cache | None, progress: Progress) -> list[FloatArray]:
    """Films of somebody else's postures, (T, 24, 3) each; where nobody is seen nothing is.

    Args:
        files: as `other_clips` gives them.
        body: name of the body model.
        cache: of perception.
        progress: told of every file.

    Raises:
        InputError: a file can't be read, or none shows anybody.
    """
    found = []
    for number, path in enumerate(files):
        progress.stage("others", number, len(files))
        motion = motion_of(path, body, "largest", cache)
        assert motion.theta is not None
        if motion.present.any():
            found.append(motion.theta[motion.present])
    if files and not found:
        raise InputError(f"--driving {files[0]}: nobody is seen in it", "give clips that show somebody")
    return found


def motion_of(path: Path, body: str, choice: Choice, cache: Cache | None) -> Motion:
    """Of all frames of a clip or motion file.

    Raises:
        InputError: it can't be read.
    """
    with open_driving(path, load_body(body), choice, Excerpt(), cache, Silence()) as driving:
        return join(list(driving.windows))


def _has_pictures(folder: Path) -> bool:
    return any(child.suffix.lower() in PICTURES - ANIMATIONS for child in folder.iterdir())


def _inside(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in _ENDINGS)
    told = {path.with_suffix("") for path in files if path.suffix.lower() == MOTION}
    return [path for path in files if path.suffix.lower() == MOTION or path.with_suffix("") not in told]
