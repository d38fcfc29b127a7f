"""What is recognised, and what is said of everything else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from retarget_cli.core.errors import UsageError, WeightsError
from retarget_cli.weights.importing import Recogniser, recognise

SHAPES = {"first.weight": (4, 3), "first.bias": (4,), "last.weight": (1, 4)}
NAMES = {"a.0.weight": "first.weight", "a.0.bias": "first.bias", "b.weight": "last.weight"}


def form(name: str, names: dict[str, str] = NAMES, refusal: str = "", **shapes: tuple[int, ...]) -> Recogniser:
    told = {ours: shapes.get(ours.replace(".", "_"), SHAPES[ours]) for ours in names.values()}
    return Recogniser(name, f"the {name}", "warper", names, told, {"width": "4"}, "MIT", "https://a.test/", refusal)


def state_of(which: Recogniser) -> dict[str, Tensor]:
    return {theirs: torch.rand(which.shapes[ours]) for theirs, ours in which.names.items()}


SMALL = form("small")
WIDE = form("wide", first_weight=(8, 3), first_bias=(8,), last_weight=(1, 8))
JUDGE = form("judge", {"d.weight": "first.weight"}, "name the other file")
KNOWN = (SMALL, WIDE, JUDGE)


def test_a_known_one_is_put_under_our_names() -> None:
    state = state_of(WIDE)
    found = recognise(state, KNOWN, "x.pth")
    assert found is WIDE
    made = found.convert(state)
    assert set(made) == set(SHAPES)
    assert all(torch.equal(made[ours], state[theirs]) for theirs, ours in NAMES.items())


def test_what_differs_is_told_beside_the_nearest() -> None:
    state = state_of(WIDE) | {"c": torch.zeros(1), "e": torch.zeros(1)}
    state["b.weight"] = torch.zeros(2, 8)
    del state["a.0.bias"]
    with pytest.raises(WeightsError) as caught:
        recognise(state, KNOWN, "x.pth")
    assert caught.value.message == (
        "x.pth is no checkpoint that is known; beside the wide: 1 missing (a.0.bias); 2 unexpected (c, e); "
        "1 of another shape (b.weight is (2, 8) instead of (1, 8))"
    )
    assert caught.value.hint == "known are the small, the wide"


def test_long_lists_are_counted() -> None:
    with pytest.raises(WeightsError, match=r"5 unexpected \(e0, e1, e2 and 2 more\)"):
        recognise(state_of(SMALL) | {f"e{row}": torch.zeros(1) for row in range(5)}, KNOWN, "x.pth")


def test_nothing_in_common() -> None:
    with pytest.raises(WeightsError, match=r"none of its 1 tensors \(q\) has a known name"):
        recognise({"q": torch.zeros(1)}, KNOWN, "x.pth")


def test_a_known_one_that_is_of_no_use() -> None:
    with pytest.raises(WeightsError, match=r"x.pth is the judge") as caught:
        recognise(state_of(JUDGE), KNOWN, "x.pth")
    assert caught.value.hint == "name the other file"


def test_two_that_look_alike_must_be_told_apart() -> None:
    twin = form("twin")
    with pytest.raises(UsageError, match="fits small and twin alike") as caught:
        recognise(state_of(SMALL), (*KNOWN, twin), "x.pth")
    assert caught.value.hint == "say which it is: --as small"
    assert recognise(state_of(SMALL), (*KNOWN, twin), "x.pth", "twin") is twin
    with pytest.raises(UsageError, match="--as twins: unknown") as caught:
        recognise(state_of(SMALL), KNOWN, "x.pth", "twins")
    assert caught.value.hint == "one of small, wide"
    with pytest.raises(WeightsError, match="beside the wide: 3 of another shape"):
        recognise(state_of(SMALL), KNOWN, "x.pth", "wide")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_must_be_finite(value: float) -> None:
    state = state_of(SMALL)
    state["b.weight"][0, 1] = value
    with pytest.raises(WeightsError, match=r"b.weight holds values that are not finite floats"):
        SMALL.convert(state)


def test_values_must_be_floats() -> None:
    state = state_of(SMALL)
    state["b.weight"] = state["b.weight"].long()
    with pytest.raises(WeightsError, match="not finite floats"):
        SMALL.convert(state)
