"""Pictures of anything, led by a clip of anything of its kind.

Source and reference views are encoded once; of a driving frame only its parts (keypoints or regions) are found, and
from these the picture is made, by networks that are made ready for it (`fast`). The network's pictures have about
`resolution` x `resolution` pixels in the source's own form, and are brought to the subject's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.base import Comparing, Window
from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.blocks import Size
from retarget_cli.backends.self_appearance.fast import laid_out, made_ready
from retarget_cli.backends.self_appearance.first_order import FirstOrder
from retarget_cli.backends.self_appearance.keypoints import Keypoints, movement_scale, transferred
from retarget_cli.backends.self_appearance.model import SelfAppearance
from retarget_cli.backends.self_appearance.options import AVD
from retarget_cli.backends.self_appearance.regions import Regions, moved_regions
from retarget_cli.backends.words import AUTO, FULL
from retarget_cli.core.errors import BackendError, UsageError
from retarget_cli.core.footage import Footage
from retarget_cli.core.subject import Image, Subject

Parts = Keypoints | Regions
# Sides of the network's pictures are multiples of this.
_STEP = 4


class Puppet(Protocol):
    """A source that a method is ready to move."""

    def parts(self, pictures: Tensor) -> Parts:
        """Of pictures (B, 3, H, W) in [0, 1]."""

    @property
    def own(self) -> Parts:
        """Those of the source."""

    def handed_over(self, driving: Parts, first: Parts, scale: float) -> Parts:
        """Those of the source, moved as another's have moved.

        Args:
            driving: of B pictures.
            first: of the picture in which the other is posed as the source is.
            scale: of movements.
        """

    def made(self, parts: Parts, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1]: the source with these parts; and the driving pictures that they come from."""


class FirstOrderPuppet:
    """Of the first order model.

    Args:
        network: the model.
        views: of the source; the first is used.
        precision: in which pictures are made, see `options`.
    """

    def __init__(self, network: FirstOrder, views: Tensor, precision: str = FULL) -> None:
        self._network, self._source = made_ready(network, precision), laid_out(network.encode(views[:1]))
        self.own = self.parts(views[:1])

    def parts(self, pictures: Tensor) -> Parts:
        found: Keypoints = self._network.detector(pictures)
        return found

    def handed_over(self, driving: Parts, first: Parts, scale: float) -> Parts:
        return moved_relatively(self.own, driving, first, scale)

    def made(self, parts: Parts, pictures: Tensor) -> Tensor:
        assert isinstance(parts, Keypoints)
        return self._network(self._source, parts).pictures


class SelfAppearancePuppet:
    """Of self-appearance.

    Args:
        network: the model.
        views: the source, then references (paper, 3.3).
        precision: in which pictures are made, see `options`.
    """

    def __init__(self, network: SelfAppearance, views: Tensor, precision: str = FULL) -> None:
        self._network = made_ready(network, precision)
        self._views = [laid_out(network.encode(view[None])) for view in views]
        self.own = self.parts(views[:1])

    def parts(self, pictures: Tensor) -> Parts:
        found: Parts = self._network.detector(pictures)
        return found

    def handed_over(self, driving: Parts, first: Parts, scale: float) -> Parts:
        return moved_relatively(self.own, driving, first, scale)

    def made(self, parts: Parts, pictures: Tensor) -> Tensor:
        return self._network(self._views, parts).pictures


class ArticulatedPuppet:
    """Of articulated animation.

    Args:
        network: the model.
        views: of the source; the first is used.
        animation: how another's motion is taken over: relative, avd, or auto, which is avd where the network has it.
        precision: in which pictures are made, see `options`.
        camera_moves: the background follows the driving clip's.

    Raises:
        UsageError: avd is wanted of a network without it, or a background that moves.
    """

    def __init__(
        self,
        network: Articulated,
        views: Tensor,
        animation: str = AUTO,
        precision: str = FULL,
        camera_moves: bool = False,
    ) -> None:
        if animation == AVD and network.avd is None:
            raise UsageError(
                "--set animation=avd: the weights have no network that tells pose from identity",
                "leave it out, or choose weights with one: `retarget weights list --json` says `avd` of each",
            )
        self._network, self._source = made_ready(network, precision), laid_out(network.encode(views[:1]))
        if camera_moves and not network.background.moves:
            raise UsageError("--set camera=moves: the weights have no network for the background", "leave it out")
        self._behind, self._view = network.background if camera_moves else None, views[:1]
        self._avd = network.avd if animation in (AUTO, AVD) else None
        self._own: Regions = self._network.regions(views[:1])

    @property
    def own(self) -> Parts:
        return self._own

    def parts(self, pictures: Tensor) -> Parts:
        found: Regions = self._network.regions(pictures)
        return found

    def handed_over(self, driving: Parts, first: Parts, scale: float) -> Parts:
        if self._avd is None:
            return moved_relatively(self._own, driving, first, scale)
        assert isinstance(driving, Regions)
        found: Regions = self._avd(self._own, driving)
        return found

    def made(self, parts: Parts, pictures: Tensor) -> Tensor:
        assert isinstance(parts, Regions)
        background = None
        if self._behind is not None:
            size = self._view.shape[-2:]
            seen = pictures if pictures.shape[-2:] == size else functional.interpolate(pictures, size, mode="bilinear")
            background = self._behind(self._view, seen)
        return self._network(self._source, parts, background).pictures


class LedPerformer(Comparing):
    """One puppet.

    Args:
        puppet: what is moved.
        size: (height, width) of the result.
        resolution: of the network's pictures.
        device: where it computes.
    """

    def __init__(self, puppet: Puppet, size: Size, resolution: int, device: torch.device) -> None:
        self._puppet, self._size, self._resolution, self._device = puppet, size, resolution, device

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`."""
        reference: tuple[Image, Parts, float] | None = None
        for window in driving:
            if window.footage is None:
                raise BackendError("this method is led by pixels, and was given none")
            footage = window.footage
            if footage.reference is not None and (reference is None or reference[0] is not footage.reference):
                first = self._found(footage.reference[None])
                scale = movement_scale(keypoints(self._puppet.own), keypoints(first)) if footage.is_scaled else 1.0
                reference = footage.reference, first, scale
            yield self._made(footage, None if footage.reference is None else reference)

    @torch.inference_mode()
    def _made(self, footage: Footage, reference: tuple[Image, Parts, float] | None) -> Tensor:
        laid = self._laid(footage.pictures)
        parts = self._puppet.parts(laid)
        if reference is not None:
            parts = self._puppet.handed_over(parts, *reference[1:])
        pictures = functional.interpolate(
            self._puppet.made(parts, laid).float(), self._size, mode="bicubic", antialias=True
        ).clamp(0, 1)
        return torch.cat([pictures, torch.ones_like(pictures[:, :1])], 1)

    @torch.inference_mode()
    def _found(self, pictures: NDArray[np.uint8]) -> Parts:
        return self._puppet.parts(self._laid(pictures))

    def _laid(self, pictures: NDArray[np.uint8]) -> Tensor:
        return laid_in(pictures, self._resolution, self._device)

    def apart(self, footage: Footage) -> list[float]:
        """See `Comparing`: how far keypoints are from the source's, both about their middle and of equal size."""
        ours, theirs = (normalized(keypoints(each)) for each in (self._puppet.own, self._found(footage.pictures)))
        found: list[float] = (theirs - ours).square().sum((1, 2)).tolist()
        return found


def moved_relatively(own: Parts, driving: Parts, first: Parts, scale: float) -> Parts:
    """Keypoints or regions, moved as others have moved; see `Puppet.handed_over`."""
    if isinstance(own, Regions):
        assert isinstance(driving, Regions)
        assert isinstance(first, Regions)
        return moved_regions(own, driving, first, scale)
    return transferred(own, keypoints(driving), keypoints(first), scale)


def keypoints(parts: Parts) -> Keypoints:
    """Regions as keypoints."""
    return parts.keypoints if isinstance(parts, Regions) else parts


def normalized(found: Keypoints) -> Tensor:
    """(B, K, 2): about their middle, with a hull of about unit size."""
    place = found.place - found.place.mean(1, keepdim=True)
    return place / place.square().sum(-1).mean(1).sqrt().clamp_min(1e-6)[:, None, None]


def laid_in(pictures: NDArray[np.uint8], resolution: int, device: torch.device) -> Tensor:
    """(B, 3, h, w) in [0, 1]: about resolution x resolution pixels, in the form of (B, H, W, 3) uint8."""
    tensor = torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2).float() / 255
    size = network_size((pictures.shape[1], pictures.shape[2]), resolution)
    if tensor.shape[-2:] == size:
        return tensor
    return functional.interpolate(tensor, size, mode="bilinear", antialias=True).clamp(0, 1)


def network_size(size: Size, resolution: int) -> Size:
    """(height, width) of the network's pictures: as many pixels as resolution x resolution, multiples of 4."""
    factor = resolution / (size[0] * size[1]) ** 0.5
    height, width = (max(8 * _STEP, _STEP * round(side * factor / _STEP)) for side in size)
    return height, width


def views_of(subject: Subject, resolution: int, device: torch.device) -> Tensor:
    """(V, 3, h, w): the subject's pictures as the network sees them."""
    return laid_in(np.stack([view.image for view in subject.views]), resolution, device)
