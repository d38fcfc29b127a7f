"""SoloDance: frames in `train_img/VIDEO...` and `test_img/VIDEO...`, parsing of the same names in `*_parsing`."""

from __future__ import annotations

from pathlib import Path

from retarget_cli.evaluation.layouts.clips import clips_below, has_frames
from retarget_cli.evaluation.recordings import Masks, Recording, Stream


def is_solodance(root: Path) -> bool:
    """Frames and parsing side by side."""
    return any((root / f"{split}_img").is_dir() and (root / f"{split}_parsing").is_dir() for split in ("train", "test"))


def read_solodance(root: Path, split: str) -> list[Recording]:
    """The clips of `train` or `test`; any label but 0 in the parsing is the person."""
    frames = root / f"{split}_img"
    if not frames.is_dir():
        return []
    found = []
    for clip in clips_below(frames):
        inside = clip.relative_to(frames)
        parsing = root / f"{split}_parsing" / _renamed(inside)
        masks = Masks(parsing, least=1) if has_frames(parsing) else None
        found.append(Recording("_".join(inside.parts), Stream(clip), person_of(inside), masks))
    return found


def _renamed(inside: Path) -> Path:
    """The test half ends in `.../simg` or `.../timg`, and its parsing in `.../sparsing` or `.../tparsing`."""
    if inside.name in ("simg", "timg"):
        return inside.with_name(f"{inside.name[0]}parsing")
    return inside


def person_of(inside: Path) -> str:
    """The part of the path that names the video."""
    named = [part for part in inside.parts if part.startswith("video")]
    return named[-1] if named else inside.parts[0]
