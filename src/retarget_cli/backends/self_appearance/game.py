"""A training of the networks on clips of anything that moves: of two frames one is made from the other.

    perceptual     what is made and the frame, by features at four scales                              weight 10
    equivariance   keypoints of a bent picture are those of the picture, bent                          weight 10
    jacobian       the same of what is told about each keypoint: its Jacobian, or its region's axes    weight 10
    adversarial    what an opponent says who is told the keypoints; his features are compared too      weight 1, 10

Weights as published (Siarohin et al., 2019 and 2021); the paper of self-appearance gives none.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from retarget_cli.backends.backbones import pyramid
from retarget_cli.backends.self_appearance.articulated import Articulated
from retarget_cli.backends.self_appearance.discriminator import Discriminator, DiscriminatorDesign, matched
from retarget_cli.backends.self_appearance.first_order import FirstOrder, Made
from retarget_cli.backends.self_appearance.initial_motion import revert_axis_swap
from retarget_cli.backends.self_appearance.keypoints import Keypoints, inverse, product
from retarget_cli.backends.self_appearance.model import SelfAppearance
from retarget_cli.backends.self_appearance.regions import Regions
from retarget_cli.backends.self_appearance.transform import Transform, random_transform
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Batch, Game, Phase, Rate
from retarget_cli.networks.adversarial_losses import FALSE, TRUE, judgement
from retarget_cli.networks.multiscale_discriminator import Judgement
from retarget_cli.weights.store import Store, default_store

LEARNING_RATE, BETAS = 2e-4, (0.5, 0.999)
PERCEPTUAL, EQUIVARIANCE, JACOBIAN, MATCHING = 10.0, 10.0, 10.0, 10.0

Network = TypeVar("Network", FirstOrder, SelfAppearance, Articulated)


class FamilyGame(Game, Generic[Network]):
    """The networks, and where it is wanted an opponent.

    The batch has `sources` (B, S, 3, H, W) and `target` (B, 3, H, W) in [0, 1]: frames that show the same thing.

    Args:
        network: on the device; it learns in place.
        phase: what batch normalization knows of many pictures is kept while it learns a few.
        device: where the batches lie.
        adversarial: weight of the opponent; 0: there is none.
        store: of weights; by default the user's.

    Raises:
        WeightsError: the file of the loss's network is damaged. A missing one is warned about, and noted.
    """

    def __init__(
        self,
        network: Network,
        phase: Phase,
        device: torch.device,
        adversarial: float = 0.0,
        store: Store | None = None,
    ) -> None:
        self.network: Network = network
        self.adversarial = adversarial
        self.opponent: Discriminator | None = None
        players: dict[str, nn.Module] = {GENERATOR: learning(network, phase)}
        if adversarial:
            count = network.motion.design.count
            self.opponent = Discriminator(DiscriminatorDesign(keypoints=count, is_spectral=False)).to(device)
            players[DISCRIMINATOR] = self.opponent
        self.players: Mapping[str, nn.Module] = players
        self.rates: Mapping[str, Rate] = {name: Rate(LEARNING_RATE, BETAS) for name in players}
        self._likeness, self.notes = pyramid(store or default_store(), device)

    @abstractmethod
    def made(self, batch: Batch) -> tuple[Made, Keypoints | Regions]:
        """The targets, made from the sources; and what was found in them."""

    @abstractmethod
    def found(self, pictures: Tensor) -> Keypoints | Regions:
        """What is found in pictures."""

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `Game`: `perceptual`, `equivariance`, `jacobian`, `adversarial`, `matching`; `real`, `made`."""
        if player == DISCRIMINATOR:
            return {
                name: self.adversarial * judgement(self._judged(pictures, kept["place"]), wanted)
                for name, pictures, wanted in (("real", batch["target"], TRUE), ("made", kept["made"], FALSE))
            }
        target = batch["target"]
        made, parts = self.made(batch)
        loss = self._likeness(made.pictures * 2 - 1, self._likeness.features(target * 2 - 1))
        terms = {"perceptual": PERCEPTUAL * loss, **self._equivariance(target, parts)}
        if self.opponent is not None:
            kept["made"], kept["place"] = made.pictures.detach(), parts.place.detach()
            terms |= self._opposed(target, made.pictures, kept["place"])
        return terms

    def _equivariance(self, target: Tensor, parts: Keypoints | Regions) -> dict[str, Tensor]:
        """Of keypoints; and of what is known about them."""
        # Random numbers come from torch's own, so that a run that goes on draws as one that was never stopped.
        stream = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        transform = random_transform(len(target), stream, target)
        bent = self.found(transform.pictures(target, self.network.motion.align_corners))
        terms = {"equivariance": EQUIVARIANCE * (parts.place - transform.moved(bent.place)).abs().mean()}
        unlike = unlikeness(transform, parts, bent)
        if unlike is not None:
            terms["jacobian"] = JACOBIAN * unlike
        return terms

    def _opposed(self, target: Tensor, made: Tensor, place: Tensor) -> dict[str, Tensor]:
        judged = self._judged(made, place)
        with torch.no_grad():
            real = self._judged(target, place)
        return {
            "adversarial": self.adversarial * judgement(judged, TRUE),
            "matching": MATCHING * matched(judged, real),
        }

    def _judged(self, pictures: Tensor, place: Tensor) -> list[Judgement]:
        assert self.opponent is not None
        found: list[Judgement] = self.opponent(pictures, place)
        return found

    @torch.no_grad()
    def picture(self, batch: Batch) -> Tensor:
        """See `Game`: the source, what is made, and the target."""
        made, _ = self.made(batch)
        return torch.cat([batch["sources"][:, 0], made.pictures.float(), batch["target"]], -1).clamp(0, 1)


class FirstOrderGame(FamilyGame[FirstOrder]):
    """Of the first order model."""

    def made(self, batch: Batch) -> tuple[Made, Keypoints]:
        """See `FamilyGame`."""
        driving = self.found(batch["target"])
        return self.network(self.network.encode(batch["sources"][:, 0]), driving), driving

    def found(self, pictures: Tensor) -> Keypoints:
        """See `FamilyGame`."""
        parts: Keypoints = self.network.detector(pictures)
        return parts


class SelfAppearanceGame(FamilyGame[SelfAppearance]):
    """Of self-appearance: all sources are views (eq. 6)."""

    def made(self, batch: Batch) -> tuple[Made, Keypoints | Regions]:
        """See `FamilyGame`."""
        sources, target = batch["sources"].unbind(1), batch["target"]
        driving = self.found(target)
        behind = self.network.background
        backgrounds = None if behind is None else [behind(source, target) for source in sources]
        return self.network([self.network.encode(source) for source in sources], driving, backgrounds), driving

    def found(self, pictures: Tensor) -> Keypoints | Regions:
        """See `FamilyGame`."""
        parts: Keypoints | Regions = self.network.detector(pictures)
        return parts


class ArticulatedGame(FamilyGame[Articulated]):
    """Of articulated animation: in training the background's motion is known, since both frames are of one clip."""

    def made(self, batch: Batch) -> tuple[Made, Regions]:
        """See `FamilyGame`."""
        source, target = batch["sources"][:, 0], batch["target"]
        driving = self.found(target)
        behind = self.network.background(source, target)
        return self.network(self.network.encode(source), driving, behind), driving

    def found(self, pictures: Tensor) -> Regions:
        """See `FamilyGame`."""
        regions: Regions = self.network.regions(pictures)
        return regions


def learning(network: nn.Module, phase: Phase) -> nn.Module:
    """The network as it learns: one picture is no batch to take statistics of."""
    network.train()
    if phase is Phase.PERSONALIZE:
        for part in network.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.eval()
    return network


def unlikeness(transform: Transform, parts: Keypoints | Regions, bent: Keypoints | Regions) -> Tensor | None:
    """How far Jacobians are from following a bend: mean |1 - J^-1 (dT J')|; None where none are known."""
    ours, theirs = (
        each.affine if isinstance(each, Regions) else each.jacobian for each in (parts, bent)
    )  # fmt: skip
    if ours is None or theirs is None:
        return None
    both = product(inverse(ours), product(transform.jacobian(bent.place), theirs))
    if isinstance(parts, Regions):
        both = revert_axis_swap(both)
    return (torch.eye(2, device=both.device) - both).abs().mean()
