"""`retarget batch` that is stopped, or whose workers are: how it ends, and that it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.batch.disturbed import batch, closed, ended, is_alive, wait_for, workers_of
from tests.batch.test_batch_faults import outputs

from retarget_cli.batch.manifest import Manifest

KEEPS = "the same command goes on"


def check_stopped(
    folder: Path, name: str, stop: Callable[[subprocess.Popen[str]], None], *more: str
) -> tuple[int, str, str]:
    """Stop a batch in its middle; its workers are gone soon after."""
    process = batch(folder, name, *more)
    wait_for(lambda: closed(folder / name))
    workers = workers_of(process)
    assert workers
    stop(process)
    until = time.monotonic() + 8
    process.wait(timeout=8)
    wait_for(lambda: not any(is_alive(each) for each in workers), until - time.monotonic())
    assert process.stdout is not None
    if process.stdout.closed:
        return process.returncode, "", ""
    return ended(process)


def check_goes_on(folder: Path, name: str) -> None:
    assert ended(batch(folder, name))[0] == 0
    if not (folder / "undisturbed").exists():
        assert ended(batch(folder, "undisturbed", "--no-cache"))[0] == 0  # nothing that was stopped has a part in it
    assert outputs(folder / name) == outputs(folder / "undisturbed")


def test_one_signal_stops_it(long: Path) -> None:
    code, out, told = check_stopped(long, "stopped", lambda process: process.send_signal(signal.SIGINT))
    assert (code, out) == (130, "")
    error, hint = told.splitlines()[-2:]
    assert error.startswith("error: interrupted; 0 of 2 videos are done, and what is closed of the others is kept in")
    assert hint == f"hint: {KEEPS}"


@pytest.mark.slow
def test_what_was_stopped_goes_on(long: Path) -> None:
    for _ in range(2):
        assert check_stopped(long, "goes on", lambda process: process.send_signal(signal.SIGINT))[0] == 130
        for path in (long / "goes on").glob("*.progress/000000.json"):
            path.unlink()  # as if nothing were closed: all of it is made anew
    check_goes_on(long, "goes on")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, -1)], ids=["SIGTERM", "SIGHUP"])
def test_other_signals(long: Path, number: signal.Signals, code: int) -> None:
    found, _, told = check_stopped(long, f"by {number}", lambda process: process.send_signal(number))
    assert found == code
    assert number == signal.SIGHUP or told.endswith(f"hint: {KEEPS}\n")
    check_goes_on(long, f"by {number}")


@pytest.mark.slow
def test_impatient_fingers_and_a_whole_terminal(long: Path) -> None:
    def thrice(process: subprocess.Popen[str]) -> None:
        for _ in range(3):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers hear it as well
            time.sleep(0.05)

    # The third may come when the first has done its work, and the program is at its last breath.
    assert check_stopped(long, "thrice", thrice)[0] in (130, -signal.SIGINT)
    check_goes_on(long, "thrice")


@pytest.mark.slow
def test_a_terminal_that_is_gone_and_a_reader_that_leaves(long: Path) -> None:
    def leave(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()

    assert check_stopped(long, "unread", leave, "--json")[0] == 1
    check_goes_on(long, "unread")


def kill_in_the_middle(folder: Path, name: str, times: int) -> tuple[int, str, str]:
    """Kill the worker that renders, each time after one more segment was closed."""
    process = batch(folder, name, "--workers", "1")
    killed: set[int] = set()
    while len(killed) < times and process.poll() is None:
        fresh = [each for each in workers_of(process) if each not in killed]
        if fresh and len(closed(folder / name)) > len(killed):
            os.kill(fresh[0], signal.SIGKILL)
            killed.add(fresh[0])
        time.sleep(0.02)
    assert len(killed) == times
    return ended(process)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_gone_on_for(long: Path) -> None:
    code, out, told = kill_in_the_middle(long, "orphan", 1)
    assert (code, out.split(";")[0]) == (0, "2 done, 0 done before, 0 failed")
    (again,) = (line for line in told.splitlines() if line.startswith("again: "))
    assert again.startswith("again: 0 who? x -clip 0: the worker ended by signal 9 (SIGKILL): out of memory, or killed")
    assert "of them made before" in told
    check_goes_on(long, "orphan")
    with Manifest.open(long / "orphan", may_make=False) as manifest:
        assert [entry.attempts for entry in manifest.rows()] == [2, 1]


@pytest.mark.slow
def test_a_worker_that_is_killed_again_fails_alone(long: Path) -> None:
    code, out, _ = kill_in_the_middle(long, "doomed", 2)
    assert (code, out.split(";")[0]) == (1, "1 done, 0 done before, 1 failed")
    assert "failed  0 who?_-clip 0_avatar.mp4: the worker ended by signal 9 (SIGKILL)" in out
    assert "fewer --workers or a smaller --size need less memory" in out
    assert ended(batch(long, "doomed", "--retry-failed"))[0] == 0
    check_goes_on(long, "doomed")
