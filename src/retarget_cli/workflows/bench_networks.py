"""`retarget bench --ceiling`: whose networks are measured, and by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from retarget_cli.backends.bottleneck.backend import BottleneckBackend
from retarget_cli.backends.pose2video.backend import Pose2VideoBackend
from retarget_cli.backends.remot.backend import RemotBackend
from retarget_cli.core.device import choose_device
from retarget_cli.workflows.bench_bottleneck import measure_bottleneck
from retarget_cli.workflows.bench_ceiling import Ceiling, measure_ceiling
from retarget_cli.workflows.bench_family import is_led, measure_family
from retarget_cli.workflows.bench_film import measure_film
from retarget_cli.workflows.bench_remot import measure_remot
from retarget_cli.workflows.bench_report import BenchOptions

_OWN: Mapping[str, Callable[[BenchOptions], Ceiling]] = MappingProxyType({
    BottleneckBackend.name: measure_bottleneck, Pose2VideoBackend.name: measure_film, RemotBackend.name: measure_remot,
})  # fmt: skip


def measure_networks(source: Path, driving: Path, options: BenchOptions) -> Ceiling:
    """Time the networks of `options.backend`, or of liquid-warp for a method that has none of its own.

    Args:
        source, driving: photo and clip, of methods that are led by pixels.
        options: what is measured.
    """
    if is_led(options.backend):
        return measure_family(source, driving, options)
    own = _OWN.get(options.backend)
    return measure_ceiling(choose_device(options.device).device) if own is None else own(options)
