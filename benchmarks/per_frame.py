"""The way of the published code, frame by frame: what `retarget bench --ceiling` compares the family's speed with.

The published loops find the source's parts once, and then call motion network and generator with the source's picture
for every single driving frame; the generator encodes the source anew each time. Nothing is folded, packed, batched or
kept. The networks are the project's plain modules, whose pictures equal recordings of the published ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.first_order import FirstOrder, Prepared
from retarget_cli.backends.self_appearance.model import SelfAppearance


def per_frame(network: FirstOrder | Articulated | SelfAppearance, views: Tensor, driving: Tensor) -> Iterator[Tensor]:
    """(1, 3, H, W) in [0, 1] for every driving picture, which is taken over as it is ("absolute").

    Args:
        network: in evaluation mode.
        views: (V, 3, H, W) in [0, 1]; the source, and for self-appearance references.
        driving: (T, 3, H, W) in [0, 1].
    """
    detector = network.regions if isinstance(network, Articulated) else network.detector
    pictures = [view[None] for view in (views if isinstance(network, SelfAppearance) else views[:1])]
    with torch.no_grad():
        found = [detector(picture) for picture in pictures]
        for frame in driving:
            parts = detector(frame[None])
            encoded = [
                Prepared(network.motion.encode(picture, own), network.generator.encode(picture))
                for picture, own in zip(pictures, found, strict=True)
            ]
            yield network(encoded if isinstance(network, SelfAppearance) else encoded[0], parts).pictures
