"""One subject, ready: frame by frame only the transfer stream runs."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.base import Performer, Window
from retarget_cli.backends.liquid_warp.clothed import ClothedFlow
from retarget_cli.backends.liquid_warp.fast import FastTransfer
from retarget_cli.backends.liquid_warp.generator import Generator
from retarget_cli.backends.liquid_warp.inputs import Poser, Sources, Targets, build_targets, meshes

# A sigmoid never says quite nothing, nor all: what is so near counts as it, or the whole background would be tinted.
UNSURE = 0.02


class LiquidWarpPerformer(Performer):
    """Moves one person.

    Args:
        generator: None shows the moved colours alone.
        sources: of the person.
        poser: the person's body.
        clothed: moves the colours instead of the body, where that is asked for.
    """

    def __init__(
        self, generator: Generator | None, sources: Sources, poser: Poser, clothed: ClothedFlow | None = None
    ) -> None:
        self._clothed = clothed
        self._sources, self._poser = sources, poser
        self._mesh, _ = meshes(poser.body.name, sources.size, poser.device)
        with torch.inference_mode():
            self._transfer = None if generator is None else _ready(generator, sources.inputs)

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        """See `Performer`; every frame depends on its own motion alone."""
        for window in driving:
            with torch.inference_mode():
                rendered = self._rendered(window)
            yield rendered

    def _rendered(self, window: Window) -> Tensor:
        theta, camera = window.motion.theta, window.motion.camera
        if theta is None or camera is None:
            raise ValueError("liquid warping needs a fitted motion")
        targets = build_targets(self._sources, self._poser.places(theta, camera), self._mesh)
        if self._clothed is not None:
            targets = self._clothed.over(targets, theta, camera)
        colour, person = self._painted(targets)
        frames = torch.cat([(colour + 1) / 2, person], 1)
        if self._sources.size != self._poser.canvas:
            frames = functional.interpolate(frames, self._poser.canvas, mode="bicubic", align_corners=False)
        return frames.clamp(0, 1)

    def _painted(self, targets: Targets) -> tuple[Tensor, Tensor]:
        """Colours (B, 3, H, W) in [-1, 1] and how much is the person (B, 1, H, W)."""
        if self._transfer is None:
            return targets.inputs[:, :3], targets.hit[:, None].float()
        image, outside = self._transfer(targets.inputs, targets.flows)
        return image, ((1 - outside - UNSURE) / (1 - 2 * UNSURE)).clamp(0, 1)


def _ready(generator: Generator, sources: Tensor) -> FastTransfer:
    return FastTransfer(generator.transfer, sources, generator.identity.encode(sources))
