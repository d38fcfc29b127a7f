"""How fast REMOT makes frames: `retarget bench --ceiling --backend remot`.

Beside what the machine can multiply, one frame of all three networks, with two frames before it: as the modules are,
and made ready in both precisions. All are timed in turn, round after round; medians count. Multiply-adds are those of
the plain modules' convolutions; likenesses of textures (equation 12) are not among them, but their time is.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.remot.backend import RemotBackend
from retarget_cli.backends.remot.design import CLASSES, COLOURS
from retarget_cli.backends.remot.model import Remot, Source
from retarget_cli.backends.remot.past import Past
from retarget_cli.backends.words import FULL, HALF
from retarget_cli.core.device import choose_device
from retarget_cli.networks.fast_residual import made_ready
from retarget_cli.workflows.bench_backend import opened
from retarget_cli.workflows.bench_ceiling import GIGA, Ceiling, Job, compared, macs, measured
from retarget_cli.workflows.bench_report import BenchOptions

# Of colours, -1 to 1.
_SPAN = 2


def measure_remot(options: BenchOptions) -> Ceiling:
    """Time a frame of the weights' own size; without any, of the first size, the height of the pictures."""
    device = choose_device(options.device).device
    backend = opened(options, device)
    assert isinstance(backend, RemotBackend)
    network = backend.network
    with torch.inference_mode():
        source, pose, past = _third_frame(network, device)
        kinds = {"plain": network, FULL: made_ready(network), HALF: made_ready(network, torch.bfloat16)}
        work = macs(network, lambda: network.frame(source, pose, past)) / GIGA
        height, width = network.design.size
        jobs: dict[str, Job] = {
            f"remot, {height}x{width}: {kind if made is network else f'ready, {kind}'}": (
                work, partial(made.frame, source, pose, past)
            )
            for kind, made in kinds.items()
        }  # fmt: skip
        rates = measured(jobs, 1, device)
        plain, full, half = (_person(made, source, pose, past) for made in kinds.values())
    note = "\n".join(compared("plain modules", rates.jobs, full, half, _SPAN))
    return rates.ceiling(float((plain - full).abs().max()), note)


def _person(network: Remot, source: Source, pose: Tensor, past: Past) -> Tensor:
    """(1, 3, H, W) in [-1, 1]."""
    return network.frame(source, pose, past)[0].person.float()


def _third_frame(network: Remot, device: torch.device) -> tuple[Source, Tensor, Past]:
    """The first frame that has two before it: a noisy person whose regions are bands from top to bottom."""
    height, width = network.design.size
    bands = torch.arange(height, device=device) * CLASSES // height
    layout = functional.one_hot(bands, CLASSES).float().T[None, :, :, None].expand(-1, -1, -1, width)
    person, pose = (torch.rand(1, COLOURS, height, width, device=device) * 2 - 1 for _ in range(2))
    source, past = network.source(person, layout.contiguous()), network.past(pose)
    for _ in range(2):
        _, past = network.frame(source, pose, past)
    return source, pose, past
