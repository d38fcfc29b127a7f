"""The data set that `retarget synth` writes; docs/synth.md has its layout."""

from __future__ import annotations

import json
from pathlib import Path

from retarget_cli.core.errors import InputError
from retarget_cli.evaluation.recordings import Masks, Recording, Shot, Stream, Turnout

FORMAT, TOY = "retarget-synth", "toy"


def is_synthetic(root: Path) -> bool:
    """It says so itself."""
    return (root / "dataset.json").is_file()


def read_synthetic(root: Path) -> tuple[list[Recording], list[Turnout], bool]:
    """All finished clips, and whether people are seen in them.

    Raises:
        InputError: `dataset.json` is damaged or of another kind, or no clip is finished.
    """
    path = root / "dataset.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}", "make the data set again with `retarget synth`") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{path}: not a data set of `retarget synth`", "name the layout with --layout")
    clips = [clip for clip in sorted((root / "clips").glob("*")) if (clip / "clip.json").is_file()]
    if not clips:
        raise InputError(f"{root}: no finished clip in it", "run `retarget synth` to its end")
    turnouts = [
        Turnout(clip.name, {child.name: child for child in sorted(clip.iterdir()) if (child / "frames").is_dir()})
        for clip in clips
    ]
    # Toys are found by no pose network, so their source pictures are those that were drawn for it.
    has_people = found.get("kind") != TOY
    recordings = [
        Recording(turnout.name, Stream(own / "frames"), turnout.name, Masks(own / "mask"), views)
        for turnout in turnouts
        for own in (turnout.folders["self"],)
        for views in (_views(turnout.folders["source"]) if not has_people else (),)
    ]
    return recordings, turnouts, has_people


def _views(source: Path) -> tuple[Shot, ...]:
    """All pictures of the source, in order."""
    return tuple(Shot(path) for path in sorted((source / "frames").glob("*.png")))
