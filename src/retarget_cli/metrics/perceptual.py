"""LPIPS, on whole frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from retarget_cli.core.motion import FloatArray
from retarget_cli.metrics.base import FrameMetric, Frames, Info, Need, Scorer
from retarget_cli.metrics.batches import parts, signed
from retarget_cli.networks.classic import UNUSED, alexnet, vgg
from retarget_cli.networks.lpips import ALEXNET_CHANNELS, VGG_CHANNELS, Lpips, LpipsHeads
from retarget_cli.weights.hashing import sha256_of
from retarget_cli.weights.lpips_heads import heads_path, heads_version
from retarget_cli.weights.state import load_into, read_state
from retarget_cli.weights.store import Store

LEAST_SIDE = 64
"""Pixels; less leaves AlexNet nothing to pool."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the two: names in tables, in the catalog and in torchmetrics."""

    name: str
    weights: str
    heads: str


_KINDS = {
    "lpips-alex": _Kind("LPIPS (AlexNet)", "alexnet", "alex"),
    "lpips-vgg": _Kind("LPIPS (VGG)", "vgg16", "vgg"),
}
KEYS = tuple(_KINDS)


class LpipsMetric(FrameMetric):
    """Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018.

    Args:
        keys: some of `KEYS`.
        store: has the backbones.
        device: to compute on.

    Raises:
        WeightsError: a backbone or its heads are missing or damaged.
    """

    needs = frozenset({Need.TARGET})

    def __init__(self, keys: Sequence[str], store: Store, device: torch.device) -> None:
        self._device = device
        self._networks: dict[str, Lpips] = {}
        infos = []
        for key in keys:
            self._networks[key], info = _loaded(key, store, device)
            infos.append(info)
        self.infos = tuple(infos)

    def begin(self) -> Scorer:
        return _Scorer(self._networks, self._device)


class _Scorer(Scorer):
    def __init__(self, networks: dict[str, Lpips], device: torch.device) -> None:
        self._networks, self._device = networks, device

    @torch.inference_mode()
    def score(self, frames: Frames) -> dict[str, FloatArray]:
        found = {key: np.full(len(frames), np.nan, dtype=np.float32) for key in self._networks}
        target = frames.target
        if target is None or min(frames.rendered.shape[-2:]) < LEAST_SIDE:
            return found
        pairs = zip(parts(frames.rendered, self._device), parts(target, self._device), strict=True)
        for (chosen, rendered), (_, truth) in pairs:
            for key, network in self._networks.items():
                found[key][chosen] = network(signed(rendered), signed(truth)).cpu().numpy()
        return found


def _loaded(key: str, store: Store, device: torch.device) -> tuple[Lpips, Info]:
    kind = _KINDS[key]
    is_alex = kind.heads == "alex"
    backbone = alexnet() if is_alex else vgg(16)
    digest = store.load_into(kind.weights, backbone, UNUSED)
    heads = LpipsHeads(ALEXNET_CHANNELS if is_alex else VGG_CHANNELS)
    path = heads_path(kind.heads)
    load_into(heads, read_state(path), f"the LPIPS heads {kind.heads}")
    network = Lpips(backbone, heads).eval().requires_grad_(False).to(device)
    info = Info(
        key,
        kind.name,
        "weighed distance of features of whole frames at their own size, RGB in [-1, 1] (Zhang et al., 2018)",
        is_higher_better=False,
        implementation=f"retarget, LPIPS v0.1 heads of {heads_version()} (sha256 {sha256_of(path)[:16]})",
        network=kind.weights,
        sha256=digest,
    )
    return network, info
