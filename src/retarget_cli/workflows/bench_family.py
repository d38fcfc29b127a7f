"""How fast the self-appearance family makes pictures, beside the published way and what the machine can multiply:
`retarget bench --ceiling --backend first-order`.

All are timed in turn, round after round; medians count. Multiply-adds are counted as the plain modules take them; the
ready networks take fewer where they enlarge. The source's own are left out of theirs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.registry import backend_class, make_backend
from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.backend import Family
from retarget_cli.backends.self_appearance.first_order import FirstOrder
from retarget_cli.backends.self_appearance.model import SelfAppearance
from retarget_cli.backends.self_appearance.performer import Puppet, laid_in
from retarget_cli.backends.words import FULL, HALF
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.footage import spliced
from retarget_cli.core.progress import Silence
from retarget_cli.workflows.bench_ceiling import GIGA, Ceiling, Job, Rate, compared, macs, measured
from retarget_cli.workflows.bench_report import BenchOptions
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.leading import Lead, open_footage
from retarget_cli.workflows.pixels import pictures_of

PORT = Path("benchmarks", "per_frame.py")


class Port(Protocol):
    """The published way; see the file itself."""

    def __call__(self, network: nn.Module, views: Tensor, driving: Tensor) -> Iterator[Tensor]: ...


def measure_family(source: Path, driving: Path, options: BenchOptions) -> Ceiling:
    """Time the port, and the backend in both precisions, at the first size, with the clip's first frames.

    Raises:
        UsageError: the backend is of another kind.
        InputError: this is no checkout: the port is not there.
    """
    backend, device = _backend(options), choose_device(options.device).device
    window, side = backend.spec.window, options.sizes[0]
    views, clip = _squares(source, driving, side, window, device)
    port, head = load_port(), f"{options.backend}, {side} px:"
    network = backend.network

    def published() -> list[Tensor]:
        return list(port(network, views[:1], clip))

    with torch.inference_mode():
        puppets = {each: backend.puppet(views[:1], each) for each in (FULL, HALF)}
        whole = macs(network, published) / window / GIGA
        work = _work(network, views[:1], clip)
        jobs: dict[str, Job] = {f"{head} published way": (whole, published)}
        jobs |= {f"{head} ready, {each}": (work, _making(puppet, clip)) for each, puppet in puppets.items()}
        for more in range(1, min(backend.most_views, len(views))):
            seen = views[: more + 1]
            making = _making(backend.puppet(seen, FULL), clip)
            jobs[f"{head} ready, {FULL}, references: {more}"] = _work(network, seen, clip), making
        rates = measured(jobs, window, device)
        plain = torch.cat(published())
        full, half = (puppet.made(puppet.parts(clip), clip).float() for puppet in puppets.values())
    return rates.ceiling(float((plain - full).abs().max()), _told(rates.jobs, full, half))


def _backend(options: BenchOptions) -> Family:
    if not issubclass(backend_class(options.backend), Family):
        raise UsageError(f"--ceiling: --backend {options.backend} is not measured so", "first-order, articulated, ...")
    made = make_backend(options.backend, dict(options.settings), choose_device(options.device).device)
    assert isinstance(made, Family)
    return made


def is_led(backend: str) -> bool:
    """Whether a method is led by pixels."""
    return backend_class(backend).spec.is_led_by_pixels


def load_port() -> Port:
    """The published way, from the checkout that this package lies in.

    Raises:
        InputError: it lies in none.
    """
    path = Path(__file__).parents[3] / PORT
    spec = importlib.util.spec_from_file_location(PORT.stem, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise InputError(f"{PORT} is not here", "it comes with the source code, not with the installed package")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(Port, module.per_frame)


def _squares(source: Path, driving: Path, side: int, window: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Views and driving frames (B, 3, side, side)."""
    images = list(pictures_of([source, driving], Silence()))
    with open_footage(Lead(driving, Excerpt(max_frames=window)), Silence()) as (_, parts):
        clip = spliced(list(parts)).pictures
    pictures = [laid_in(each, side, device) for each in (*(image[None] for image in images), clip)]
    *views, frames = [functional.interpolate(each, (side, side), mode="area") for each in pictures]
    return torch.cat(views), frames


def _making(puppet: Puppet, clip: Tensor) -> Callable[[], object]:
    return lambda: puppet.made(puppet.parts(clip), clip)


def _work(network: nn.Module, views: Tensor, clip: Tensor) -> float:
    """GMAC of a frame, when the views have been encoded."""
    if isinstance(network, SelfAppearance):
        encoded = [network.encode(view[None]) for view in views]
        return macs(network, lambda: network(encoded, network.detector(clip))) / len(clip) / GIGA
    assert isinstance(network, FirstOrder | Articulated)
    finder = network.detector if isinstance(network, FirstOrder) else network.regions
    source = network.encode(views[:1])
    return macs(network, lambda: network(source, finder(clip))) / len(clip) / GIGA


def _told(rates: Sequence[Rate], full: Tensor, half: Tensor) -> str:
    alone, others = rates[:3], rates[3:]
    lines = compared("published way", alone, full, half, span=1)
    if others:
        each = (others[-1].seconds - alone[1].seconds) / len(others)
        lines.append(f"every reference takes {1000 * each:.1f} ms of a frame")
    return "\n".join(lines)
