"""`retarget bench --ceiling`: whose networks are measured, and by what."""

from __future__ import annotations

from pathlib import Path

from retarget_cli.backends.bottleneck.backend import NAME
from retarget_cli.core.device import choose_device
from retarget_cli.workflows.bench_bottleneck import measure_bottleneck
from retarget_cli.workflows.bench_ceiling import Ceiling, measure_ceiling
from retarget_cli.workflows.bench_family import is_led, measure_family
from retarget_cli.workflows.bench_report import BenchOptions


def measure_networks(source: Path, driving: Path, options: BenchOptions) -> Ceiling:
    """Time the networks of `options.backend`, or of liquid-warp for a method that has none of its own.

    Args:
        source, driving: photo and clip, of methods that are led by pixels.
        options: what is measured.
    """
    if is_led(options.backend):
        return measure_family(source, driving, options)
    if options.backend == NAME:
        return measure_bottleneck(options)
    return measure_ceiling(choose_device(options.device).device)
