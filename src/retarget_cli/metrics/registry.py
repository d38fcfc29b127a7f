"""Names of metrics, and how they are made; a metric's module is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from retarget_cli.core.errors import UsageError, WeightsError

if TYPE_CHECKING:
    import torch

    from retarget_cli.metrics.base import FrameMetric, SetMetric
    from retarget_cli.weights.store import Store


@dataclass(frozen=True, slots=True)
class Entry:
    """A metric before it is made.

    Attributes:
        key: on the command line and in files.
        name: in tables.
        factory: "module:callable" below `metrics`; called with the keys wanted of it and, where it needs weights,
            with the store and the device. Metrics of one factory and the same weights are one object.
        weights: keys of the catalog.
        is_of_people: it looks for a person or a face, and means nothing where nobody is.
    """

    key: str
    name: str
    factory: str
    weights: tuple[str, ...] = ()
    is_of_people: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """A metric that can't run: why, and the command that makes it run."""

    key: str
    name: str
    reason: str
    command: str


_ENTRIES = (
    Entry("l1", "L1", "pixel:PixelMetrics"),
    Entry("psnr", "PSNR", "pixel:PixelMetrics"),
    Entry("ssim", "SSIM", "pixel:PixelMetrics"),
    Entry("ms-ssim", "MS-SSIM", "pixel:PixelMetrics"),
    Entry("mask-psnr", "mask-PSNR", "pixel:PixelMetrics"),
    Entry("mask-ssim", "mask-SSIM", "pixel:PixelMetrics"),
    Entry("person-psnr", "person-PSNR", "pixel:PixelMetrics"),
    Entry("person-ssim", "person-SSIM", "pixel:PixelMetrics"),
    Entry("lpips-alex", "LPIPS (AlexNet)", "perceptual:LpipsMetric", ("alexnet",)),
    Entry("lpips-vgg", "LPIPS (VGG)", "perceptual:LpipsMetric", ("vgg16",)),
    Entry("fid", "FID", "inception:InceptionDistance", ("inception-fid",)),
    Entry("fvd", "FVD", "video_frechet:VideoDistance", ("i3d",)),
    Entry("fvd-kinetics", "FVD (Kinetics)", "video_frechet:VideoDistance", ("i3d-kinetics",)),
    Entry("csim", "CSIM", "identity:body_similarity", ("osnet",), is_of_people=True),
    Entry("body-cs", "Body-CS", "identity:body_similarity", ("osnet",), is_of_people=True),
    Entry("face-cs", "Face-CS", "identity:face_similarity", ("face",), is_of_people=True),
    Entry("body-fd", "Body-FD", "identity:body_distance", ("osnet",), is_of_people=True),
    Entry("face-fd", "Face-FD", "identity:face_distance", ("face",), is_of_people=True),
    Entry("tcm", "TCM", "temporal:TemporalMetrics"),
    Entry("warp-error", "warping error", "temporal:without_truth"),
    Entry("akd", "AKD", "keypoints:Keypoints", is_of_people=True),
    Entry("mkr", "MKR", "keypoints:Keypoints", is_of_people=True),
    Entry("face-akd", "face AKD", "keypoints:Keypoints", is_of_people=True),
    Entry("face-mkr", "face MKR", "keypoints:Keypoints", is_of_people=True),
)

ENTRIES = {entry.key: entry for entry in _ENTRIES}

METRICS: dict[str, str] = {entry.key: f"{__package__}.{entry.factory}" for entry in _ENTRIES}
"""key -> "module:factory"."""

GROUPS: dict[str, tuple[str, ...]] = {
    "pixels": tuple(entry.key for entry in _ENTRIES if entry.factory == "pixel:PixelMetrics"),
    "no-weights": tuple(entry.key for entry in _ENTRIES if not entry.weights),
    "all": tuple(METRICS),
}


def names() -> list[str]:
    """Keys, in the order of tables."""
    return list(METRICS)


def expanded(keys: Sequence[str]) -> list[str]:
    """Groups replaced by their metrics, without repetition, in the order given.

    Raises:
        UsageError: neither a metric nor a group.
    """
    found: dict[str, None] = {}
    for key in keys:
        if key in GROUPS:
            found.update(dict.fromkeys(GROUPS[key]))
        elif key in METRICS:
            found[key] = None
        else:
            near = get_close_matches(key, [*METRICS, *GROUPS], n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"no metric is called {key!r}", f"{guess}known: {', '.join(METRICS)}; groups: {', '.join(GROUPS)}"
            )
    return list(found)


def make_metrics(
    keys: Sequence[str], store: Store, device: torch.device
) -> tuple[list[FrameMetric | SetMetric], list[Missing]]:
    """Load what was asked for.

    Args:
        keys: metrics and groups.
        store: has the weights.
        device: for networks.

    Returns:
        Metrics that run, each of which may answer to several keys, and keys that lack weights.

    Raises:
        UsageError: neither a metric nor a group.
    """
    wanted: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for key in expanded(keys):
        wanted.setdefault((METRICS[key], ENTRIES[key].weights), []).append(key)
    made: list[FrameMetric | SetMetric] = []
    missing: list[Missing] = []
    for (factory, _), own in wanted.items():
        try:
            made.append(_made(factory, own, store, device))
        except WeightsError as error:
            missing += [Missing(key, ENTRIES[key].name, error.message, error.hint) for key in own]
    return made, missing


def _made(factory: str, keys: list[str], store: Store, device: torch.device) -> FrameMetric | SetMetric:
    module, _, name = factory.partition(":")
    make = getattr(import_module(module), name)
    found: FrameMetric | SetMetric = make(keys, store, device) if ENTRIES[keys[0]].weights else make(keys)
    return found
