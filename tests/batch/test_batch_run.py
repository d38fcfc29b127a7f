"""The driver: what is handed out, what is tried again, what is told and remembered."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from retarget_cli.batch.apart import check_free
from retarget_cli.batch.board import Board
from retarget_cli.batch.engine import Engine, Event, Finished, Job, Jobs, Progressed, Started
from retarget_cli.batch.item import Fault, Item, Outcome, State
from retarget_cli.batch.manifest import Manifest
from retarget_cli.batch.run import Queue, RunOptions, Summary, run_batch
from retarget_cli.batch.verify import content_of
from retarget_cli.batch.watching import Again, Begun, Checked, Helped, News, Over
from retarget_cli.core.errors import Interrupted, UsageError

Doing = Callable[[Job], Outcome]


class Pretending(Engine):
    """Does one job after the other as it is told, and writes what it pretends to have made."""

    def __init__(self, doing: Doing, workers: int = 1) -> None:
        self._doing, self._workers = doing, workers
        self.jobs: list[Job] = []

    @property
    def workers(self) -> int:
        return self._workers

    def run(self, jobs: Jobs) -> Generator[Event | None]:
        while not jobs.is_over:
            job = jobs.take()
            if job is None:
                yield None
                continue
            self.jobs.append(job)
            yield Started(job, "w1")
            yield Progressed(job, "render", 1, 2)
            yield Finished(job, self._doing(job))


class Hearing:
    def __init__(self) -> None:
        self.news: list[News] = []

    def hear(self, news: News | None) -> None:
        if news is not None:
            self.news.append(news)

    def of(self, kind: type) -> list[News]:
        return [each for each in self.news if isinstance(each, kind)]


def item(number: int) -> Item:
    return Item(number, {"source": f"{number}.png", "driving": "d.mp4"}, str(number), "d", f"{number}.mp4")


def made(job: Job) -> Outcome:
    path = Path(job.output)
    path.write_text(f"film {job.item.number}")
    content = content_of(path)
    return Outcome(seconds=1.0, frames=10, size=content.size, sha256=content.sha256)


def run(folder: Path, engine: Engine, count: int = 3, hearing: Hearing | None = None, **said: object) -> Summary:
    with Manifest.open(folder, may_make=True) as manifest:
        manifest.add([item(number) for number in range(1, count + 1)])
        options = RunOptions(str(folder), **said)  # type: ignore[arg-type]
        return run_batch(manifest, engine, options, [] if hearing is None else [hearing])


def states(folder: Path) -> list[State]:
    with Manifest.open(folder, may_make=False) as manifest:
        return [entry.state for entry in manifest.rows()]


def test_everything_is_made_once_and_what_is_there_is_left(tmp_path: Path) -> None:
    engine, hearing = Pretending(made), Hearing()
    summary = run(tmp_path, engine, hearing=hearing, cache="shelf")
    assert (summary.done, summary.skipped, summary.failed, summary.frames) == (3, 0, (), 30)
    assert [(job.item.number, job.output, job.cache) for job in engine.jobs] == [
        (number, str(tmp_path / f"{number}.mp4"), "shelf") for number in (1, 2, 3)
    ]
    (begun,) = hearing.of(Begun)
    assert isinstance(begun, Begun)
    assert begun.counts[State.WAITING] == 3
    over = hearing.of(Over)
    assert [each.counts[State.DONE] for each in over if isinstance(each, Over)] == [1, 2, 3]
    again, idle = run(tmp_path, Pretending(made), count=3, hearing=hearing), hearing.of(Checked)
    assert (again.done, again.skipped) == (0, 3)
    assert all(each.is_intact for each in idle if isinstance(each, Checked))


def test_outputs_that_were_changed_or_lost_are_made_again(tmp_path: Path) -> None:
    run(tmp_path, Pretending(made))
    (tmp_path / "1.mp4").write_text("filM 1")
    (tmp_path / "3.mp4").unlink()
    hearing = Hearing()
    engine = Pretending(made)
    summary = run(tmp_path, engine, hearing=hearing)
    assert ([job.item.number for job in engine.jobs], summary.done, summary.skipped) == ([1, 3], 2, 1)
    assert [each.is_intact for each in hearing.of(Checked) if isinstance(each, Checked)] == [False, True, False]
    assert (tmp_path / "1.mp4").read_text() == "film 1"


def failing(*numbers: int, fault: Fault = Fault.SAID, times: int = 10**6) -> Doing:
    left = dict.fromkeys(numbers, times)

    def done(job: Job) -> Outcome:
        if left.get(job.item.number, 0):
            left[job.item.number] -= 1
            return Outcome(fault, f"no person in {job.item.number}")
        return made(job)

    return done


def test_a_failure_harms_no_other_and_is_not_tried_again_unasked(tmp_path: Path) -> None:
    engine = Pretending(failing(2))
    summary = run(tmp_path, engine)
    assert (summary.done, [(it.number, out.reason) for it, out in summary.failed]) == (2, [(2, "no person in 2")])
    assert [job.item.number for job in engine.jobs] == [1, 2, 3]
    assert states(tmp_path) == [State.DONE, State.FAILED, State.DONE]
    later = run(tmp_path, Pretending(made))
    assert (later.done, later.skipped, later.failed_before) == (0, 2, 1)
    mended = run(tmp_path, Pretending(made), has_retry=True)
    assert (mended.done, mended.skipped, mended.failed_before) == (1, 2, 0)


def test_the_first_failure_may_end_it(tmp_path: Path) -> None:
    engine = Pretending(failing(1))
    summary = run(tmp_path, engine, halts=True)
    assert ([job.item.number for job in engine.jobs], summary.left) == ([1], 2)
    assert states(tmp_path) == [State.FAILED, State.WAITING, State.WAITING]


@pytest.mark.parametrize(("fault", "share"), [(Fault.MEMORY, 2), (Fault.CRASH, 1)])
def test_what_died_is_tried_once_more(tmp_path: Path, fault: Fault, share: int) -> None:
    hearing, engine = Hearing(), Pretending(failing(2, fault=fault, times=1))
    summary = run(tmp_path, engine, hearing=hearing)
    assert (summary.done, summary.failed) == (3, ())
    assert [(job.item.number, job.window_share, job.is_retry) for job in engine.jobs] == [
        (1, 1, False), (2, 1, False), (2, share, True), (3, 1, False),
    ]  # fmt: skip
    assert len(hearing.of(Again)) == 1
    for_good = run(tmp_path / "other", Pretending(failing(2, fault=fault)))
    assert [it.number for it, _ in for_good.failed] == [2]


@pytest.mark.parametrize("fault", [Fault.SAID, Fault.TIMEOUT, Fault.BUG])
def test_what_said_no_is_not(tmp_path: Path, fault: Fault) -> None:
    engine = Pretending(failing(2, fault=fault))
    run(tmp_path, engine)
    assert [job.item.number for job in engine.jobs] == [1, 2, 3]


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    def stopping(job: Job) -> Outcome:
        if job.item.number == 2:
            raise KeyboardInterrupt
        return made(job)

    with pytest.raises(Interrupted, match="1 of 3 videos are done") as stop:
        run(tmp_path, Pretending(stopping))
    assert stop.value.hint == "the same command goes on"
    assert states(tmp_path) == [State.DONE, State.WAITING, State.WAITING]
    assert run(tmp_path, Pretending(made)).done == 2


def waiting(count: int) -> Iterator[tuple[Item, int]]:
    return ((item(number), 0) for number in range(1, count + 1))


def test_who_has_nothing_to_do_helps_with_the_longest_film() -> None:
    queue = Queue(waiting(2), RunOptions("out"), workers=3)
    first, second = queue.take(), queue.take()
    assert first is not None
    assert second is not None
    assert queue.take() is None
    queue.progressed(Progressed(first, "render", 10, 300))
    queue.progressed(Progressed(second, "render", 10, 1000))
    queue.progressed(Progressed(second, "pose", 900, 1000))
    assert [queue.take(), queue.take()] == [replace(second, is_help=True)] * 2
    assert queue.take() == replace(first, is_help=True)
    queue.progressed(Progressed(first, "render", 290, 300))
    queue.over(second)
    assert queue.take() is None
    assert not queue.is_over
    queue.over(first)
    assert queue.is_over
    lonely = Queue(waiting(1), RunOptions("out", may_help=False), workers=3)
    only = lonely.take()
    assert only is not None
    lonely.progressed(Progressed(only, "render", 10, 10_000))
    assert lonely.take() is None


def test_help_decides_nothing(tmp_path: Path) -> None:
    """Whatever becomes of it, the item's end is that of who leads."""
    hearing = Hearing()

    class Helping(Pretending):
        def run(self, jobs: Jobs) -> Generator[Event | None]:
            led = jobs.take()
            assert led is not None
            yield Started(led, "w1")
            yield Progressed(led, "render", 0, 1000)
            help_job = jobs.take()
            assert help_job is not None
            assert help_job.is_help
            yield Started(help_job, "w2")
            yield Finished(help_job, Outcome(Fault.CRASH, "fell over"))
            yield Finished(led, made(led))
            assert jobs.is_over

    summary = run(tmp_path, Helping(made, workers=2), count=1, hearing=hearing)
    assert (summary.done, summary.failed) == (1, ())
    assert len(hearing.of(Helped)) == 1


def test_the_board_knows_how_far_it_is() -> None:
    board, first = Board(), Job(item(1), "out/1.mp4")
    board.hear(Begun({State.WAITING: 4}, 1))
    board.hear(Started(first, "w1"))
    for stage, done in (("pose", 30), ("render", 10), ("pose", 60), ("render", 25)):
        board.hear(Progressed(first, stage, done, 100))
    (row,) = board.rows()
    assert (row.stage, row.done, row.total, row.worker) == ("render", 25, 100, "w1")
    assert board.frames == 25
    assert board.speed() > 0
    assert board.seconds_left() is None
    board.hear(Over(Finished(first, Outcome()), {State.WAITING: 3, State.DONE: 1}))
    assert board.rows() == []
    assert board.counts()[State.DONE] == 1
    assert board.seconds_left() is not None


def test_what_others_have_made_is_not_replaced(tmp_path: Path) -> None:
    asked = [item(number) for number in (1, 2, 3)]
    with Manifest.open(tmp_path, may_make=True) as manifest:
        check_free(asked, str(tmp_path), manifest)
        manifest.add(asked[:1])
        for name in ("1.mp4", "2.mp4"):
            (tmp_path / name).write_text("a film")
        check_free(asked[:1], str(tmp_path), manifest)
        with pytest.raises(UsageError, match=r"2\.mp4' is there, and this batch has not made it") as error:
            check_free(asked, str(tmp_path), manifest)
        assert "--overwrite" in error.value.hint
        (tmp_path / "3.mp4").symlink_to(tmp_path / "nowhere")
        with pytest.raises(UsageError, match="and 1 more"):
            check_free(asked, str(tmp_path), manifest)
        check_free(asked, "s3://shelf/out", manifest)
