"""Load the metrics that a user asks for; those that can't run are named with what they lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from retarget_cli.evaluation.scoring import Measures
from retarget_cli.metrics.base import FrameMetric, Info, Need, SetMetric
from retarget_cli.metrics.registry import Missing, make_metrics
from retarget_cli.weights.store import default_store


@dataclass(frozen=True, slots=True)
class Loaded:
    """Metrics that run, what they are, and those that can't."""

    measures: Measures
    infos: tuple[Info, ...]
    missing: tuple[Missing, ...]


NO_TRUTH = "needs true frames, and this protocol has none on these clips"
WITH_TRUTH = "retarget synth DIR makes clips whose truth is known"


def without_truth(loaded: Loaded) -> Loaded:
    """The same without metrics that compare with true frames; they are named among the missing."""
    kept = tuple(metric for metric in loaded.measures.of_frames if Need.TARGET not in metric.needs)
    gone = [info for metric in loaded.measures.of_frames if Need.TARGET in metric.needs for info in metric.infos]
    absent = tuple(Missing(info.key, info.name, NO_TRUTH, WITH_TRUTH) for info in gone)
    infos = tuple(info for info in loaded.infos if info not in gone)
    return Loaded(Measures(kept, loaded.measures.of_sets), infos, (*loaded.missing, *absent))


def load_measures(keys: Sequence[str], weights: Path | None, device: torch.device) -> Loaded:
    """Load metrics by key or group.

    Raises:
        UsageError: an unknown key.
    """
    metrics, missing = make_metrics(keys, default_store(weights), device)
    of_frames = tuple(metric for metric in metrics if isinstance(metric, FrameMetric))
    of_sets = tuple(metric for metric in metrics if isinstance(metric, SetMetric))
    infos = (*(info for metric in of_frames for info in metric.infos), *(metric.info for metric in of_sets))
    return Loaded(Measures(of_frames, of_sets), infos, tuple(missing))
