"""`train` and `test` folders of clips: Fashion-video, TaiChi-HD, VoxCeleb and MGif, and whatever is laid out like them.

Clips are films, gifs, or folders of frames, which may be named like films (`id#0#120.mp4/0000.png`). What stands
before the first `#` is the person, who may have many clips.
"""

from __future__ import annotations

from pathlib import Path

from retarget_cli.evaluation.layouts.clips import clips_in, stem
from retarget_cli.evaluation.recordings import Recording, Stream

SPLITS = ("train", "test")


def has_splits(root: Path) -> bool:
    """Clips in a folder `test` or `train`."""
    return any((root / split).is_dir() and clips_in(root / split) for split in SPLITS)


def read_split(root: Path, split: str) -> list[Recording]:
    """The clips of `train` or `test`."""
    folder = root / split
    clips = clips_in(folder) if folder.is_dir() else []
    return [Recording(stem(clip), Stream(clip), stem(clip).split("#")[0]) for clip in clips]


def layout_of(root: Path) -> str:
    """Which of the four it is, by what its clips are called; `splits` where none fits."""
    clips = [clip for split in SPLITS if (root / split).is_dir() for clip in clips_in(root / split)]
    if all(clip.suffix.lower() == ".gif" for clip in clips):
        return "mgif"
    if all("#" in clip.name for clip in clips):
        return "voxceleb" if all(clip.name.startswith("id") for clip in clips) else "taichi"
    return "fashion" if "fashion" in root.name.lower() else "splits"
