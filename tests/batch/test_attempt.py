"""One attempt: whatever happens inside, an outcome that says what it was."""

from __future__ import annotations

import errno
import hashlib
import logging
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from retarget_cli.batch import attempt as module
from retarget_cli.batch.attempt import Throttle, attempt
from retarget_cli.batch.engine import Event, Job, Progressed
from retarget_cli.batch.item import Fault, Item, Outcome, State
from retarget_cli.batch.verify import content_of, is_whole
from retarget_cli.batch.wear import Wear
from retarget_cli.batch.worker import bound, usable
from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.workflows.animate import AnimateResult
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.troupe import Troupe


def job_of(folder: Path, **more: Any) -> Job:
    item = Item(1, {"source": ("me.png",), "driving": "dance.mp4", "fps": "25"}, "me", "dance", "out {0}.mp4")
    return replace(Job(item, str(folder / "out {0}.mp4"), cache=str(folder / "cache")), **more)


class Animate:
    """Stands for `workflows.animate.animate`: keeps what it was given, and writes a file or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.given: list[tuple[Any, ...]] = []

    def __call__(self, options: AnimateOptions, cache: Any, progress: Any, troupe: Any) -> AnimateResult:
        self.given.append((options, cache, progress, troupe))
        progress.stage("render", 0, 3)
        progress.stage("render", 3, 3)
        if self.error is not None:
            raise self.error
        path = Path(options.output.replace("{{", "{").replace("}}", "}"))
        if not options.is_helping:
            path.write_bytes(b"a film")
        return AnimateResult(path, 3, (20, 10), Fraction(25), 9.0, 1.0, "cpu, as asked", ("a note",), 2)


@pytest.fixture
def animate(monkeypatch: pytest.MonkeyPatch) -> Animate:
    found = Animate()
    monkeypatch.setattr(module.workflow, "animate", found)
    return found


def test_a_film_that_is_made_is_measured_and_told(animate: Animate, tmp_path: Path) -> None:
    heard: list[Event] = []
    troupe, job = Troupe(), job_of(tmp_path, window_share=2)
    outcome = attempt(job, heard.append, troupe)
    assert outcome.state is State.DONE
    assert (outcome.frames, outcome.resumed, outcome.width, outcome.height) == (3, 2, 10, 20)
    assert (outcome.device, outcome.notes, outcome.reason) == ("cpu, as asked", ("a note",), "")
    assert (outcome.size, outcome.sha256) == (6, hashlib.sha256(b"a film").hexdigest())
    assert 0 < outcome.seconds < 5  # its own clock, not what animate said
    assert 50 < outcome.peak_mib < 10_000
    assert heard == [Progressed(job, "render", 0, 3), Progressed(job, "render", 3, 3)]
    options, cache, _, given = animate.given[0]
    assert (options.is_resumed, options.may_overwrite, options.is_helping) == (True, True, False)
    assert options.window_share == 2
    assert (options.sources, options.fps) == (("me.png",), Fraction(25))
    assert cache.folder == tmp_path / "cache"
    assert given is troupe


def test_whoever_helps_finishes_nothing(animate: Animate, tmp_path: Path) -> None:
    outcome = attempt(job_of(tmp_path, is_help=True), lambda event: None)
    assert animate.given[0][0].is_helping
    assert (outcome.state, outcome.size, outcome.sha256) == (State.DONE, 0, "")


def test_the_cache_is_the_jobs_the_users_own_or_none(animate: Animate, tmp_path: Path, cache_folder: Path) -> None:
    for cache in (None, ""):
        attempt(job_of(tmp_path, cache=cache), lambda event: None)
    assert animate.given[0][1].folder == cache_folder
    assert animate.given[1][1] is None


@pytest.mark.parametrize(
    ("error", "fault", "reason"),
    [
        (InputError("x.mp4: nobody is seen", "give another"), Fault.SAID, "x.mp4: nobody is seen (give another)"),
        (OutputError("two\nlines"), Fault.SAID, "two lines"),
        (MemoryError(), Fault.MEMORY, "out of memory: MemoryError"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), Fault.MEMORY, "allocate 2 GiB"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried"),
         Fault.MEMORY, "you tried"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), Fault.MEMORY, "CUBLAS"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), Fault.MEMORY, "Cannot allocate"),
        (OSError(errno.EIO, "Input/output error"), Fault.BUG, "unexpected OSError: [Errno 5] Input/output error"),
        (TypeError("None is\nno number"), Fault.BUG, "unexpected TypeError: None is no number"),
        (RuntimeError("x" * 9000), Fault.BUG, "unexpected RuntimeError: xxx"),
    ],
)  # fmt: skip
def test_every_error_is_an_outcome_of_its_kind(
    error: Exception, fault: Fault, reason: str, animate: Animate, tmp_path: Path
) -> None:
    animate.error = error
    outcome = attempt(job_of(tmp_path), lambda event: None)
    assert outcome.fault is fault
    assert reason in outcome.reason
    assert "\n" not in outcome.reason
    assert len(outcome.reason) < 400
    assert (outcome.state, outcome.frames, outcome.sha256) == (State.FAILED, 0, "")
    assert outcome.seconds > 0


def test_numpys_want_of_memory_is_want_of_memory(animate: Animate, tmp_path: Path) -> None:
    with pytest.raises(MemoryError) as caught:
        np.empty(2**60, np.uint8)
    animate.error = caught.value
    assert attempt(job_of(tmp_path), lambda event: None).fault is Fault.MEMORY


def test_want_of_memory_behind_another_error_counts(animate: Animate, tmp_path: Path) -> None:
    said = InputError("x.mp4: can't be read")
    said.__cause__ = MemoryError("av")
    animate.error = said
    assert attempt(job_of(tmp_path), lambda event: None).fault is Fault.MEMORY


def test_words_of_a_message_to_the_user_are_no_want_of_memory(animate: Animate, tmp_path: Path) -> None:
    animate.error = InputError("out of memory.mp4: no person is seen")
    assert attempt(job_of(tmp_path), lambda event: None).fault is Fault.SAID


def test_only_an_error_that_nobody_expected_leaves_its_trace(
    animate: Animate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    animate.error = InputError("no")
    attempt(job_of(tmp_path), lambda event: None)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    animate.error = TypeError("oops")
    attempt(job_of(tmp_path), lambda event: None)
    assert caplog.records[-1].exc_info is not None


def test_an_output_that_is_not_there_when_it_is_finished_is_a_failure(
    animate: Animate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_bytes", lambda self, content: 0)
    outcome = attempt(job_of(tmp_path), lambda event: None)
    assert outcome.fault is Fault.SAID
    assert "can't read" in outcome.reason


def test_progress_is_told_a_few_times_a_second_and_at_the_end_of_each_stage(tmp_path: Path) -> None:
    now, heard = 0.0, []
    progress = Throttle(job_of(tmp_path), heard.append, lambda: now)
    for done in range(2001):  # two stages side by side, for ten seconds
        now = done / 200
        progress.stage("pose", done, 2000)
        progress.stage("render", done, None)
    progress.stage("pose", 2000, 2000)
    stages = [(event.stage, event.done) for event in heard]
    assert 40 <= len(stages) <= 60
    assert stages[:2] == [("pose", 0), ("render", 0)]
    assert stages.count(("pose", 2000)) == 1
    for name in ("pose", "render"):
        assert 20 <= sum(stage == name for stage, _ in stages) <= 30


def test_a_device_of_the_worker_is_for_items_that_name_none(tmp_path: Path) -> None:
    def device(asked: str | None, of_worker: str) -> object:
        job = job_of(tmp_path)
        options = job.item.options if asked is None else {**job.item.options, "device": asked}
        return bound(replace(job, item=replace(job.item, options=options)), of_worker).item.options.get("device")

    assert [device(asked, "cuda:1") for asked in (None, "auto", "cuda", "cuda:0", "cpu")] == [
        "cuda:1", "cuda:1", "cuda:1", "cuda:0", "cpu",
    ]  # fmt: skip
    assert device(None, "") is None
    assert usable("") == ""
    assert usable("cpu") == "cpu"
    assert usable("cuda:99") == ""


def test_a_worker_wears_out_by_what_it_holds_and_by_number() -> None:
    held = iter([500.0, 600.0, 1999.0, 2001.0])
    wear = Wear(lambda: next(held))
    assert [wear.is_too_much(Outcome()) for _ in range(4)] == [False, False, False, True]
    held = iter([4000.0, 7000.0, 7073.0])
    assert [Wear.is_too_much(each, Outcome()) for each in [Wear(lambda: next(held))] * 3] == [False, False, True]
    unknown = Wear(lambda: float("nan"))
    assert [unknown.is_too_much(Outcome()) for _ in range(500)].index(True) == 499
    spoiled = {fault for fault in Fault if Wear().is_too_much(Outcome(fault))}
    assert spoiled == {Fault.MEMORY, Fault.BUG}


def test_content_of_files_and_folders(tmp_path: Path) -> None:
    file, folder = tmp_path / "a.mp4", tmp_path / "frames"
    file.write_bytes(b"abc")
    assert content_of(file).sha256 == hashlib.sha256(b"abc").hexdigest()
    (folder / "sub").mkdir(parents=True)
    for name in ("b.png", "a.png", "sub/\udcff.png"):
        (folder / name).write_bytes(name[:1].encode())
    first = content_of(folder)
    assert first.size == 3
    (folder / "a.png").rename(folder / "c.png")
    assert content_of(folder).sha256 != first.sha256
    (folder / "c.png").rename(folder / "a.png")
    assert content_of(folder) == first
    with pytest.raises(OutputError, match="can't read"):
        content_of(tmp_path / "none")


def test_an_output_is_whole_only_while_nothing_of_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"abc")
    content = content_of(file)
    assert is_whole(file, content.size, content.sha256)
    assert not is_whole(file, content.size, "")
    assert not is_whole(tmp_path / "b.mp4", content.size, content.sha256)
    assert not is_whole(Path("a\0b"), content.size, content.sha256)
    file.write_bytes(b"abd")
    assert not is_whole(file, content.size, content.sha256)
    file.write_bytes(b"ab")
    assert not is_whole(file, content.size, content.sha256)


def test_an_outcome_without_fault_is_done() -> None:
    assert Outcome().state is State.DONE
    assert Outcome(Fault.CRASH).state is State.FAILED


def test_what_lies_elsewhere_is_brought_and_what_is_made_is_taken_there(animate: Animate, tmp_path: Path) -> None:
    far, cache = tmp_path / "far", tmp_path / "cache"
    far.mkdir()
    (far / "me.png").write_bytes(b"photo")
    options = {"source": (f"file://{far}/me.png", "here.png"), "driving": "b.mp4", "set": ("x=file://y",)}
    job = job_of(tmp_path, output=f"file://{far}/made.mp4")
    outcome = attempt(replace(job, item=replace(job.item, options=options)), lambda event: None)
    assert outcome.reason == ""
    given = animate.given[0][0]
    near, here = given.sources
    assert here == "here.png"
    assert Path(near).read_bytes() == b"photo"
    assert cache in Path(near).parents
    assert cache in Path(given.output).parents
    assert given.settings == (("x", "file://y"),)
    assert (far / "made.mp4").read_bytes() == b"a film"
    assert outcome.sha256 == hashlib.sha256(b"a film").hexdigest()
    assert not Path(given.output).exists()
