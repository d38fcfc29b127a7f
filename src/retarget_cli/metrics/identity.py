"""Is it the same person? CSIM, Body-CS and Face-CS of frames; Body-FD and Face-FD of sets.

Body-CS, Face-CS, Body-FD, Face-FD: Liu et al., Liquid Warping GAN with attention, 2021, section 4.3. CSIM on human
bodies, against the source: Ren et al. and others; Xu et al., Self-appearance-aided motion transfer, 2022, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from retarget_cli.core.motion import FloatArray
from retarget_cli.metrics.base import Embedder, FrameMetric, Frames, Info, Need, Scorer, SetMetric
from retarget_cli.metrics.batches import normalized
from retarget_cli.metrics.crops import FACES_BY, PERSONS_BY, Detector, crops, find_face, find_person, stacked
from retarget_cli.networks import inception_resnet, osnet
from retarget_cli.networks.classic import IMAGENET_DEVIATION, IMAGENET_MEAN
from retarget_cli.weights.store import Store

_IMPLEMENTATION = "retarget (Liu et al., 2021, section 4.3)"
_AT_ONCE = 16


class Identities:
    """Embeddings of the person, or the face, in pictures.

    Args:
        detector: where to cut.
        size: (height, width) of the crops.
        prepare: crops (N, 3, *size) in [0, 255] -> what the network takes.
        network: -> (N, D).
        dimensions: D.
        device: that the network lies on.
    """

    def __init__(
        self,
        detector: Detector,
        size: tuple[int, int],
        prepare: Callable[[Tensor], Tensor],
        network: nn.Module,
        dimensions: int,
        device: torch.device,
    ) -> None:
        self.dimensions = dimensions
        self._detector, self._size, self._prepare = detector, size, prepare
        self._network, self._device = network.to(device), device

    @torch.inference_mode()
    def of(self, pictures: Tensor) -> list[Tensor | None]:
        """(D,) float32 for each of the pictures (T, 3, H, W) uint8; None where nobody is found."""
        found: list[Tensor | None] = [None] * len(pictures)
        indices, batch = stacked(crops(pictures, self._detector, self._size))
        if batch is None:
            return found
        embedded = [self._network(self._prepare(part.to(self._device))).cpu() for part in torch.split(batch, _AT_ONCE)]
        for index, embedding in zip(indices, torch.cat(embedded), strict=True):
            found[index] = embedding
        return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a similarity compares the rendered frame with.

    Attributes:
        info: of the metric.
        is_to_source: with the source in any case; else with the target, and with the source where there is none.
    """

    info: Info
    is_to_source: bool


class Similarity(FrameMetric):
    """Cosines of embeddings; several comparisons share the embedding of a rendered frame.

    A frame has no value where its counterpart shows nobody, and 0 where only the rendered frame shows nobody: to lose
    the person must not pay.
    """

    def __init__(self, comparisons: Sequence[Comparison], identities: Identities) -> None:
        self._comparisons, self._identities = tuple(comparisons), identities
        self.infos = tuple(each.info for each in comparisons)
        if all(each.is_to_source for each in comparisons):
            self.needs = frozenset({Need.SOURCE})

    def begin(self) -> Scorer:
        return _Scorer(self._comparisons, self._identities)


class _Scorer(Scorer):
    def __init__(self, comparisons: Sequence[Comparison], identities: Identities) -> None:
        self._comparisons, self._identities = comparisons, identities
        self._source: list[Tensor] | None = None

    def score(self, frames: Frames) -> dict[str, FloatArray]:
        rendered = self._identities.of(frames.rendered)
        count = len(rendered)
        beside: list[list[Tensor]] = [[] for _ in range(count)]
        target = frames.target
        if target is not None and not all(each.is_to_source for each in self._comparisons):
            beside = [[] if found is None else [found] for found in self._identities.of(target)]
        values = {}
        for each in self._comparisons:
            is_to_source = each.is_to_source or target is None
            references = [self._of_source(frames)] * count if is_to_source else beside
            pairs = zip(rendered, references, strict=True)
            values[each.info.key] = np.array([_similarity(ours, theirs) for ours, theirs in pairs], dtype=np.float32)
        return values

    def _of_source(self, frames: Frames) -> list[Tensor]:
        """Embeddings of the source's pictures; the same in all windows of a clip."""
        if self._source is None:
            found = [] if frames.source is None else self._identities.of(frames.source)
            self._source = [embedding for embedding in found if embedding is not None]
        return self._source


def _similarity(rendered: Tensor | None, references: Sequence[Tensor]) -> float:
    """Mean cosine; in [-1, 1]."""
    if not references:
        return float("nan")
    if rendered is None:
        return 0.0
    cosines = torch.nn.functional.cosine_similarity(rendered[None], torch.stack(list(references)))
    return float(cosines.mean())


class IdentityDistance(SetMetric):
    """Frechet distance of embeddings of all frames in which somebody is found."""

    def __init__(self, info: Info, identities: Identities) -> None:
        self.info, self._identities = info, identities

    def begin(self) -> Embedder:
        return _Embedder(self._identities)


class _Embedder(Embedder):
    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def embed(self, pictures: Tensor) -> Tensor:
        found = [embedding for embedding in self._identities.of(pictures) if embedding is not None]
        return torch.stack(found) if found else torch.zeros(0, self._identities.dimensions)


def bodies(store: Store, device: torch.device) -> tuple[Identities, str]:
    """OSNet on persons, and the sha256 of its weights.

    Raises:
        WeightsError: they are missing or damaged.
    """
    network = osnet.OSNet()
    digest = store.load_into("osnet", network, osnet.UNUSED)

    def prepare(pictures: Tensor) -> Tensor:
        return normalized(pictures, IMAGENET_MEAN, IMAGENET_DEVIATION)

    return Identities(find_person, osnet.INPUT_SIZE, prepare, network, osnet.DIMENSIONS, device), digest


def faces(store: Store, device: torch.device) -> tuple[Identities, str]:
    """Inception-ResNet on faces, and the sha256 of its weights.

    Raises:
        WeightsError: they are missing or damaged.
    """
    network = inception_resnet.InceptionResnetV1()
    digest = store.load_into("face", network, inception_resnet.UNUSED)
    size = (inception_resnet.INPUT_SIZE, inception_resnet.INPUT_SIZE)

    def prepare(pictures: Tensor) -> Tensor:
        return (pictures - 127.5) / 128

    return Identities(find_face, size, prepare, network, inception_resnet.DIMENSIONS, device), digest


_OF_BODIES = f"OSNet x1.0 embeddings of the person, found by {PERSONS_BY},"
_OF_FACES = f"Inception-ResNet v1 embeddings of the face, found by {FACES_BY},"
_TO_TARGET = "in the rendered and the true frame; where there is no true frame, in the source pictures (mean)"
_TO_SOURCE = "in the rendered frame and the source pictures (mean)"
_LOST = "; 0 where only the rendered frame shows none"
_SETS = "of all rendered and all real frames that show one"


def body_similarity(keys: Sequence[str], store: Store, device: torch.device) -> Similarity:
    """`csim`, `body-cs`.

    Raises:
        WeightsError: the network is missing or damaged.
    """
    identities, digest = bodies(store, device)
    known = {
        "csim": ("CSIM", f"cosine of {_OF_BODIES} {_TO_SOURCE}{_LOST}", True),
        "body-cs": ("Body-CS", f"cosine of {_OF_BODIES} {_TO_TARGET}{_LOST}", False),
    }
    return Similarity([_comparison(key, *known[key], "osnet", digest) for key in keys], identities)


def face_similarity(keys: Sequence[str], store: Store, device: torch.device) -> Similarity:
    """`face-cs`.

    Raises:
        WeightsError: the network is missing or damaged.
    """
    (key,) = keys
    identities, digest = faces(store, device)
    meaning = f"cosine of {_OF_FACES} {_TO_TARGET}{_LOST}"
    return Similarity([_comparison(key, "Face-CS", meaning, False, "face", digest)], identities)


def _comparison(key: str, name: str, meaning: str, is_to_source: bool, network: str, digest: str) -> Comparison:
    info = Info(key, name, meaning, True, implementation=_IMPLEMENTATION, network=network, sha256=digest)
    return Comparison(info, is_to_source)


def body_distance(keys: Sequence[str], store: Store, device: torch.device) -> IdentityDistance:
    """`body-fd`.

    Raises:
        WeightsError: the network is missing or damaged.
    """
    (key,) = keys
    identities, digest = bodies(store, device)
    return IdentityDistance(_of_sets(key, "Body-FD", _OF_BODIES, "osnet", digest), identities)


def face_distance(keys: Sequence[str], store: Store, device: torch.device) -> IdentityDistance:
    """`face-fd`.

    Raises:
        WeightsError: the network is missing or damaged.
    """
    (key,) = keys
    identities, digest = faces(store, device)
    return IdentityDistance(_of_sets(key, "Face-FD", _OF_FACES, "face", digest), identities)


def _of_sets(key: str, name: str, what: str, network: str, digest: str) -> Info:
    meaning = f"squared Frechet distance of {what} {_SETS}"
    return Info(key, name, meaning, False, implementation=_IMPLEMENTATION, network=network, sha256=digest, is_set=True)
