"""Clips as files or as folders of frames, which all layouts are made of."""

from __future__ import annotations

from pathlib import Path

from retarget_cli.core.errors import InputError
from retarget_cli.media import kinds

FILMS = kinds.FILMS | {".gif"}
PICTURES = kinds.PICTURES - {".gif"}


def is_film(path: Path) -> bool:
    """Whether a file's name is that of a clip."""
    return path.suffix.lower() in FILMS and path.is_file()


def has_frames(folder: Path) -> bool:
    """Whether a folder holds pictures."""
    return folder.is_dir() and any(child.suffix.lower() in PICTURES for child in folder.iterdir())


def clips_in(folder: Path) -> list[Path]:
    """Films and folders of frames directly inside a folder, by name; hidden ones are left out.

    Raises:
        InputError: the folder can't be read.
    """
    try:
        children = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}", "give a folder of clips") from error
    return [child for child in children if is_film(child) or has_frames(child)]


def clips_below(folder: Path) -> list[Path]:
    """Films and folders of frames at any depth, by their path."""
    found: list[Path] = []
    for clip in clips_in(folder):
        found.append(clip)
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.name.startswith(".") and child not in found:
            found += clips_below(child)
    return sorted(found)


def stem(clip: Path) -> str:
    """The name of a clip without a film's ending (folders may have one too: `a.mp4/0000.png`)."""
    return clip.stem if clip.suffix.lower() in FILMS else clip.name
