"""A film that is made in closed segments, so that whatever stops it costs one segment at most.

    OUTPUT.progress/run.json      what is being made; anything else that lies there is thrown away
    OUTPUT.progress/000000.*      the segments that are closed (`media.segments`)

Several processes may work at one film: each segment is claimed by one of them. The one that leads joins them in the
end; those that help only add segments.
"""

from __future__ import annotations

import itertools
import json
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from filelock import FileLock, Timeout
from torch import Tensor

from retarget_cli.backends.base import Performer, Spec
from retarget_cli.core.errors import OutputError
from retarget_cli.core.progress import Progress
from retarget_cli.core.subject import Image
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.files import write_whole
from retarget_cli.media.segments import FilmPlan, Joined, Segments
from retarget_cli.workflows.performing import Part, perform, rewindowed

FORMAT, VERSION = "retarget-film", "1"
SECONDS = 4
# Segments are multiples of this, which windows divide: no performer is handed less than it can do at a time.
_LEAST = 16
_POLL_SECONDS = 0.1
GOES_ON = "make room, and ask for it again: it goes on"


@dataclass(frozen=True, slots=True)
class Block:
    """The motion of one segment.

    Attributes:
        number: of the segment, from 0.
        first: index of its first frame in the clip.
        motion: placed.
    """

    number: int
    first: int
    motion: Part


class Reel:
    """The segments of one film, and who makes which; see `open_reel`.

    Attributes:
        found: frames in segments that were closed already.
        made: frames that this process has put into closed segments.
    """

    def __init__(self, folder: Path, plan: FilmPlan, *, is_helping: bool) -> None:
        self.folder = folder
        self.found = self.made = 0
        self._segments = Segments(folder, plan)
        self._length = segment_length(plan.rate)
        self._is_helping = is_helping
        self._start: Fraction | None = None
        self._count = 0
        self._due: deque[tuple[int, int]] = deque()
        self._claims: dict[int, ExitStack] = {}
        self._is_over = threading.Event()

    def stop(self) -> None:
        """Nobody waits for another process any more."""
        self._is_over.set()

    def close(self) -> None:
        """Free what is claimed."""
        for claim in self._claims.values():
            claim.close()
        self._claims.clear()

    def start(self) -> Fraction:
        """Time of the film's first frame; known once a block has passed."""
        if self._start is None:
            raise ValueError("no block has passed yet")
        return self._start

    def rendered(
        self, performer: Performer, motion: Iterable[Part], size: tuple[int, int], window: int, spec: Spec
    ) -> Iterator[tuple[Fraction, Tensor]]:
        """Frames of the segments that are this process's to make, as `perform` gives them; others are skipped.

        Args:
            performer: of a backend.
            motion: placed, of the whole clip.
            size: (height, width).
            window: frames that the performer is handed at a time.
            spec: of its backend.
        """
        if not spec.is_frame_by_frame:
            if not self._is_helping:  # nobody can begin in the middle
                yield from self._in_one_go(performer, motion, size, window)
            return
        for block in self._wanted(self._blocks(motion)):
            self._due.append((block.number, len(block.motion)))
            yield from perform(performer, [block.motion], size, window, block.first)

    def film(self, frames: Iterator[tuple[Fraction, Image]], progress: Progress, total: int | None) -> None:
        """Put frames into their segments, and close these.

        Raises:
            OutputError: they can't be written; what was closed stays.
        """
        for first in frames:
            number, count = self._due.popleft()
            try:
                counted = self._counted(itertools.chain([first], itertools.islice(frames, count - 1)), progress, total)
                self._segments.write(number, counted)
            except OutputError as error:
                raise OutputError(error.message, f"{self.kept()}; {GOES_ON}") from error
            finally:
                self._free(number)
            self.made += count

    def join(self, audio: Callable[[Fraction], AudioTrack | None]) -> Joined:
        """The whole film, under its name.

        Raises:
            OutputError: it can't be written; the segments stay.
        """
        if not self._count:
            raise OutputError(f"{self._segments.plan.path}: no frame was written", "check the driving clip's range")
        return self._segments.join(self._count, audio)

    def kept(self) -> str:
        """What an interrupted film keeps, in words."""
        return f"{self.found + self.made} frames are kept in {self.folder}"

    def _blocks(self, motion: Iterable[Part]) -> Iterator[Block]:
        first = 0
        for number, part in enumerate(rewindowed(motion, self._length)):
            self._start = part.times[0] if self._start is None else self._start
            self._count = number + 1
            yield Block(number, first, part)
            first += len(part)

    def _wanted(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Those that this process claims; whoever leads waits for the others' and makes what they leave."""
        others: list[Block] = []
        for block in blocks:
            if self._is_mine(block):
                yield block
            elif not self._is_helping and not self._segments.is_closed(block.number):
                others.append(block)
        while others and not self._is_over.is_set():
            self._is_over.wait(_POLL_SECONDS)
            left = []
            for block in others:
                if self._is_mine(block):
                    yield block
                elif not self._segments.is_closed(block.number):
                    left.append(block)
            others = left

    def _is_mine(self, block: Block) -> bool:
        if self._segments.is_closed(block.number):
            self.found += len(block.motion)
            return False
        if self._is_helping and not _record(self.folder).is_file():
            return False  # the film is finished, and its folder gone
        with ExitStack() as stack:
            if not stack.enter_context(self._segments.claimed(block.number)):
                return False
            if self._is_helping and not _record(self.folder).is_file():
                return False
            self._claims[block.number] = stack.pop_all()
        return True

    def _in_one_go(
        self, performer: Performer, motion: Iterable[Part], size: tuple[int, int], window: int
    ) -> Iterator[tuple[Fraction, Tensor]]:
        """All frames are made, since each needs those before it; what is closed is not written again."""
        passed: deque[tuple[int, int]] = deque()

        def noted() -> Iterator[Part]:
            for block in self._blocks(motion):
                passed.append((block.number, len(block.motion)))
                yield block.motion

        left, is_wanted = 0, False
        for frame in perform(performer, noted(), size, window):
            if not left:
                number, left = passed.popleft()
                is_wanted = not self._segments.is_closed(number)
                if is_wanted:
                    self._due.append((number, left))
                else:
                    self.found += left
            left -= 1
            if is_wanted:
                yield frame

    def _counted(
        self, frames: Iterable[tuple[Fraction, Image]], progress: Progress, total: int | None
    ) -> Iterator[tuple[Fraction, Image]]:
        for done, frame in enumerate(frames, 1):
            yield frame
            progress.stage("render", self.found + self.made + done, total)

    def _free(self, number: int) -> None:
        claim = self._claims.pop(number, None)
        if claim is not None:
            claim.close()


@contextmanager
def open_reel(
    plan: FilmPlan, told: Mapping[str, str], progress: Progress, *, is_helping: bool = False
) -> Iterator[Reel]:
    """The film of a plan, as far as it is made; its folder goes when the block is left after it was joined.

    Args:
        plan: the finished film.
        told: everything that its frames depend on; what was made of other things is thrown away.
        progress: told so.
        is_helping: another process leads.

    Raises:
        OutputError: the folder can't be written, or another process leads already.
    """
    folder = plan.path.with_name(plan.path.name + ".progress")
    with ExitStack() as stack:
        if not is_helping:
            _make(folder)
            stack.enter_context(_led(folder))
            _begin(folder, told, progress)
        reel = Reel(folder, plan, is_helping=is_helping)
        stack.callback(reel.close)
        yield reel
    if not is_helping:
        shutil.rmtree(folder, ignore_errors=True)


def segment_length(rate: Fraction) -> int:
    """Frames of a segment: about four seconds; each begins with a picture of its own, which makes files larger."""
    return max(_LEAST, round(SECONDS * rate / _LEAST) * _LEAST)


def _record(folder: Path) -> Path:
    return folder / "run.json"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't make {folder}: {error.strerror or error}", "choose another --output") from error


@contextmanager
def _led(folder: Path) -> Iterator[None]:
    """This process leads; the lock goes with it, however it ends."""
    lock = FileLock(folder / "lead.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        message = f"{folder}: another run is making this film"
        raise OutputError(message, "wait for it, or choose another --output") from error
    except OSError as error:
        raise OutputError(f"can't write to {folder}: {error.strerror or error}", "choose another --output") from error
    try:
        yield
    finally:
        lock.release()


def _begin(folder: Path, told: Mapping[str, str], progress: Progress) -> None:
    """Keep what was made of the same things, and nothing else."""
    record = _record(folder)
    now = {"format": FORMAT, "format_version": VERSION, **told}
    if record.is_file():
        before = None
        with suppress(OSError, ValueError):  # a record that can't be read is of another film
            before = json.loads(record.read_text(encoding="utf-8"))
        if before == now:
            return
        progress.note(f"{folder} holds a film of other options or files; it is made anew")
    record.unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.name != "lead.lock":
            path.unlink()
    write_whole(record, json.dumps(now, indent=1, sort_keys=True).encode())
