"""A released checkpoint becomes a file of weights of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from retarget_cli.backends.official import recognisers
from retarget_cli.core.errors import OutputError, UsageError, WeightsError
from retarget_cli.media.files import check_readable_file
from retarget_cli.weights.checkpoints import SUFFIX, Label, read_label, write_weights
from retarget_cli.weights.hashing import sha256_of
from retarget_cli.weights.importing import Recogniser, recognise
from retarget_cli.weights.places import own_places
from retarget_cli.weights.state import read_state

# What other programs end the names of their checkpoints in, more than once for some: vox-cpk.pth.tar.
_ENDINGS = (".tar", ".pth", ".pt", ".ckpt", ".bin", SUFFIX)
# The word of a design for pixels a side in training, and its bounds.
RESOLUTION, LEAST, MOST = "resolution", 32, 1024


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it.

    Attributes:
        path: of the new file.
        label: that it bears.
        form: that was recognised.
        tensors: how many it holds.
    """

    path: Path
    label: Label
    form: Recogniser
    tensors: int

    @property
    def name(self) -> str:
        """What `--set weights=` takes: the name alone where its folder is searched."""
        searched = {place.folder.resolve() for place in own_places()}
        return self.path.stem if self.path.parent.resolve() in searched else str(self.path)


def import_weights(
    path: Path,
    name: str = "",
    folder: Path | None = None,
    form: str = "",
    may_overwrite: bool = False,
    resolution: int | None = None,
) -> Imported:
    """Read a checkpoint, recognise it, and write it as safetensors under our names.

    Nothing in the checkpoint is executed.

    Args:
        name: of the new file, without its ending; empty: the checkpoint's.
        folder: made when needed; None: the first one that is searched for weights.
        form: which of several that fit it is; empty: whichever fits.
        may_overwrite: an existing file is replaced.
        resolution: pixels a side of the pictures that it was trained with, which no checkpoint tells; None: a number
            that its name ends in, as ted384 does, or what is usual.

    Raises:
        InputError: there is no such file, or it can't be opened.
        UsageError: the name is none, it must be said which form it is, or the resolution means nothing to it.
        OutputError: the new file exists or can't be written; nothing is left behind.
        WeightsError: it is no checkpoint that is known.
    """
    check_readable_file(path, "a checkpoint")
    target = _target(path, name, folder)
    if target.exists() and not may_overwrite:
        raise OutputError(f"{target} exists", "give --overwrite to replace it, or another --name")
    _refuse_own(path)
    state = read_state(path)
    found = recognise(state, recognisers(), str(path), form)
    design, notes = _design(found, path, resolution)
    label = Label(
        found.backend,
        design,
        (f"imported: {found.title}", *notes),
        provenance=f"{found.title} ({found.origin}), from {_plain(path.name)}",
        license=found.license,
        others={"origin": found.origin, "imported_sha256": sha256_of(path)},
    )
    kept = found.convert(state)
    write_weights(target, kept, label)
    return Imported(target, read_label(target), found, len(kept))


def _target(path: Path, name: str, folder: Path | None) -> Path:
    chosen = name.removesuffix(SUFFIX) or _stem(path)
    # Nothing that is hidden, climbs out of the folder, or is a path.
    if re.fullmatch(r"[^\W_][\w.+\- ]{0,99}", chosen) is None:
        raise UsageError(
            f"--name {chosen}: letters, digits and . _ - + are expected, a letter or digit first", "give --name NAME"
        )
    place = own_places()[0].folder if folder is None else folder.expanduser()
    return place / f"{chosen}{SUFFIX}"


def _stem(path: Path) -> str:
    stem = path.name
    while stem.endswith(_ENDINGS) and len(stem) > len(Path(stem).suffix):
        stem = stem.removesuffix(Path(stem).suffix)
    return stem


def _design(found: Recogniser, path: Path, resolution: int | None) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The form's design with the resolution that was said or is to be guessed, and what there is to note of it."""
    if resolution is not None and not LEAST <= resolution <= MOST:
        raise UsageError(f"--resolution {resolution}: out of bounds", f"{LEAST} to {MOST}")
    if RESOLUTION not in found.design:
        if resolution is not None:
            raise UsageError(f"--resolution {resolution}: {found.title} is kept without one", "leave it out")
        return found.design, ()
    if resolution is not None:
        return {**found.design, RESOLUTION: str(resolution)}, ()
    named = re.search(r"(?<!\d)\d{2,4}\Z", _stem(path))
    if named is None or not LEAST <= int(named[0]) <= MOST or named[0] == found.design[RESOLUTION]:
        return found.design, ()
    return {**found.design, RESOLUTION: named[0]}, (f"its name tells of {named[0]} pixels a side; no more is known",)


def _refuse_own(path: Path) -> None:
    """A file that is ours already needs no import."""
    try:
        label = read_label(path)
    except WeightsError:
        return
    raise UsageError(
        f"{path} is a file of weights of {label.backend} already", f"--backend {label.backend} --set weights={path}"
    )


def _plain(name: str) -> str:
    """A file's name as text that every file can hold."""
    return name.encode("utf-8", "replace").decode("utf-8")
