"""A training of both stages against their opponents (paper, 3.3, equation 4).

Stage I learns first, for a share of all steps; then it stays as it is and stage II learns. Where there is an enhancer,
the generator for half the size learns alone in the first half of each (paper, 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.backbones import perceptual
from retarget_cli.backends.pose2video.augmentation import Disturbance, Strengths, draw_disturbance
from retarget_cli.backends.pose2video.design import ASIDE
from retarget_cli.backends.pose2video.discriminator import Opponents, all_opponents
from retarget_cli.backends.pose2video.examples import FRAMES
from retarget_cli.backends.pose2video.model import COLOURS, Made, Pose2Video, Stage, seen_colours
from retarget_cli.backends.pose2video.screen import before_green, cut_out
from retarget_cli.backends.pose2video.skeleton import pose_maps
from retarget_cli.backends.pose2video.stream import stacked
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Batch, Game, Rate
from retarget_cli.networks.adversarial_losses import believed, matching, told_apart
from retarget_cli.weights.store import Store, default_store

LEARNING_RATE, BETAS = 2e-4, (0.5, 0.999)


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The lambdas of equation 4, and that of what the paper has no word for.

    Attributes:
        perceptual: of VGG's features.
        matching: of the features of the paired and the temporal opponent.
        mask: of the L1 distance of how much is the person.
        person: of the L1 distance of what is left when the green is taken away, which colours and mask make together.
    """

    perceptual: float = 10.0
    matching: float = 10.0
    mask: float = 10.0
    person: float = 10.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What comes of a batch of B examples.

    Attributes:
        made: of B * M frames.
        true: (B * M, 4, h, w): the person before green, and the mask.
        given: (B * M, ..., h, w), what the paired opponent is told.
        poses: (B, L, h, w) of every example's target, undisturbed.
        wild: (B, 3, h, w) made in others' poses, and `wild_poses` (B, L, h, w) of these; None where there are none.
        wild_poses: see there.
    """

    made: Made
    true: Tensor
    given: Tensor
    poses: Tensor
    wild: Tensor | None = None
    wild_poses: Tensor | None = None


class Pose2VideoGame(Game):
    """The networks and their opponents in turn; batches as `build_tensors` has them.

    Args:
        network: on the device; it learns in place.
        device: where the batches lie.
        augments: whether poses are disturbed.
        is_unpaired: whether there is an opponent for frames in others' poses.
        adversarial: factor of all that comes from opponents; 0: there are none.
        discriminator_width: channels after an opponent's first layer.
        share: of all steps, in which stage I learns.
        weights: of the losses.
        store: of weights; by default the user's.

    Raises:
        WeightsError: the file of the loss's network is damaged. A missing one is warned about, and noted.
    """

    def __init__(
        self,
        network: Pose2Video,
        device: torch.device,
        *,
        augments: bool = True,
        is_unpaired: bool = True,
        adversarial: float = 1.0,
        discriminator_width: int = 64,
        share: float = 0.5,
        weights: LossWeights | None = None,
        store: Store | None = None,
    ) -> None:
        self.network, self.augments, self.share = network, augments, share
        self.adversarial, self.weights = adversarial, weights or LossWeights()
        self.opponents: nn.ModuleList | None = None
        players: dict[str, nn.Module] = {GENERATOR: network.train()}
        if adversarial:
            self.opponents = all_opponents(network.design, discriminator_width, has_unpaired=is_unpaired).to(device)
            players[DISCRIMINATOR] = self.opponents
        self.players: Mapping[str, nn.Module] = players
        self.rates: Mapping[str, Rate] = {name: Rate(LEARNING_RATE, BETAS) for name in players}
        self._likeness, self.notes = perceptual(store or default_store(), device)
        self._stage, self._is_small = 0, network.design.is_enhanced

    def approach(self, number: int, steps: int) -> None:
        """See `Game`: which stage learns now, and at which size."""
        self._stage = int(number >= self._first_steps(steps))
        self._is_small = self.network.design.is_enhanced and self.way(number, steps) < 1 / 2

    def way(self, number: int, steps: int) -> float:
        """See `Game`: of the stage that learns."""
        first = self._first_steps(steps)
        begun, length = (first, steps - first) if number >= first else (0, first)
        return (number - begun) / max(1, length)

    def _first_steps(self, steps: int) -> int:
        """Of so many, those in which stage I learns."""
        design = self.network.design
        return round(self.share * steps) if design.stages > 1 or design.has_face else steps

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `Game`: of the generator `perceptual`, `mask`, `person`, and as there are opponents `paired`, `temporal`,
        `unpaired` and `matching`; of these what each takes for true and for made.
        """
        if player == DISCRIMINATOR:
            return self._told_apart(kept)
        scene = self.scene(batch)
        made, true = scene.made.colours, scene.true[:, :COLOURS]
        mask, true_mask = scene.made.mask.float(), scene.true[:, COLOURS:]
        kept |= {"made": made.detach(), "true": true, "given": scene.given, "poses": scene.poses}
        if scene.wild is not None and scene.wild_poses is not None:
            kept |= {"wild": scene.wild.detach(), "wild_poses": scene.wild_poses}
        terms = {
            "perceptual": self.weights.perceptual * self._likeness(made, self._likeness.features(true)),
            "mask": self.weights.mask * functional.l1_loss(mask, true_mask),
            "person": self.weights.person * functional.l1_loss(cut_out(made.float(), mask), cut_out(true, true_mask)),
        }
        return {**terms, **self._opposed(scene)}

    def scene(self, batch: Batch) -> Scene:
        """What the stage that learns makes of a batch."""
        trees = batch["points"]
        made, given = self._film(trees, FRAMES, self._disturbance(trees))
        people = batch["pictures"].flatten(0, 1)
        true = torch.cat([before_green(people), people[:, COLOURS:]], 1)
        if self._is_small:
            true = functional.avg_pool2d(true, 2)
        row = self.network.design.stages * self.network.design.before
        scene = Scene(made, true, given, self._maps(trees[:, row]))
        if not self._is_unpaired(batch):
            return scene
        others = batch["others"][:, : trees.shape[1] - FRAMES + 1]
        wild, _ = self._film(others, 1, None)
        return Scene(made, true, given, scene.poses, wild.colours, self._maps(others[:, row]))

    def _is_unpaired(self, batch: Batch) -> bool:
        opponents = self._opponents()
        return opponents is not None and opponents.unpaired is not None and "others" in batch

    def _opponents(self) -> Opponents | None:
        """Of the stage that learns."""
        found = None if self.opponents is None else self.opponents[self._stage]
        assert found is None or isinstance(found, Opponents)
        return found

    def _film(self, trees: Tensor, count: int, disturbance: Disturbance | None) -> tuple[Made, Tensor]:
        """`count` frames of every example by the stage that learns, and what each was made from.

        Args:
            trees: (B, N, P, 3), with the neighbours that all stages see.
            count: frames.
            disturbance: of the poses; None: they stay as they are.
        """
        maps = self._drawn(trees, disturbance)
        design, second = self.network.design, self.network.second
        if not self._stage:
            spare = (design.stages - 1) * design.before
            maps = maps[:, spare : spare + count + design.seen - 1]
            given = maps[:, design.before : design.before + count].flatten(0, 1)
            return self._first(maps, is_small=self._is_small), given
        assert second is not None
        with torch.no_grad():
            rough = self._first(maps, is_small=False).together.float()
        rough = functional.avg_pool2d(rough, 2) if self._is_small else rough
        frames = stacked(rough.reshape(len(trees), -1, *rough.shape[1:]), design.seen)
        return self._by(second, frames, self._is_small), seen_colours(frames)

    def _first(self, maps: Tensor, trees: Tensor | None = None, *, is_small: bool) -> Made:
        """Stage I on (B, R, L, h, w): of every example R - 2K frames; with trees (B, R, P, 3) also their faces."""
        design, first = self.network.design, self.network.first
        if not design.is_recursive:
            return self._by(first, stacked(maps, design.seen), is_small)
        found: list[Made] = []
        before = maps.new_zeros(len(maps), COLOURS, *maps.shape[-2:])
        for row in range(maps.shape[1]):
            # While the face learns, stage I stays as it is.
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self._stage):
                made = self._by(first, torch.cat([maps[:, row], before], 1), is_small)
            found.append(made if trees is None else self.network.faced(made, maps[:, row], trees[:, row]))
            before = found[-1].colours.float()
        parts = (torch.stack([getattr(each, name) for each in found], 1) for name in ("colours", "mask"))
        return Made(*(part.flatten(0, 1) for part in parts))

    def _by(self, stage: Stage, x: Tensor, is_small: bool) -> Made:
        made = stage.small(x) if is_small else stage(x)
        assert isinstance(made, Made)
        return made

    def _disturbance(self, trees: Tensor) -> Disturbance | None:
        return draw_disturbance(trees, Strengths()) if self.augments else None

    def _drawn(self, trees: Tensor, disturbance: Disturbance | None) -> Tensor:
        """(B, R, L, h, w) of trees (B, R, P, 3)."""
        return self._maps(trees) if disturbance is None else disturbance.drawn(self._maps(disturbance.bent(trees)))

    def _maps(self, trees: Tensor) -> Tensor:
        """(..., L, h, w) at the size that stage I is drawn at."""
        height, width = self.network.design.size
        is_half = self._is_small and not self._stage
        return pose_maps(trees, (height // 2, width // 2) if is_half else (height, width), ASIDE)

    def _opposed(self, scene: Scene) -> dict[str, Tensor]:
        """Equations 1 to 3, as the generator wants them, and features that should match."""
        opponents = self._opponents()
        if opponents is None:
            return {}
        made, true = scene.made.colours, scene.true[:, :COLOURS]
        pairs, films = opponents.of_pairs(scene.given, made), opponents.of_films(made)
        with torch.no_grad():
            true_pairs, true_films = opponents.of_pairs(scene.given, true), opponents.of_films(true)
        alike = self.weights.matching
        terms = {
            "paired": believed(pairs),
            "temporal": believed(films),
            "matching": matching(pairs, true_pairs, alike) + matching(films, true_films, alike),
        }
        if scene.wild is not None and scene.wild_poses is not None:
            terms["unpaired"] = believed(opponents.of_others(_fitted(scene.wild_poses, scene.wild), scene.wild))
        return {name: self.adversarial * term for name, term in terms.items()}

    def _told_apart(self, kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Equations 1 to 3, as the opponents want them."""
        opponents = self._opponents()
        assert opponents is not None
        made, true, given = kept["made"], kept["true"], kept["given"]
        terms = {
            "paired": told_apart(opponents.of_pairs(given, true), opponents.of_pairs(given, made)),
            "temporal": told_apart(opponents.of_films(true), opponents.of_films(made)),
        }
        if "wild" in kept:
            wild, own = kept["wild"], true[::FRAMES].roll(1, 0)  # a pair of its own, not that of this example
            poses, others = (_fitted(kept[name], wild) for name in ("poses", "wild_poses"))
            real = opponents.of_others(poses.roll(1, 0), own)
            terms["unpaired"] = told_apart(real, opponents.of_others(others, wild))
        return {name: self.adversarial * term for name, term in terms.items()}

    @torch.no_grad()
    def picture(self, batch: Batch) -> Tensor:
        """See `Game`: the pose, every stage as it is now, and the truth."""
        design, second = self.network.design, self.network.second
        stage, is_small = self._stage, self._is_small
        self._stage, self._is_small = 0, False
        trees = batch["points"]
        trees = trees[:, : design.stages * (design.seen - 1) + 1]
        maps = self._maps(trees)
        row = design.stages * design.before
        rough = self._first(maps, trees, is_small=False).together.float()
        rough = rough.reshape(len(trees), -1, *rough.shape[1:])
        middle = rough[:, (design.stages - 1) * design.before, :COLOURS]
        shown = [maps[:, row].amax(1, keepdim=True).expand(-1, COLOURS, -1, -1) * 2 - 1, middle]
        if second is not None:
            shown.append(self._by(second, stacked(rough, design.seen), is_small=False).colours.float())
        shown.append(before_green(batch["pictures"][:, 0]))
        self._stage, self._is_small = stage, is_small
        return (torch.cat(shown, -1) / 2 + 0.5).clamp(0, 1)


def _fitted(poses: Tensor, frames: Tensor) -> Tensor:
    """Pose maps at the size of frames."""
    factor = poses.shape[-1] // frames.shape[-1]
    return functional.avg_pool2d(poses, factor) if factor > 1 else poses
