"""A training of the networks against their opponents, on many people or on one (paper, 3.4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.backbones import perceptual
from retarget_cli.backends.bottleneck.discriminator import COLOURS, Discriminator, Shown
from retarget_cli.backends.bottleneck.losses import (
    LossWeights,
    composed,
    mask_distance,
    person_of,
    unlikeness,
)
from retarget_cli.backends.bottleneck.model import Bottleneck
from retarget_cli.backends.bottleneck.sampling import turned
from retarget_cli.backends.bottleneck.volumes import Volumes, averaged
from retarget_cli.backends.stage.limbs import LIMBS
from retarget_cli.backends.stage.pose_maps import maps
from retarget_cli.backends.stage.posture import Posture
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Batch, Game, Phase, Rate
from retarget_cli.networks.adversarial_losses import FALSE, TRUE, judgement
from retarget_cli.weights.store import Store, default_store

# Adam's, of all players; pix2pixHD's, since the paper names none.
LEARNING_RATE, BETAS = 2e-4, (0.5, 0.999)
# Under which names the generator's turn leaves for the opponents' what they judge.
_PERSON, _WHOLE, _TURNED = "person", "whole", "rotation"


@dataclass(frozen=True, slots=True)
class Scene:
    """What comes of a batch.

    Attributes:
        person: (B, 3, S, S) in [-1, 1], the target's person, 0 outside.
        confidence: (B, 1, S, S) in [0, 1], where the person is.
        whole: (B, 3, S, S), the person before what is behind.
        background: (B, 3, S, S) that was painted, or None where no network does.
        again: (B, 3, S, S) the first source's person, out of all sources.
        turned: (B, 3, S, S) the same from other sides, or None where nobody judges it.
        masks: (B * N, 1, h, w) of every level, of the sources' own volumes.
    """

    person: Tensor
    confidence: Tensor
    whole: Tensor
    background: Tensor | None
    again: Tensor
    turned: Tensor | None
    masks: list[Tensor]


class BottleneckGame(Game):
    """The networks and their opponents in turn.

    The batch has `pictures` (B, N, 4, S, S) of the sources, colours of the person in [-1, 1], 0 outside, and mask;
    `source_joints` (B, N, 24, 3) and `source_bones` (B, N, 24, 4, 4) of their postures; `target` (B, 4, S, S),
    `target_joints` and `target_bones` of the target; `target_full` (B, 3, S, S), its whole picture; `background`
    (B, 3, S, S), what is behind it; and `behind` (B, 4, S, S), what the background network is given.

    Args:
        network: on the device; it learns in place.
        phase: personalisation has one opponent, of the person; opponents are always fresh.
        device: where the batches lie.
        rotations: whether volumes are turned at random and judged (equation 9).
        adversarial: factor of all that comes from opponents; 0: there are none, and so no rotations.
        discriminator_width: channels after an opponent's first layer; 64 as published for pix2pixHD.
        weights: of the losses.
        store: of weights; by default the user's.

    Raises:
        WeightsError: the file of the loss's network is damaged. A missing one is warned about, and noted.
    """

    def __init__(
        self,
        network: Bottleneck,
        phase: Phase,
        device: torch.device,
        *,
        rotations: bool = True,
        adversarial: float = 1.0,
        discriminator_width: int = 64,
        weights: LossWeights | None = None,
        store: Store | None = None,
    ) -> None:
        self.network = network
        self.adversarial, self.weights = adversarial, weights or LossWeights()
        is_training = phase is Phase.TRAIN
        self.opponents: Discriminator | None = None
        players: dict[str, nn.Module] = {GENERATOR: network.train()}
        if adversarial:
            self.opponents = Discriminator(
                LIMBS,
                discriminator_width,
                has_whole=is_training and network.background is not None,
                has_rotation=is_training and rotations,
            ).to(device)
            players[DISCRIMINATOR] = self.opponents
        self.players: Mapping[str, nn.Module] = players
        self.rates: Mapping[str, Rate] = {name: Rate(LEARNING_RATE, BETAS) for name in players}
        self._likeness, self.notes = perceptual(store or default_store(), device)

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `Game`: of the generator `perceptual`, `reconstruction`, `mask` and, where there are, `background`,
        `person`, `whole`, `rotation` and `matching`; of the opponents what is true and made, for each of them.
        """
        if player == DISCRIMINATOR:
            return self._unmasked(batch, kept)
        scene = self.scene(batch)
        kept[_PERSON], kept[_WHOLE] = scene.person.detach(), scene.whole.detach()
        if scene.turned is not None:
            kept[_TURNED] = scene.turned.detach()
        return {**self._wanted(scene, batch), **self._opposed(scene, batch)}

    def scene(self, batch: Batch) -> Scene:
        """What the networks make of a batch (equations 1 to 3), and of the volumes by themselves."""
        network, pictures = self.network, batch["pictures"]
        own, volumes = self._volumes(batch)
        target = Posture(batch["target_joints"], batch["target_bones"])
        places = network.places(pictures[:, 0], _posture(batch, 0), target)
        made = network.decode(network.moved(volumes, places, target))
        person = person_of(made.colour, made.confidence)
        background = None if network.background is None else network.background(batch["behind"]).float()
        behind = batch["background"] if background is None else background
        is_turned = self.opponents is not None and self.opponents.rotation is not None
        return Scene(
            person, made.confidence.float(), composed(person, made.confidence, behind), background,
            self._person(volumes), self._turned(volumes) if is_turned else None, network.masks(own),
        )  # fmt: skip

    def _volumes(self, batch: Batch) -> tuple[Volumes, Volumes]:
        """Of every source by itself, (B * N); and all of an example in the posture of its first (equation 2)."""
        network, pictures = self.network, batch["pictures"]
        joints, bones = batch["source_joints"], batch["source_bones"]
        own = network.encode(pictures.flatten(0, 1), Posture(joints.flatten(0, 1), bones.flatten(0, 1)))
        used = own if network.design.skips else own.coarsest()
        views = [_row(used, number, pictures.shape[1]) for number in range(pictures.shape[1])]
        canonical = _posture(batch, 0)
        for number in range(1, len(views)):
            places = network.places(pictures[:, number], _posture(batch, number), canonical)
            views[number] = network.moved(views[number], places, canonical)
        return own, averaged(views)

    def _person(self, volumes: Volumes) -> Tensor:
        made = self.network.decode(volumes)
        return person_of(made.colour, made.confidence)

    def _turned(self, volumes: Volumes) -> Tensor:
        """The person from any side: each turned by an angle of its own, r ~ U(-180, 180) degrees."""
        # Random numbers come from torch's own, so that a run that goes on draws as one that was never stopped.
        yaw = (torch.rand(len(volumes)) * 2 - 1) * math.pi
        return self._seen(volumes, yaw)

    def _seen(self, volumes: Volumes, yaw: Tensor) -> Tensor:
        """The persons turned about the vertical by (B) radians."""
        return self._person(self.network.rotated(volumes, turned(yaw.to(volumes.levels[0].device))))

    def _wanted(self, scene: Scene, batch: Batch) -> dict[str, Tensor]:
        """Equations 6 to 8: what should be made is known."""
        weights, target, sources = self.weights, batch["target"], batch["pictures"]
        alike = self._alike(scene.person, target[:, :COLOURS]) + self._alike(scene.whole, batch["target_full"])
        masks = mask_distance(scene.masks, sources[:, :, COLOURS:].flatten(0, 1))
        terms = {
            "perceptual": weights.perceptual * alike,
            "reconstruction": weights.reconstruction * functional.l1_loss(scene.again, sources[:, 0, :COLOURS]),
            "mask": weights.mask * (masks + mask_distance([scene.confidence], target[:, COLOURS:])),
        }
        if scene.background is not None:
            true = batch["background"]
            terms["background"] = (
                weights.reconstruction * functional.l1_loss(scene.background, true)
                + weights.perceptual * self._alike(scene.background, true)
            )  # fmt: skip
        return terms

    def _alike(self, made: Tensor, true: Tensor) -> Tensor:
        loss: Tensor = self._likeness(made, self._likeness.features(true))
        return loss

    def _opposed(self, scene: Scene, batch: Batch) -> dict[str, Tensor]:
        """Equations 4, 5 and 9, as the generator wants them."""
        opponents, weights = self.opponents, self.weights
        if opponents is None:
            return {}
        shown, terms, apart = _shown(batch), {}, []
        pairs = [(_PERSON, weights.foreground, opponents.of_person, scene.person, batch["target"][:, :COLOURS])]
        if opponents.whole is not None:
            pairs.append((_WHOLE, weights.whole, opponents.of_whole, scene.whole, batch["target_full"]))
        for name, weight, judge, made, true in pairs:
            said = judge(made, shown)
            with torch.no_grad():
                of_true = judge(true, shown)
            terms[name] = self.adversarial * weight * judgement(said, TRUE)
            apart.append(unlikeness(said, of_true))
        if scene.turned is not None:
            said = opponents.of_rotation(scene.turned, shown)
            terms["rotation"] = self.adversarial * weights.rotation * judgement(said, TRUE)
        terms["matching"] = self.adversarial * weights.matching * torch.stack(apart).sum()
        return terms

    def _unmasked(self, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        """Equations 4, 5 and 9, as the opponents want them."""
        opponents, weights, shown = self.opponents, self.weights, _shown(batch)
        assert opponents is not None
        person = batch["target"][:, :COLOURS]
        games = [(_PERSON, weights.foreground, opponents.of_person, person)]
        if opponents.whole is not None:
            games.append((_WHOLE, weights.whole, opponents.of_whole, batch["target_full"]))
        if opponents.rotation is not None:
            games.append((_TURNED, weights.rotation, opponents.of_rotation, person))
        terms = {}
        for name, weight, judge, true in games:
            factor = self.adversarial * weight
            terms[f"{name}_true"] = factor * judgement(judge(true, shown), TRUE)
            terms[f"{name}_made"] = factor * judgement(judge(kept[name], shown), FALSE)
        return terms

    @torch.no_grad()
    def picture(self, batch: Batch) -> Tensor:
        """See `Game`: the first source, all sources' volume from its left, what is made, and the target."""
        scene = self.scene(batch)
        _, volumes = self._volumes(batch)
        left = self._seen(volumes, torch.full((len(volumes),), math.pi / 2))
        shown = (batch["pictures"][:, 0, :COLOURS], left, scene.whole, batch["target_full"])
        return (torch.cat([each.float() for each in shown], -1) / 2 + 0.5).clamp(0, 1)


def _posture(batch: Batch, number: int) -> Posture:
    """Of one of the sources."""
    return Posture(batch["source_joints"][:, number], batch["source_bones"][:, number])


def _row(volumes: Volumes, number: int, count: int) -> Volumes:
    """Of one of `count` sources, of those of all (B * count)."""
    return volumes.each(lambda part: part[number::count])


def _shown(batch: Batch) -> Shown:
    """What opponents are told of a batch."""
    source = batch["pictures"][:, 0, :COLOURS]
    size = source.shape[-2], source.shape[-1]
    target = Posture(batch["target_joints"], batch["target_bones"])
    return Shown(source, maps(_posture(batch, 0), size), maps(target, size))
