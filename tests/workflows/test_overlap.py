"""Stages that run ahead: order, bounds, errors, and that nothing outlives the block."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from retarget_cli.workflows.overlap import StageIsOver, overlapped, rest


@pytest.fixture(autouse=True)
def nothing_outlives() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Source:
    """Counts what is taken, and notices being closed and by which thread."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.taken = 0
        self.closed_in: list[int] = []
        self._count, self._fails_at = count, fails_at

    def __iter__(self) -> Iterator[int]:
        try:
            for number in range(self._count):
                if number == self._fails_at:
                    raise KeyError("the stage failed")
                self.taken += 1
                yield number
        finally:
            self.closed_in.append(threading.get_ident())


def wait_until(is_so: object, seconds: float = 5.0) -> None:
    assert callable(is_so)
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.005)
    assert is_so()


@pytest.mark.parametrize("ahead", [1, 3, 100])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_everything_comes_in_order(ahead: int, count: int) -> None:
    source = Source(count)
    with overlapped(source, ahead) as items:
        assert list(items) == list(range(count))
        assert list(items) == []
    assert len(source.closed_in) == 1
    assert source.closed_in[0] != threading.get_ident()


def test_it_runs_ahead_but_only_so_far() -> None:
    source = Source(100)
    with overlapped(source, 3) as items:
        wait_until(lambda: source.taken >= 4)  # three wait, one is in hand
        time.sleep(0.15)
        assert source.taken == 4
        next(items)
        wait_until(lambda: source.taken == 5)
        time.sleep(0.05)
        assert source.taken == 5


def test_an_error_comes_where_its_item_would_have_come() -> None:
    with overlapped(Source(9, fails_at=3), 5) as items:
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(KeyError, match="the stage failed"):
            next(items)


def test_leaving_early_stops_and_closes_the_stage() -> None:
    source = Source(10**9)
    with overlapped(source, 2) as items:
        assert next(items) == 0
    assert source.taken < 10
    assert len(source.closed_in) == 1


def test_an_error_of_the_caller_stops_the_stage_too() -> None:
    source = Source(10**9)
    with pytest.raises(ZeroDivisionError), overlapped(source, 2):
        raise ZeroDivisionError
    assert len(source.closed_in) == 1


def test_nobody_pulls_at_all() -> None:
    source = Source(10**9)
    with overlapped(source, 1):
        pass
    assert source.taken <= 2


def test_one_stage_pulls_from_another() -> None:
    def doubled(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            yield 2 * item

    with overlapped(Source(40), 2) as first, overlapped(doubled(first), 2) as second:
        assert list(second) == list(range(0, 80, 2))
    source = Source(40, fails_at=7)
    with (
        pytest.raises(KeyError),
        overlapped(source, 2) as first,
        overlapped(doubled(first), 2) as second,
    ):
        list(second)


def test_a_stage_that_waits_for_another_is_stopped_at_once() -> None:
    stopped_by: list[type[BaseException]] = []

    def waiting() -> Iterator[int]:
        yield 0
        try:
            rest(60)
        except BaseException as error:
            stopped_by.append(type(error))
            raise

    def doubled(items: Iterator[int]) -> Iterator[int]:
        try:
            for item in items:
                yield 2 * item
        except BaseException as error:
            stopped_by.append(type(error))
            raise

    started = time.monotonic()
    with overlapped(waiting(), 2) as first, overlapped(doubled(first), 2) as second:
        assert next(second) == 0
        time.sleep(0.05)
    assert time.monotonic() - started < 5
    assert stopped_by == [StageIsOver, StageIsOver]


def test_outside_a_stage_resting_is_sleeping() -> None:
    started = time.monotonic()
    rest(0.05)
    assert time.monotonic() - started >= 0.05


def test_a_stage_without_a_bound_runs_through() -> None:
    source = Source(1000)
    with overlapped(source, 0) as items:
        wait_until(lambda: source.taken == 1000)
        assert list(items) == list(range(1000))


def test_a_stage_that_cannot_even_start_says_so() -> None:
    class Broken:
        def __iter__(self) -> Iterator[int]:
            raise KeyError("cannot start")

    with pytest.raises(KeyError, match="cannot start"), overlapped(Broken(), 1) as items:
        pulled(items)


def test_a_stage_that_fails_while_it_is_closed_says_so() -> None:
    class Sticky:
        def __init__(self) -> None:
            self.left = 2

        def __iter__(self) -> Sticky:
            return self

        def __next__(self) -> int:
            self.left -= 1
            if self.left < 0:
                raise StopIteration
            return self.left

        def close(self) -> None:
            raise KeyError("cannot stop")

    with pytest.raises(KeyError, match="cannot stop"), overlapped(Sticky(), 1) as items:
        pulled(items)


def pulled(items: Iterator[int]) -> None:
    """Pull in a thread, so that a stage that never ends its queue fails the test instead of hanging it."""
    errors: list[BaseException] = []

    def work() -> None:
        try:
            list(items)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(3)
    if thread.is_alive():
        pytest.fail("nothing came, not even an end", pytrace=False)
    if errors:
        raise errors[0]
