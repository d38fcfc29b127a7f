"""How near a network comes to what this machine can multiply at all: `retarget bench --ceiling`.

A plain large convolution and a matrix product give the ceiling; the per-frame network of liquid warping, as its modules
are and made ready for one subject, stands beside them. All are timed in turn, round after round, so that whatever else
the machine does falls on all alike; medians count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.liquid_warp.fast import FastTransfer
from retarget_cli.backends.liquid_warp.generator import Design, Generator
from retarget_cli.backends.words import FULL, HALF

ROUNDS = 7
CHANNELS, SIDE, MATRIX = 256, 64, 2048
GIGA = 1e9
EIGHT_BITS = 255

Job = tuple[float, Callable[[], object]]
"""GMAC of one call, or of one frame of it; and the call."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One thing that multiplies.

    Attributes:
        name: what it is.
        gmac: thousand million multiply-adds that it takes, as the plain modules count them.
        seconds: median of one call.
    """

    name: str
    gmac: float
    seconds: float

    @property
    def speed(self) -> float:
        """GMAC a second."""
        return self.gmac / self.seconds


@dataclass(frozen=True, slots=True)
class Ceiling:
    """All of them, the convolution first; how far apart the two networks' pictures are; and what else is to be said."""

    device: str
    threads: int
    rates: tuple[Rate, ...]
    difference: float
    note: str = ""

    def text(self) -> str:
        """A table."""
        best = self.rates[0].speed
        heads = "".join(f"{head:>9}" for head in ("GMAC", "ms", "GMAC/s", "ceiling"))
        lines = [f"device: {self.device}, {self.threads} threads", f"{'':52}{heads}"]
        lines += [
            f"{rate.name:52}{rate.gmac:>9.2f}{1000 * rate.seconds:>9.1f}{rate.speed:>9.1f}{rate.speed / best:>9.0%}"
            for rate in self.rates
        ]
        lines.append(f"plain and ready differ by {self.difference:.1e} at most")
        return "\n".join([*lines, self.note] if self.note else lines)

    def data(self) -> dict[str, object]:
        """JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was timed together: the machine's ceiling, and a frame of each job."""

    device: torch.device
    machine: tuple[Rate, ...]
    jobs: tuple[Rate, ...]

    def ceiling(self, difference: float, note: str = "") -> Ceiling:
        """With what else is to be said."""
        return Ceiling(str(self.device), torch.get_num_threads(), self.machine + self.jobs, difference, note)


def measure_ceiling(device: torch.device, size: int = 256, sources: int = 1) -> Ceiling:
    """Time them.

    Args:
        device: where.
        size: of the network's square pictures, a multiple of 8.
        sources: source pictures.
    """
    with torch.inference_mode():
        generator = Generator(Design(has_background=False)).to(device).eval()
        pictures = torch.randn(1, sources, 6, size, size, device=device)
        target = torch.randn(1, 6, size, size, device=device)
        line = torch.linspace(-0.9, 0.9, size, device=device)
        flow = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
        flows = flow.expand(1, sources, size, size, 2).contiguous()
        features = generator.identity.encode(pictures[0])
        ready = FastTransfer(generator.transfer, pictures[0], features)

        def plain() -> tuple[Tensor, Tensor]:
            made: tuple[Tensor, Tensor] = generator.transfer(target, pictures, features, flows)
            return made

        work, head = macs(generator.transfer, plain) / GIGA, f"liquid-warp, {size} px, {sources} sources:"
        jobs: dict[str, Job] = {
            f"{head} plain": (work, plain),
            f"{head} ready": (work, lambda: ready(target, flows)),
        }
        rates = measured(jobs, 1, device)
        apart = float((plain()[0] - ready(target, flows)[0]).abs().max())
    return rates.ceiling(apart)


def measured(jobs: Mapping[str, Job], frames: int, device: torch.device) -> Measured:
    """Time jobs beside the machine's ceiling.

    Args:
        jobs: by name.
        frames: that each call of theirs makes.
        device: where.
    """
    ceiling = _convolving(device)
    times = timed([job for _, job in (*ceiling.values(), *jobs.values())], device)
    rates = tuple(
        Rate(name, gmac, seconds / (frames if name in jobs else 1))
        for (name, (gmac, _)), seconds in zip([*ceiling.items(), *jobs.items()], times, strict=True)
    )
    return Measured(device, rates[: len(ceiling)], rates[len(ceiling) :])


def _convolving(device: torch.device) -> dict[str, Job]:
    """The plain convolution and the matrix product."""
    image = torch.randn(1, CHANNELS, SIDE, SIDE, device=device).to(memory_format=torch.channels_last)
    kernel = torch.randn(CHANNELS, CHANNELS, 3, 3, device=device).to(memory_format=torch.channels_last)
    matrix = torch.randn(MATRIX, MATRIX, device=device)
    return {
        f"convolution, {CHANNELS} channels, 3x3, {SIDE}x{SIDE}": (
            (CHANNELS * CHANNELS * 9 * SIDE * SIDE) / GIGA, lambda: functional.conv2d(image, kernel, padding=1)
        ),
        f"matrix product, {MATRIX}": (MATRIX**3 / GIGA, lambda: matrix @ matrix),
    }  # fmt: skip


def macs(network: nn.Module, call: Callable[[], object]) -> int:
    """Multiply-adds of all convolutions that a call passes through."""
    found = 0

    def count(layer: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        nonlocal found
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d):
            places = given[0] if isinstance(layer, nn.ConvTranspose2d) else made
            found += places.shape[0] * places.shape[2:].numel() * layer.weight.numel()

    handles = [layer.register_forward_hook(count) for layer in network.modules()]
    try:
        call()
    finally:
        for handle in handles:
            handle.remove()
    return found


def timed(jobs: list[Callable[[], object]], device: torch.device) -> list[float]:
    """Median seconds of each, after one round that does not count."""
    times: list[list[float]] = [[] for _ in jobs]
    for number in range(ROUNDS + 1):
        for job, kept in zip(jobs, times, strict=True):
            started = time.perf_counter()
            job()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if number:
                kept.append(time.perf_counter() - started)
    return [sorted(kept)[len(kept) // 2] for kept in times]


def compared(way: str, rates: Sequence[Rate], full: Tensor, half: Tensor, span: int) -> list[str]:
    """Lines about the two precisions.

    Args:
        way: what the ready networks are compared with.
        rates: of it, then of the ready ones in single and in half precision.
        full, half: pictures that these two make.
        span: from black to white in the pictures' values.
    """
    plain, ready, halved = rates
    levels = EIGHT_BITS / span
    apart = levels * (half - full).abs()
    return [
        f"as fast as the {way}: {FULL} {plain.seconds / ready.seconds:.2f} times, "
        f"{HALF} {plain.seconds / halved.seconds:.2f} times",
        f"{HALF} and {FULL} differ by {float(apart.max()):.2f} of {EIGHT_BITS} levels at most, "
        f"{float(apart.mean()):.3f} on average; pictures deviate by {levels * float(full.std()):.2f} from their mean",
    ]
