"""How fast the bottleneck makes frames, beside what the machine can multiply: `retarget bench --ceiling --backend
bottleneck`.

A frame costs the same whatever picture and poses there are, so that these are made up. Multiply-adds are counted as
the plain modules take them; the ready networks take fewer where they enlarge and where the source is the same in every
frame. All are timed in turn, round after round; medians count.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from retarget_cli.backends.bottleneck.backend import BottleneckBackend
from retarget_cli.backends.bottleneck.fast import FastBottleneck
from retarget_cli.backends.bottleneck.model import Bottleneck, Made
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.backends.stage.posture import Posture
from retarget_cli.backends.words import FULL, HALF
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import UsageError
from retarget_cli.workflows.bench_backend import opened
from retarget_cli.workflows.bench_ceiling import GIGA, Ceiling, Job, Rate, compared, macs, measured
from retarget_cli.workflows.bench_report import BenchOptions

MOST = 4


def measure_bottleneck(options: BenchOptions) -> Ceiling:
    """Time the plain modules and the ready ones, in both precisions and after one and four photos.

    The size of its pictures is the weights' own; without any it is the first of the sizes.

    Raises:
        UsageError: asked for on a device other than a CPU.
    """
    device = choose_device(options.device).device
    if device.type != "cpu":
        raise UsageError(f"--ceiling: --backend {options.backend} is measured so on a CPU alone", "add --device cpu")
    backend = opened(options, device)
    assert isinstance(backend, BottleneckBackend)
    network, count = backend.network, backend.spec.window
    views = _views(network.design.resolution, device)
    target = _postures(count, 1, device)
    with torch.inference_mode():
        plain = _plain(network, views, target)
        ready = {each: _ready(network, views[:1], each) for each in (FULL, HALF)}
        many = _ready(network, views, FULL)
        work, head = macs(network, plain) / count / GIGA, f"{options.backend}, {network.design.resolution} px:"
        jobs: dict[str, Job] = {f"{head} plain": (work, plain)}
        jobs |= {f"{head} ready, {each}": (work, partial(made.posed, target)) for each, made in ready.items()}
        jobs[f"{head} ready, {FULL}, photos: {MOST}"] = work, partial(many.posed, target)
        rates = measured(jobs, count, device)
        wanted, full, half = plain().colour, ready[FULL].posed(target).colour, ready[HALF].posed(target).colour
    return rates.ceiling(float((wanted - full).abs().max()), _told(rates.jobs, full, half))


def _views(side: int, device: torch.device) -> list[tuple[Tensor, Posture]]:
    """Photos of somebody, any colours in a disc, and the postures in them."""
    across = torch.linspace(-1, 1, side, device=device)
    disc = (across[:, None].square() + across.square() < 1 / 2).float()[None]
    stream = torch.Generator().manual_seed(0)
    colours = [torch.rand(3, side, side, generator=stream).to(device) * 2 - 1 for _ in range(MOST)]
    own = _postures(MOST, 0, device)
    return [
        (torch.cat([each * disc, disc])[None], Posture(own.joints[row : row + 1], own.bones[row : row + 1]))
        for row, each in enumerate(colours)
    ]


def _postures(count: int, seed: int, device: torch.device) -> Posture:
    theta = 0.3 * np.random.default_rng(seed).standard_normal((count, 24, 3)).astype(np.float32)
    return Poser("anny", np.zeros(27, np.float32)).posture(theta, device)


def _ready(network: Bottleneck, views: list[tuple[Tensor, Posture]], precision: str) -> FastBottleneck:
    dtype = torch.bfloat16 if precision == HALF else torch.float32
    return FastBottleneck(network, *views[0], network.aggregated(views), dtype)


def _plain(network: Bottleneck, views: list[tuple[Tensor, Posture]], target: Posture) -> Callable[[], Made]:
    count, (picture, own) = len(target.joints), views[0]
    volumes, pictures = network.aggregated(views[:1]), picture.expand(count, -1, -1, -1)

    def run() -> Made:
        places = network.places(pictures, own.expand(count), target)
        return network.decode(network.moved(volumes, places, target))

    return run


def _told(rates: tuple[Rate, ...], full: Tensor, half: Tensor) -> str:
    *alone, many = rates
    longer = many.seconds / alone[1].seconds
    return "\n".join([
        *compared("plain modules", alone, full, half, span=2),
        f"after {MOST} photos a frame takes {longer:.2f} times what it takes after one",
    ])
