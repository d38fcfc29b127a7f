"""How fast pose2video makes frames: `retarget bench --ceiling --backend pose2video`.

Beside what the machine can multiply, both stages for a window of frames: as they were trained, where every frame of
stage II asks stage I for all its neighbours anew; with each frame of stage I made once; and made ready. Where there is
one stage, it and what is added to faces. All are timed in turn, round after round; medians count. Multiply-adds are
those of the plain modules.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from retarget_cli.backends.pose2video.backend import Pose2VideoBackend
from retarget_cli.backends.pose2video.design import Design
from retarget_cli.backends.pose2video.model import COLOURS, OUTPUTS, Pose2Video
from retarget_cli.backends.pose2video.skeleton import POINTS
from retarget_cli.backends.stage.limbs import LIMBS
from retarget_cli.backends.words import FULL, HALF, YES
from retarget_cli.core.device import choose_device
from retarget_cli.networks.fast_residual import made_ready
from retarget_cli.workflows.bench_backend import opened
from retarget_cli.workflows.bench_ceiling import GIGA, Ceiling, Job, macs, measured
from retarget_cli.workflows.bench_report import BenchOptions


def measure_film(options: BenchOptions) -> Ceiling:
    """Time all stages at the weights' own size; without any, at the first size, the height of the pictures."""
    device = choose_device(options.device).device
    backend = opened(options, device, generic=YES)
    assert isinstance(backend, Pose2VideoBackend)
    network, window = backend.network, backend.spec.window
    design, all_of = network.design, _film(network.design, window, device)
    head = f"pose2video, {design.size[0]}x{design.size[1]}"
    with torch.inference_mode():
        ready = {FULL: made_ready(network), HALF: made_ready(network, torch.bfloat16)}
        work = macs(network, lambda: all_of(network, 1)) / window / GIGA
        jobs: dict[str, Job] = {}
        if network.second is not None:
            anew = macs(network, lambda: all_of(network, design.seen)) / window / GIGA
            jobs[f"{head}: neighbours anew"] = anew, lambda: all_of(network, design.seen)
        jobs[f"{head}: each once"] = work, lambda: all_of(network, 1)
        jobs |= {f"{head}: each once, ready, {kind}": (work, partial(all_of, made, 1)) for kind, made in ready.items()}
        rates = measured(jobs, window, device)
        apart = float((all_of(network, 1) - all_of(ready[FULL], 1)).abs().max())
    return rates.ceiling(apart)


def _film(design: Design, window: int, device: torch.device) -> Callable[[Pose2Video, int], Tensor]:
    """What makes colours (window, 3, h, w) by a network, its first stage so many times."""
    # Laid as `beside` hands them over.
    drawn, frames = (
        torch.rand(window, design.seen * channels, *design.size, device=device).contiguous(
            memory_format=torch.channels_last
        )
        for channels in (LIMBS, OUTPUTS)
    )
    given = torch.cat([drawn, frames[:, :COLOURS]], 1) if design.is_recursive else drawn
    tree = torch.zeros(window, POINTS, 3, device=device)

    def film(of: Pose2Video, times: int) -> Tensor:
        for _ in range(times):
            made = of.faced(of.first(given), drawn, tree)
        colours: Tensor = made.colours if of.second is None else of.second(frames).colours
        return colours

    return film
