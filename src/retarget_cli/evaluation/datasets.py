"""Open a data set: find out its layout, or take the one that the user names."""

from __future__ import annotations

from pathlib import Path

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.evaluation.layouts import iper, plain, solodance, split_folders, synthetic
from retarget_cli.evaluation.recordings import Dataset

SPLIT_LAYOUTS = ("fashion", "taichi", "voxceleb", "mgif", "splits")
LAYOUTS = ("synth", "iper", "solodance", *SPLIT_LAYOUTS, "plain")


def open_dataset(root: Path, layout: str | None = None, split: str = "test") -> Dataset:
    """The clips of a data set.

    Args:
        root: a folder, or a single clip.
        layout: one of `LAYOUTS`; None finds it out.
        split: `train` or `test`; without effect where a layout has no such parts.

    Raises:
        UsageError: an unknown layout or split.
        InputError: nothing is there, or not what the layout says.
    """
    if layout is not None and layout not in LAYOUTS:
        raise UsageError(f"--layout {layout}: unknown", f"known: {', '.join(LAYOUTS)}")
    if split not in ("train", "test"):
        raise UsageError(f"--split {split}: expected train or test")
    if not root.exists():
        raise InputError(f"{root}: there is no such data set", "give a folder of clips, or a clip")
    layout = layout or find_layout(root)
    name = root.resolve().name
    if layout == "synth":
        recordings, turnouts, has_people = synthetic.read_synthetic(root)
        return Dataset(name, layout, root, "", tuple(recordings), tuple(turnouts), has_people)
    if layout == "plain":
        found = plain.read_plain(root)
    elif layout == "iper":
        found = iper.read_iper(root, split)
    elif layout == "solodance":
        found = solodance.read_solodance(root, split)
    else:
        found = split_folders.read_split(root, split)
    if not found:
        where = "" if layout == "plain" else f", split {split}, layout {layout}"
        raise InputError(f"{root}: no clips in it{where}", "docs/datasets.md shows every layout")
    return Dataset(name, layout, root, "" if layout == "plain" else split, tuple(found))


def find_layout(root: Path) -> str:
    """The layout that a folder has.

    Raises:
        InputError: none.
    """
    if root.is_dir():
        if synthetic.is_synthetic(root):
            return "synth"
        if iper.is_iper(root):
            return "iper"
        if solodance.is_solodance(root):
            return "solodance"
        if split_folders.has_splits(root):
            return split_folders.layout_of(root)
    if plain.is_plain(root):
        return "plain"
    raise InputError(f"{root}: no clips in it", "docs/datasets.md shows every layout")
