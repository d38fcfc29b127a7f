"""A training of the generator against its opponents, on many people or on one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from retarget_cli.backends.backbones import likeness
from retarget_cli.backends.liquid_warp.discriminator import Discriminator, Scene
from retarget_cli.backends.liquid_warp.generator import Generator
from retarget_cli.backends.liquid_warp.losses import (
    Composed,
    LossWeights,
    composed,
    mask_distance,
    mask_smoothness,
    reconstruction,
    unmasked,
    wanted,
)
from retarget_cli.backends.liquid_warp.recall import Recall
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Batch, Game, Phase, Rate
from retarget_cli.networks import sphereface
from retarget_cli.networks.crops import cropped
from retarget_cli.weights.store import Store, default_store

# Adam's, of both players; as published.
LEARNING_RATE = 1e-4


class LiquidWarpGame(Game):
    """The generator and its opponents in turn; one forward pass of the generator a step.

    The batch has the generator's inputs and `real_sources` (B, S, 3, H, W), `real_target` and `real_background`
    (B, 3, H, W) in [-1, 1], `silhouettes` (B, S + 1, 1, H, W) of the sources and then the target, 1 on the background,
    and `head` and `body` (B, 4), boxes x0, x1, y0, y1 in the target.

    Args:
        generator: on the device; it learns in place.
        phase: decides about the opponents, which are always fresh.
        device: where the batches lie.
        weights: of the losses.
        store: of weights; by default the user's.
        discriminator_width: channels after an opponent's first layer; 64 as published.

    Raises:
        WeightsError: a file of a loss's network is damaged. A missing one is warned about, and noted.
    """

    def __init__(
        self,
        generator: Generator,
        phase: Phase,
        device: torch.device,
        weights: LossWeights | None = None,
        store: Store | None = None,
        discriminator_width: int = 64,
    ) -> None:
        self.generator = generator
        self.opponents = Discriminator(phase, discriminator_width, generator.background is not None).to(device)
        self.players: Mapping[str, nn.Module] = {GENERATOR: generator, DISCRIMINATOR: self.opponents}
        self.rates: Mapping[str, Rate] = {name: Rate(LEARNING_RATE) for name in self.players}
        self.weights = weights or LossWeights()
        found = likeness(store or default_store(), device)
        self.notes = found.notes
        # One person's few pictures are the target again and again.
        is_repeated = phase is Phase.PERSONALIZE
        self._whole = Recall(found.whole, is_repeated)
        self._face = Recall(found.face, is_repeated)

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `Game`: `reconstruction`, `perceptual`, `face`, `mask`, `smoothness`, `adversarial`; `real`, `made`."""
        if player == GENERATOR:
            return self._generator_losses(batch, kept)
        real, made = unmasked(
            self.opponents(_scene(batch, batch["real_target"], batch["real_background"])),
            self.opponents(_scene(batch, kept["target"], kept.get("background"))),
        )
        return {"real": self.weights.adversarial * real, "made": self.weights.adversarial * made}

    def _generator_losses(self, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        made = composed(self.generator(batch), batch["real_background"])
        kept["target"] = made.target.detach()
        if made.background is not None:
            kept["background"] = made.background.detach()
        weights = self.weights
        return {
            "reconstruction": weights.reconstruction
            * reconstruction(made, batch["real_sources"], batch["real_background"]),
            "perceptual": weights.perceptual * self._whole.loss(made.target, batch["real_target"]),
            "face": weights.face * self._face_loss(made, batch),
            "mask": weights.mask * mask_distance(made.masks, batch["silhouettes"]),
            "smoothness": weights.smoothness * mask_smoothness(made.masks),
            "adversarial": weights.adversarial * wanted(self.opponents(_scene(batch, made.target, made.background))),
        }

    def _face_loss(self, made: Composed, batch: Batch) -> Tensor:
        """Equation 4, on heads of the size that the network was trained on."""
        size = sphereface.HEIGHT, sphereface.WIDTH
        return self._face.loss(
            cropped(made.target, batch["head"], *size), cropped(batch["real_target"], batch["head"], *size)
        )

    @torch.no_grad()
    def picture(self, batch: Batch) -> Tensor:
        """See `Game`: the first source, the warped colours, what is made, and the target."""
        made = composed(self.generator(batch), batch["real_background"])
        shown = (batch["real_sources"][:, 0], batch["target_input"][:, :3], made.target, batch["real_target"])
        return (torch.cat([each.float() for each in shown], -1) / 2 + 0.5).clamp(0, 1)


def _scene(batch: Batch, picture: Tensor, background: Tensor | None) -> Scene:
    """The picture in the batch's pose."""
    seen = None if background is None else torch.cat([background, batch["background_input"][:, 3:]], 1)
    return Scene(picture, batch["target_input"][:, 3:], batch["body"], batch["head"], seen)
