"""Words of `--set` and of weights: what is refused, and whose word counts."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from retarget_cli.backends.registry import parse_options
from retarget_cli.backends.remot.options import RemotOptions
from retarget_cli.backends.self_appearance.backend import FirstOrderBackend
from retarget_cli.backends.words import (
    AUTO,
    Words,
    among,
    at_least,
    choice,
    is_on,
    is_so,
    number,
    settled,
    spoken,
    within,
    yes_or_no,
)
from retarget_cli.core.errors import UsageError

USUAL = {"width": "64", "causal": "no"}


@pytest.mark.parametrize(
    ("check", "message", "hint"),
    [
        (lambda: among("way", "up", ("down", "aside")), "--set way=up: unknown", "one of down, aside"),
        (lambda: within("width", 9, 1, 8), "--set width=9: out of bounds", "1 to 8"),
        (lambda: within("width", -1, 1, 8, unsaid=0), "--set width=-1: out of", "1 to 8; 0: as the weights have it"),
        (lambda: within("context", 0, 1, 8, unsaid=-1), "--set context=0: out of", "8; -1: as the weights have it"),
        (lambda: at_least("share", -0.1, 0), "--set share=-0.1: must be 0 or more", ""),
        (lambda: at_least("share", math.nan, 0), "--set share=nan: must be 0 or more", ""),
        (lambda: at_least("share", math.inf, 0), "--set share=inf: must be 0 or more", ""),
        (lambda: at_least("width", 0, 1), "--set width=0: must be 1 or more", ""),
    ],
)
def test_options_out_of_bounds(check: Callable[[], None], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as told:
        check()
    assert told.value.message.startswith(message)
    assert told.value.hint.endswith(hint)


def test_options_within_bounds() -> None:
    among("way", "down", ("down", "aside"))
    for value in (1, 8, 0):
        within("width", value, 1, 8, unsaid=0)
    for share in (0, 2.5):
        at_least("share", share, 0)


def test_what_leaves_it_to_the_weights_is_not_said() -> None:
    assert spoken({"way": AUTO, "causal": "yes", "width": 0, "levels": 3}) == {"causal": "yes", "levels": "3"}
    assert spoken({"context": 0, "far": -1}, unsaid=-1) == {"context": "0"}


def test_weights_count_before_what_is_said_and_that_before_what_is_usual() -> None:
    def design(said: Words, known: Words | None) -> dict[str, str]:
        return settled(said, USUAL, known, "retarget train it")

    assert design({}, None) == USUAL
    assert design({"width": "8"}, None) == {"width": "8", "causal": "no"}
    assert design({"width": "8"}, {"width": "8", "more": "1"}) == {"width": "8", "causal": "no", "more": "1"}
    assert design({}, {"causal": "yes"}) == {"width": "64", "causal": "yes"}
    for known in ({"width": "16"}, {}):  # what they are silent about is as usual
        with pytest.raises(UsageError) as told:
            design({"width": "8"}, known)
        assert told.value.message == f"--set width=8: the weights are of width={known.get('width', 64)}"
        assert told.value.hint == "leave the option out, or train others with `retarget train it`"
    assert settled({"width": "8"}, USUAL, {"width": "16"}, "it", free=("width",))["width"] == "8"


@pytest.mark.parametrize("word", ["", "x", "-1", "1.5", "0", "9", "9" * 5000])
def test_numbers_of_damaged_files(word: str) -> None:
    with pytest.raises(ValueError, match=r"^width=.*, expected 1 to 8$") as told:
        number({"width": word}, "width", 1, 8)
    assert len(str(told.value)) < 50


def test_words_of_a_design() -> None:
    words = {"width": "8", "causal": "yes", "texture": "off", "way": "down"}
    assert number(words, "width", 1, 8) == 8
    assert is_so(words, "causal")
    assert not is_on(words, "texture")
    assert choice(words, "way", ("up", "down")) == "down"
    for read, name, expected in (
        (is_so, "texture", "expected yes or no"),
        (is_on, "causal", "expected on or off"),
        (lambda words, name: choice(words, name, ("up", "aside")), "way", "expected one of up, aside"),
    ):
        with pytest.raises(ValueError, match=expected):
            read(words, name)
    with pytest.raises(KeyError):
        is_so({}, "causal")
    assert all(is_so({"causal": yes_or_no(value)}, "causal") is value for value in (True, False))


def test_of_all_methods_that_learn_options_are_bounded_alike() -> None:
    for said in ({"width": "20000"}, {"resolution": "2000"}):
        with pytest.raises(UsageError, match="out of bounds"):
            parse_options("remot", RemotOptions, said)
    with pytest.raises(UsageError, match="adversarial=nan"):
        parse_options("first-order", FirstOrderBackend.options, {"adversarial": "nan"})
