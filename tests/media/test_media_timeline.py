"""Rates change, duration does not."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retarget_cli.media.timeline import resample, resample_indices

NTSC = Fraction(30000, 1001)


def test_the_same_rate_changes_nothing() -> None:
    times = [5 + i / NTSC for i in range(100)]
    assert resample_indices(times, NTSC) == list(range(100))


def test_a_minute_from_ntsc_to_25_drifts_less_than_one_frame() -> None:
    times = [i / NTSC for i in range(1798)]
    shown = resample_indices(times, Fraction(25))
    assert abs(len(shown) / 25 - float(1798 / NTSC)) < 1 / 25
    for tick, index in enumerate(shown):
        assert 0 <= Fraction(tick, 25) - times[index] < 1 / NTSC


def test_uneven_times_keep_what_is_on_the_screen() -> None:
    times = [Fraction(0), Fraction(1, 10), Fraction(5, 10), Fraction(6, 10)]
    assert resample_indices(times, Fraction(10)) == [0, 1, 1, 1, 1, 2, 3]


def test_doubling_repeats_and_halving_leaves_out() -> None:
    times = [Fraction(i, 10) for i in range(4)]
    assert resample_indices(times, Fraction(20)) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert resample_indices(times, Fraction(5)) == [0, 2]


def test_a_single_frame_stays_as_long_as_asked() -> None:
    assert resample_indices([Fraction(3)], Fraction(25)) == [0]
    assert resample_indices([Fraction(3)], Fraction(25), last_duration=Fraction(1)) == [0] * 25
    assert resample_indices([], Fraction(25)) == []


def test_reads_one_ahead_only() -> None:
    taken = []

    def source() -> object:
        for i in range(1000):
            taken.append(i)
            yield Fraction(i, 25), i

    stream = resample(source(), Fraction(25))  # type: ignore[arg-type]
    assert [next(stream) for _ in range(3)] == [(Fraction(i, 25), i) for i in range(3)]
    assert len(taken) <= 4


def test_times_that_fall_back_are_refused() -> None:
    with pytest.raises(ValueError, match="rising"):
        resample_indices([Fraction(1), Fraction(1)], Fraction(25))
    with pytest.raises(ValueError, match="> 0"):
        resample_indices([Fraction(1)], Fraction(0))


@given(
    st.lists(st.fractions(Fraction(1, 100), Fraction(1, 2), max_denominator=1000), min_size=1, max_size=40),
    st.fractions(Fraction(1), Fraction(120), max_denominator=1001),
)
def test_never_ahead_never_more_than_a_frame_behind(gaps: list[Fraction], rate: Fraction) -> None:
    times = [sum(gaps[:i], Fraction(0)) for i in range(len(gaps) + 1)]
    shown = resample_indices(times, rate)
    assert shown == sorted(shown)
    for tick, index in enumerate(shown):
        assert times[index] <= tick / rate
        assert index + 1 == len(times) or times[index + 1] > tick / rate
