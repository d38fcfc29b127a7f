"""FVD: the Frechet distance of I3D features of short clips."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.metrics.base import Embedder, Info, SetMetric
from retarget_cli.metrics.batches import parts, signed
from retarget_cli.networks.i3d import CLASSES, I3D, INPUT_SIZE
from retarget_cli.weights.store import Store

WEIGHTS = "i3d"
CLIP_FRAMES = 16


class VideoDistance(SetMetric):
    """Unterthiner et al., Towards accurate generative models of video, 2018.

    Args:
        keys: `fvd` alone.
        store: has the network.
        device: to compute on.

    Raises:
        WeightsError: the network is missing or damaged.
    """

    def __init__(self, keys: Sequence[str], store: Store, device: torch.device) -> None:
        (key,) = keys
        network = I3D()
        digest = store.load_into(WEIGHTS, network)
        self._network, self._device = network.to(device), device
        self.info = Info(
            key,
            "FVD",
            f"squared Frechet distance of the 400 logits of I3D, their mean over time, of {CLIP_FRAMES}-frame clips "
            f"that do not overlap (a shorter rest is left out), {INPUT_SIZE} x {INPUT_SIZE} bilinear, RGB in [-1, 1]; "
            "weights of ImageNet and Kinetics-400 instead of TensorFlow Hub's of Kinetics-400 alone, so compare only "
            "numbers of the same hash",
            is_higher_better=False,
            implementation="retarget (Unterthiner et al., 2018)",
            network=WEIGHTS,
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
