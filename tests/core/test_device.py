"""A device that was named is used or refused; only `auto` chooses."""

from __future__ import annotations

import pytest
import torch

from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import DeviceError


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_cpu_is_always_there() -> None:
    choice = choose_device("cpu")
    assert choice.device == torch.device("cpu")
    assert "as asked" in choice.reason


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(0, False, "cpu"), (1, False, "cuda"), (0, True, "mps"), (1, True, "cuda")]
)
def test_auto_takes_the_fastest_and_says_so(
    monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, expected: str
) -> None:
    pretend(monkeypatch, cuda=cuda, mps=mps)
    choice = choose_device("auto")
    assert choice.device.type == expected
    assert choice.reason.startswith(f"{expected}: ")


@pytest.mark.parametrize("name", ["cuda", "mps", "cuda:0"])
def test_a_missing_device_is_an_error_and_no_silent_fall(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pretend(monkeypatch)
    with pytest.raises(DeviceError, match=name) as caught:
        choose_device(name)
    assert "auto" in caught.value.hint


def test_one_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=2)
    assert choose_device("cuda:1").device == torch.device("cuda:1")
    for wrong in ("cuda:2", "cuda:x", "cuda:-1"):
        with pytest.raises(DeviceError, match=wrong):
            choose_device(wrong)


@pytest.mark.parametrize("name", ["gpu", "", "cpu0", "CUDA"])
def test_an_unknown_name_lists_the_known(name: str) -> None:
    with pytest.raises(DeviceError) as caught:
        choose_device(name)
    assert "auto, cpu, cuda, mps" in caught.value.hint
