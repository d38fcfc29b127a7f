"""Which device to run on; never a silent fall to the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retarget_cli.core.errors import DeviceError

if TYPE_CHECKING:
    import torch

NAMES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """The device that is used, and why.

    Attributes:
        device: what torch is given.
        reason: one line for people.
    """

    device: torch.device
    reason: str


def choose_device(name: str) -> DeviceChoice:
    """The device for a name of `NAMES` (`cuda:1` names one of several).

    Raises:
        DeviceError: a device was named that is unknown or not there.
    """
    import torch

    kind, _, number = name.partition(":")
    if kind not in NAMES:
        raise DeviceError(f"--device {name}: unknown", f"one of {', '.join(NAMES)}")
    if kind == "cpu":
        return DeviceChoice(torch.device("cpu"), "cpu, as asked")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind == "auto":
        for candidate, is_there in there.items():
            if is_there:
                return DeviceChoice(torch.device(candidate), f"{candidate}: found, and faster than the CPU")
        return DeviceChoice(torch.device("cpu"), "cpu: neither CUDA nor MPS is there")
    if not there[kind]:
        raise DeviceError(
            f"--device {name}: this machine, or this build of torch, has none",
            "use --device auto or cpu; `retarget doctor` shows what is there",
        )
    if kind == "cuda" and number and (not number.isdigit() or int(number) >= torch.cuda.device_count()):
        raise DeviceError(f"--device {name}: there are only {torch.cuda.device_count()}", "count from cuda:0")
    return DeviceChoice(torch.device(name), f"{name}, as asked")
