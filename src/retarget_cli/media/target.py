"""Where a result goes: it appears under its name only when it is complete."""

import contextlib
import os
import re
import shutil
from pathlib import Path

from retarget_cli.core.errors import OutputError
from retarget_cli.media.files import partial_path


class Target:
    """An output file or folder that is written beside its name, then moved there.

    Attributes:
        path: the name asked for.
        partial: what to write into instead; hidden, in the same folder.
    """

    def __init__(self, path: Path, *, frame_names: str = "", overwrite: bool = False) -> None:
        """Check the name and make the parent folder.

        Args:
            path: the name asked for.
            frame_names: for a folder, how its files will be named, such as "%06d.png"; "" for a file.
            overwrite: whether what is there may be replaced.

        Raises:
            OutputError: something is there already, or nothing can be written there.
        """
        self.path = path
        is_folder = bool(frame_names)
        self.partial = partial_path(path, "" if is_folder else path.suffix)
        self._is_folder = is_folder
        self._frame_names = frame_names
        self._made: list[Path] = []
        self._overwrite = overwrite
        self._refuse_existing()
        try:
            self._make_parents()
            # One may be left by a run that was killed and had the same process id (as in containers).
            remove(self.partial)
            if is_folder:
                self.partial.mkdir()
            else:
                self.partial.open("xb").close()  # finds out now whether anything can be written
        except OSError as error:
            self._remove_parents()
            raise unwritable(path, error) from error

    def finish(self) -> None:
        """Flush to the disk and move to the final name.

        Raises:
            OutputError: that failed, or something has appeared there; the partial result is gone.
        """
        try:
            self._refuse_existing()
            if self._is_folder:
                self._finish_folder()
            else:
                with self.partial.open("rb+") as file:
                    os.fsync(file.fileno())
                os.replace(self.partial, self.path)
        except OSError as error:
            self.discard()
            raise unwritable(self.path, error) from error
        except OutputError:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was written, and the folders that were made for it."""
        with contextlib.suppress(OSError):
            remove(self.partial)
        self._remove_parents()

    def _finish_folder(self) -> None:
        replaced = partial_path(self.path, ".old")
        if self.path.exists():
            os.replace(self.path, replaced)
        os.replace(self.partial, self.path)
        shutil.rmtree(replaced, ignore_errors=True)

    def _refuse_existing(self) -> None:
        if not os.path.lexists(self.path):
            return
        is_folder = self.path.is_dir()
        if self._is_folder and is_folder:
            self._refuse_full_folder()
            return
        if is_folder != self._is_folder:
            found = "a folder" if is_folder else "a file"
            raise OutputError(f"{self.path} exists and is {found}", "choose another name")
        if not self._overwrite:
            raise OutputError(f"{self.path} exists", "give --overwrite to replace it, or another name")

    def _refuse_full_folder(self) -> None:
        """A folder may be replaced only when all that would be lost are frames named as ours will be."""
        names = [entry.name for entry in self.path.iterdir()]
        if names and not self._overwrite:
            raise OutputError(f"{self.path} exists", "give --overwrite to replace it, or another name")
        before, after = re.split(r"%0?\d*d", self._frame_names, maxsplit=1)
        ours = re.compile(re.escape(before) + r"\d+" + re.escape(after))
        foreign = [name for name in names if not ours.fullmatch(name)]
        if foreign:
            message = f"{self.path} holds {foreign[0]}, which is no frame of ours and would be lost"
            raise OutputError(message, "choose another folder")

    def _make_parents(self) -> None:
        missing = []
        folder = self.path.parent
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self._made.append(folder)

    def _remove_parents(self) -> None:
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):  # not empty any more: someone else uses it
                folder.rmdir()


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_remains(path: Path, suffix: str) -> None:
    """Remove what killed processes left of an output; only for whoever alone may make it.

    Args:
        path: the output.
        suffix: its ending; "" for a folder.
    """
    remains = re.compile(re.escape(f".{path.name}.") + r"\d+\.part" + re.escape(suffix))
    with contextlib.suppress(OSError):
        for entry in path.parent.iterdir():
            if remains.fullmatch(entry.name):
                remove(entry)


def unwritable(path: Path, error: BaseException) -> OutputError:
    """The error for a result that can't be written."""
    reason = getattr(error, "strerror", None) or str(error)
    return OutputError(f"can't write {path}: {reason}", "check the folder, its permissions and free space")
