"""A released checkpoint becomes a file of weights of ours."""

from __future__ import annotations

import re
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
) -> Imported:
    """Read a checkpoint, recognise it, and write it as safetensors under our names.

    Nothing in the checkpoint is executed.

    Args:
        name: of the new file, without its ending; empty: the checkpoint's.
        folder: made when needed; None: the first one that is searched for weights.
        form: which of several that fit it is; empty: whichever fits.
        may_overwrite: an existing file is replaced.

    Raises:
        InputError: there is no such file, or it can't be opened.
        UsageError: the name is none, or it must be said which form it is.
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
    label = Label(
        found.backend,
        found.design,
        (f"imported: {found.title}",),
        provenance=f"{found.title} ({found.origin}), from {_plain(path.name)}",
        license=found.license,
        others={"origin": found.origin, "imported_sha256": sha256_of(path)},
    )
    write_weights(target, found.convert(state), label)
    return Imported(target, read_label(target), found, len(state))


def _target(path: Path, name: str, folder: Path | None) -> Path:
    chosen = name.removesuffix(SUFFIX) or path.stem
    # Nothing that is hidden, climbs out of the folder, or is a path.
    if re.fullmatch(r"[^\W_][\w.+\- ]{0,99}", chosen) is None:
        raise UsageError(
            f"--name {chosen}: letters, digits and . _ - + are expected, a letter or digit first", "give --name NAME"
        )
    place = own_places()[0].folder if folder is None else folder.expanduser()
    return place / f"{chosen}{SUFFIX}"


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
