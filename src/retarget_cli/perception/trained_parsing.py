"""Parsing by SCHP's released networks, where the user has imported one: garments of people at large, no body needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.core.layout import Labels, Region
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.networks.schp import HumanParser
from retarget_cli.perception.regions import BoolArray
from retarget_cli.weights.checkpoints import read_weights
from retarget_cli.weights.importing import Recogniser
from retarget_cli.weights.inventory import kept_files
from retarget_cli.weights.state import fitted

NAME, LABELS = "parsing", "labels"
"""What files of weights call the method, and the word of their design for the set of labels."""
ORIGIN = "https://github.com/GoGoDuck912/Self-Correction-Human-Parsing"
# Of blue, green, red, as the networks take them.
_MEAN, _DEVIATION = (0.406, 0.456, 0.485), (0.225, 0.224, 0.229)
# Side of the square that is read, against the longer side of the person's box.
_AROUND = 1.2
_B, _H, _T, _L, _S, _X = (
    Region.BACKGROUND, Region.HEAD, Region.TOP, Region.BOTTOM, Region.SHOES, Region.LIMBS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels of a public data set.

    Attributes:
        title: for people.
        side: pixels a side of the pictures that its network reads.
        merged: the class of each label.
    """

    title: str
    side: int
    merged: tuple[Region, ...]


LABEL_SETS: Mapping[str, LabelSet] = MappingProxyType(
    {
        # background, hat, hair, sunglasses, upper clothes, skirt, trousers, dress, belt, shoe, shoe, face, leg, leg,
        # arm, arm, bag, scarf
        "atr": LabelSet(
            "ATR, 18 labels", 512, (_B, _H, _H, _H, _T, _L, _L, _T, _L, _S, _S, _H, _X, _X, _X, _X, _B, _T)
        ),
        # background, hat, hair, glove, sunglasses, upper clothes, dress, coat, socks, trousers, jumpsuit, scarf, skirt,
        # face, arm, arm, leg, leg, shoe, shoe
        "lip": LabelSet(
            "LIP, 20 labels", 473, (_B, _H, _H, _X, _H, _T, _T, _T, _X, _L, _T, _T, _L, _H, _X, _X, _X, _X, _S, _S)
        ),
    }
)  # fmt: skip


class TrainedParser:
    """A network and the labels that it gives.

    Args:
        network: in evaluation mode, on its device.
        labels: of `network`'s classes.
        name: of the weights; for people.
    """

    def __init__(self, network: HumanParser, labels: LabelSet, name: str) -> None:
        self._network, self._labels, self.name = network, labels, name
        self._device = network.conv1.weight.device

    def layout(self, image: Image, mask: FloatArray) -> Labels:
        """(H, W) uint8: a `Region` each; the mask (H, W) in [0, 1] says who is meant, and all of him is of a class.

        What he holds is of the class that suits it best, since it is a part of him in the mask.
        """
        solid = mask > 0.5
        found = np.zeros(solid.shape, np.uint8)
        if not solid.any():
            return found
        square = _square(solid)
        shares = self._shares(_cut(image, square))
        x, y, side = square
        whole = cv2.resize(shares[..., 1:], (side, side), interpolation=cv2.INTER_LINEAR)
        rows, columns = (slice(max(0, at), min(most, at + side)) for at, most in zip((y, x), solid.shape, strict=True))
        part = whole[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
        found[rows, columns] = np.where(solid[rows, columns], part.argmax(-1) + 1, 0)
        return found

    def _shares(self, square: Image) -> FloatArray:
        """(S, S, 6) probabilities of the classes in a square picture (any, any, 3)."""
        side = self._labels.side
        small = cv2.resize(square, (side, side), interpolation=cv2.INTER_LINEAR)
        picture = torch.from_numpy(np.ascontiguousarray(small[..., ::-1])).to(self._device).float() / 255
        normal = (picture - torch.tensor(_MEAN, device=self._device)) / torch.tensor(_DEVIATION, device=self._device)
        with torch.inference_mode():
            scores: Tensor = self._network(normal.permute(2, 0, 1)[None])
            scores = functional.interpolate(scores, (side, side), mode="bilinear", align_corners=True)
            merged = scores.new_zeros(len(Region), side, side)
            rows = torch.tensor(self._labels.merged, device=self._device)
            merged.index_add_(0, rows, scores[0].softmax(0))
        return np.ascontiguousarray(merged.permute(1, 2, 0).cpu().numpy())


def find_trained(device: torch.device) -> TrainedParser | None:
    """The first imported network in the folders that are searched for weights; None where there is none.

    It is read once, and again when its file changes: a training asks for every example.

    Raises:
        WeightsError: the file is damaged.
    """
    for kept in kept_files():
        labels = "" if kept.label is None else kept.label.design.get(LABELS, "")
        if kept.backend == NAME and not kept.fault and labels in LABEL_SETS:
            return _loaded(kept.path, kept.name, labels, device, kept.path.stat().st_mtime_ns)
    return None


@lru_cache(maxsize=1)
def _loaded(path: Path, name: str, labels: str, device: torch.device, stamp: int) -> TrainedParser:
    """The network in a file; with another `stamp` it is another file."""
    state, _ = read_weights(path, NAME)
    chosen = LABEL_SETS[labels]
    network = fitted(lambda: HumanParser(len(chosen.merged)), state, path.name)
    return TrainedParser(network.to(device).eval().requires_grad_(False), chosen, name)


def recognisers() -> tuple[Recogniser, ...]:
    """SCHP's checkpoints of both sets of labels, for `retarget weights import`."""
    return tuple(_recogniser(name, labels) for name, labels in LABEL_SETS.items())


def _recogniser(name: str, labels: LabelSet) -> Recogniser:
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in HumanParser(len(labels.merged)).state_dict().items()}
    return Recogniser(
        f"schp-{name}",
        f"SCHP's human parser ({labels.title})",
        NAME,
        {key: key for key in shapes},
        shapes,
        {LABELS: name},
        f"MIT (SCHP); trained on {labels.title.partition(',')[0]}, whose pictures are for research",
        ORIGIN,
        use="nothing more to say: methods that need a layout take it from here on",
    )


def _square(solid: BoolArray) -> tuple[int, int, int]:
    """x, y, side of a square about the person, pixels; it may reach out of the picture."""
    rows, columns = (np.flatnonzero(solid.any(axis)) for axis in (1, 0))
    side = int(np.ceil(_AROUND * max(rows[-1] - rows[0], columns[-1] - columns[0], 8)))
    x, y = ((int(at[0]) + int(at[-1]) + 1 - side) // 2 for at in (columns, rows))
    return x, y, side


def _cut(image: Image, square: tuple[int, int, int]) -> Image:
    """A square part of a picture; black outside of it."""
    x, y, side = square
    height, width = image.shape[:2]
    before = (max(0, -y), max(0, -x))
    after = (max(0, y + side - height), max(0, x + side - width))
    inside = image[max(0, y) : y + side, max(0, x) : x + side]
    padded = cv2.copyMakeBorder(inside, before[0], after[0], before[1], after[1], cv2.BORDER_CONSTANT)
    return np.asarray(padded, np.uint8)
