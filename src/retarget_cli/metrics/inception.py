"""FID: the Frechet distance of Inception features of whole frames."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from retarget_cli.metrics.base import Embedder, Info, SetMetric
from retarget_cli.metrics.batches import parts
from retarget_cli.networks.inception_fid import DIMENSIONS, UNUSED, FidInception
from retarget_cli.weights.store import Store

WEIGHTS = "inception-fid"


class InceptionDistance(SetMetric):
    """Heusel et al., GANs trained by a two time-scale update rule, 2017.

    Args:
        keys: `fid` alone.
        store: has the network.
        device: to compute on.

    Raises:
        WeightsError: the network is missing or damaged.
    """

    def __init__(self, keys: Sequence[str], store: Store, device: torch.device) -> None:
        (key,) = keys
        network = FidInception()
        digest = store.load_into(WEIGHTS, network, UNUSED)
        self._network, self._device = network.to(device), device
        self.info = Info(
            key,
            "FID",
            "squared Frechet distance of the 2048 numbers of Inception v3's last pool (network of 2015-12-05), whole "
            "frames enlarged to 299 x 299 as TensorFlow 1 did it",
            is_higher_better=False,
            implementation="retarget (Heusel et al., 2017, equation 6)",
            network=WEIGHTS,
            sha256=digest,
            is_set=True,
        )

    def begin(self) -> Embedder:
        return _Embedder(self._network, self._device)


class _Embedder(Embedder):
    def __init__(self, network: FidInception, device: torch.device) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def embed(self, pictures: Tensor) -> Tensor:
        found = [self._network(part).cpu() for _, part in parts(pictures, self._device)]
        return torch.cat(found) if found else torch.zeros(0, DIMENSIONS)
