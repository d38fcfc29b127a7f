"""FVD: the Frechet distance of I3D features of short clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.metrics.base import Embedder, Info, SetMetric
from retarget_cli.metrics.batches import parts, signed
from retarget_cli.networks.blocks import TENSORFLOW_EPSILON
from retarget_cli.networks.i3d import CLASSES, I3D, INPUT_SIZE
from retarget_cli.weights.store import Store

CLIP_FRAMES = 16


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the two: the name in tables and in the catalog, batch normalization's epsilon, and what to know."""

    name: str
    weights: str
    epsilon: float
    note: str


_KINDS = {
    "fvd": _Kind(
        "FVD",
        "i3d",
        TENSORFLOW_EPSILON,
        "weights of ImageNet and Kinetics-400, not TensorFlow Hub's of most papers: compare numbers of one hash only",
    ),
    "fvd-kinetics": _Kind(
        "FVD (Kinetics)",
        "i3d-kinetics",
        1e-5,
        "TensorFlow Hub's weights of Kinetics-400 as VideoGPT converted them",
    ),
}
KEYS = tuple(_KINDS)


class VideoDistance(SetMetric):
    """Unterthiner et al., Towards accurate generative models of video, 2018.

    Args:
        keys: one of `KEYS`.
        store: has the network.
        device: to compute on.

    Raises:
        WeightsError: the network is missing or damaged.
    """

    def __init__(self, keys: Sequence[str], store: Store, device: torch.device) -> None:
        (key,) = keys
        kind = _KINDS[key]
        network = I3D(kind.epsilon)
        digest = store.load_into(kind.weights, network)
        self._network, self._device = network.to(device), device
        self.info = Info(
            key,
            kind.name,
            f"squared Frechet distance of the 400 logits of I3D, their mean over time, of {CLIP_FRAMES}-frame clips "
            f"that do not overlap (a shorter rest is left out), {INPUT_SIZE} x {INPUT_SIZE} bilinear, RGB in [-1, 1]; "
            f"{kind.note}",
            is_higher_better=False,
            implementation="retarget (Unterthiner et al., 2018)",
            network=kind.weights,
            sha256=digest,
            is_set=True,
        )

    def begin(self) -> Embedder:
        return ClipEmbedder(self._network, self._device)


class ClipEmbedder(Embedder):
    """Gathers frames of one clip over windows until a network's clip is full.

    Args:
        network: (1, 3, 16, 224, 224) in [-1, 1] -> (1, 400).
        device: that it lies on.
    """

    def __init__(self, network: torch.nn.Module, device: torch.device) -> None:
        self._network, self._device = network, device
        self._waiting: list[Tensor] = []

    @torch.inference_mode()
    def embed(self, pictures: Tensor) -> Tensor:
        found = []
        size = (INPUT_SIZE, INPUT_SIZE)
        for _, part in parts(pictures, self._device):
            # Without smoothing, as the original resizes.
            small = functional.interpolate(part, size=size, mode="bilinear", align_corners=False)
            self._waiting += list(signed(small))
            while len(self._waiting) >= CLIP_FRAMES:
                clip = torch.stack(self._waiting[:CLIP_FRAMES], dim=1)
                del self._waiting[:CLIP_FRAMES]
                found.append(self._network(clip[None]).cpu())
        return torch.cat(found) if found else torch.zeros(0, CLASSES)
