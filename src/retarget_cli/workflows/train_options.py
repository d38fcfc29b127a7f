"""What a training is to be, and what a run remembers of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.training.album import Album
from retarget_cli.training.draw import DrawOptions
from retarget_cli.training.loop import FitOptions


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """A training.

    Attributes:
        backend, settings: the method, and its options as text.
        data: folders of clips in any known layout.
        output: folder of the run.
        fit: how to learn.
        draw: how examples are drawn.
        driving: clips or motion files of others, of which a method that is taught by film sees the postures alone;
            without any, others are who stands in `data` besides.
        drawn: so many synthetic clips more, which are drawn for this training.
        seed: of everything random.
        rate: Adam's learning rate of all players; None: the method's own.
        initial: weights to begin with, instead of the method's own.
        save_every, sample_every: steps from one checkpoint, and from one sample picture, to the next; 0: none but
            the last.
        workers: threads that make tensors, and processes that make albums; None: one a core.
        device: name of the device.
        may_resume: whether to go on where the folder holds an unfinished run.
    """

    backend: str
    data: tuple[Path, ...]
    output: Path
    fit: FitOptions
    draw: DrawOptions = field(default_factory=DrawOptions)
    settings: Mapping[str, str] = field(default_factory=dict)
    driving: tuple[Path, ...] = ()
    drawn: int = 0
    seed: int = 0
    rate: float | None = None
    initial: Path | None = None
    save_every: int = 500
    sample_every: int = 500
    workers: int | None = None
    device: str = "auto"
    may_resume: bool = False

    def __post_init__(self) -> None:
        if not self.data and not self.drawn:
            raise UsageError("there is nothing to learn from", "give --data DIR, or --synth N to draw N clips")
        for name, value in (("--synth", self.drawn), ("--seed", self.seed), ("--save-every", self.save_every)):
            if value < 0:
                raise UsageError(f"{name} is {value}, expected 0 or more")
        if self.rate is not None and not self.rate > 0:
            raise UsageError(f"--rate is {self.rate}, expected more than 0")


def recorded(options: TrainOptions, albums: Sequence[Album], processes: int) -> dict[str, Any]:
    """What the result of a training depends on, as JSON types.

    Raises:
        InputError: the initial weights can't be read.
    """
    fit = asdict(options.fit)
    draw = {f"draw.{name}": each for name, each in asdict(options.draw).items()}
    names = hashlib.blake2b("\n".join(album.path.name for album in albums).encode(), digest_size=10).hexdigest()
    return {
        "backend": options.backend,
        "set": dict(options.settings),
        "data": [path.resolve().name for path in options.data],
        "driving": [path.resolve().name for path in options.driving] or None,
        "synth": options.drawn,
        "albums": f"{len(albums)} albums of {sum(map(len, albums))} pictures, {names}",
        "init": None if options.initial is None else _digest(options.initial),
        "rate": options.rate,
        "seed": options.seed,
        "processes": processes,
        **fit,
        **draw,
    }


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise InputError(f"--init {path} can't be read: {error.strerror or error}", "check the path") from error
    return digest.hexdigest()[:16]
