"""The folder of a run.

    RUN/config.json              the options, with which alone it goes on
    RUN/checkpoints/00000500.safetensors
    RUN/weights.safetensors      the generator, for use
    RUN/losses.csv               step,loss,value
    RUN/samples/000500.png       source, made and true
    RUN/tensorboard/
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

from retarget_cli.core.closing import Closing
from retarget_cli.core.errors import OutputError, UsageError
from retarget_cli.core.files import write_whole
from retarget_cli.media.images import write_png
from retarget_cli.training.checkpoint import Checkpoints
from retarget_cli.training.loop import Step

CONFIG, WEIGHTS, CHECKPOINTS = "config.json", "weights.safetensors", "checkpoints"
_HEAD = "step,loss,value\n"
_HINT = "make room, then go on from the last checkpoint with --resume"


def open_folder(folder: Path, may_resume: bool) -> bool:
    """Make a run's folder, or see that there is one to go on with.

    Returns:
        Whether there is.

    Raises:
        UsageError: there is one and nobody said that it shall go on, or the folder is something else.
        OutputError: it can't be made.
    """
    if (folder / CONFIG).is_file():
        if not may_resume:
            raise UsageError(f"{folder} holds a run", "add --resume to go on with it, or name another --output")
        return True
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty, and holds no run", "name another --output")
    except OSError as error:
        raise OutputError(f"can't make {folder}: {error.strerror or error}", "choose another --output") from error
    return False


class RunFolder(Closing):
    """What a run writes while it goes on.

    Args:
        folder: of the run.
        number: steps that are done; what was logged of later ones is forgotten.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder
        self.checkpoints = Checkpoints(folder / CHECKPOINTS)
        self._table = _Table(folder / "losses.csv", number)
        self._board = _board(folder / "tensorboard", number)

    @property
    def has_board(self) -> bool:
        """Whether TensorBoard is installed."""
        return self._board is not None

    def log(self, step: Step) -> None:
        """Keep a step's losses.

        Raises:
            OutputError: the disk is full.
        """
        values = {f"{player}/{term}": each for player, terms in step.losses.items() for term, each in terms.items()}
        values["seconds"] = step.seconds
        self._table.add(step.number, values)
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step.number)

    def sample(self, number: int, pictures: Tensor) -> Path:
        """Keep pictures (B, 3, H, W) in [0, 1], one below the other.

        Raises:
            OutputError: the disk is full.
        """
        tall = (pictures.detach().float().clamp(0, 1) * 255).round().byte().cpu()
        rows = tall.permute(0, 2, 3, 1).reshape(-1, tall.shape[3], 3).numpy()
        path = self.folder / "samples" / f"{number:06d}.png"
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"can't make {path.parent}: {error.strerror or error}", _HINT) from error
        write_png(path, rows)
        if self._board is not None:
            self._board.add_image("samples", rows, number, dataformats="HWC")
        return path

    def flush(self) -> None:
        """Bring everything to the disk.

        Raises:
            OutputError: the disk is full.
        """
        self._table.flush()
        if self._board is not None:
            self._board.flush()

    def close(self) -> None:
        """Close the files."""
        self._table.close()
        if self._board is not None:
            self._board.close()


class _Table:
    """`losses.csv`; what stands there of later steps than `number` is dropped."""

    def __init__(self, path: Path, number: int) -> None:
        self._path = path
        kept = [line for line in _lines(path) if line.partition(",")[0].isdecimal() and _step(line) <= number]
        write_whole(path, (_HEAD + "".join(kept)).encode(), _HINT)
        self._file = path.open("a", encoding="utf-8")

    def add(self, number: int, values: dict[str, float]) -> None:
        self._write("".join(f"{number},{name},{value:.7g}\n" for name, value in values.items()))

    def flush(self) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
            if not text:
                self._file.flush()
        except OSError as error:
            raise OutputError(f"can't write {self._path}: {error.strerror or error}", _HINT) from error

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise OutputError(f"can't write {self._path}: {error.strerror or error}", _HINT) from error


def _step(line: str) -> int:
    return int(line.partition(",")[0])


def _lines(path: Path) -> Iterable[str]:
    """Whole lines of a file that may be absent or cut short."""
    if not path.is_file():
        return []
    return [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]


def _board(folder: Path, number: int) -> Any:
    """TensorBoard's writer; None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=number + 1 if number else None)
