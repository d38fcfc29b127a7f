"""A folder of clips, or a single clip; every clip is held to show a person of its own."""

from __future__ import annotations

from pathlib import Path

from retarget_cli.evaluation.layouts.clips import clips_in, has_frames, is_film, stem
from retarget_cli.evaluation.recordings import Recording, Stream


def is_plain(root: Path) -> bool:
    """Any clip, or folder with clips."""
    return is_film(root) or has_frames(root) or (root.is_dir() and bool(clips_in(root)))


def read_plain(root: Path) -> list[Recording]:
    """Clips by name. Two of one name but different endings keep the endings."""
    clips = [root] if is_film(root) or has_frames(root) else clips_in(root)
    stems = [stem(clip) for clip in clips]
    names = [name if stems.count(name) == 1 else clip.name for name, clip in zip(stems, clips, strict=True)]
    return [Recording(name, Stream(clip), name) for name, clip in zip(names, clips, strict=True)]
