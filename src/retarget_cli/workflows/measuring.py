"""Load the metrics that a user asks for; those that can't run are named with what they lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from retarget_cli.evaluation.scoring import Measures
from retarget_cli.metrics.base import FrameMetric, Info, Need, SetMetric
from retarget_cli.metrics.registry import ENTRIES, Missing, expanded, make_metrics
from retarget_cli.weights.store import default_store


@dataclass(frozen=True, slots=True)
class Loaded:
    """Metrics that run, what they are, and those that can't."""

    measures: Measures
    infos: tuple[Info, ...]
    missing: tuple[Missing, ...]


NO_TRUTH = "needs true frames, and this protocol has none on these clips"
NO_PEOPLE = "looks for a person or a face, and this data set shows none"
WITH_PEOPLE = "retarget synth DIR makes clips of people"
WITH_TRUTH = "retarget synth DIR makes clips whose truth is known"


def without_truth(loaded: Loaded) -> Loaded:
    """The same without metrics that compare with true frames; they are named among the missing."""
    kept = tuple(metric for metric in loaded.measures.of_frames if Need.TARGET not in metric.needs)
    gone = [info for metric in loaded.measures.of_frames if Need.TARGET in metric.needs for info in metric.infos]
    absent = tuple(Missing(info.key, info.name, NO_TRUTH, WITH_TRUTH) for info in gone)
    infos = tuple(info for info in loaded.infos if info not in gone)
    return Loaded(Measures(kept, loaded.measures.of_sets), infos, (*loaded.missing, *absent))


def load_measures(
    keys: Sequence[str], weights: Path | None, device: torch.device, *, has_people: bool = True
) -> Loaded:
    """Load metrics by key or group.

    Args:
        keys: of metrics and groups.
        weights: a folder of learned metrics' weights, or None.
        device: where they compute.
        has_people: somebody is seen in what they are to measure; where nobody is, those that look for one are missing.

    Raises:
        UsageError: an unknown key.
    """
    wanted = expanded(keys)
    idle = [key for key in wanted if ENTRIES[key].is_of_people and not has_people]
    left = [key for key in wanted if key not in idle]
    metrics, missing = make_metrics(left, default_store(weights), device)
    absent = [Missing(key, ENTRIES[key].name, NO_PEOPLE, WITH_PEOPLE) for key in idle]
    of_frames = tuple(metric for metric in metrics if isinstance(metric, FrameMetric))
    of_sets = tuple(metric for metric in metrics if isinstance(metric, SetMetric))
    infos = (*(info for metric in of_frames for info in metric.infos), *(metric.info for metric in of_sets))
    return Loaded(Measures(of_frames, of_sets), infos, (*missing, *absent))
