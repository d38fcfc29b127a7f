"""A training of the networks against their opponents, stage after stage, on many people or on one (paper, 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from retarget_cli.backends.backbones import perceptual
from retarget_cli.backends.remot.design import REGIONS
from retarget_cli.backends.remot.discriminator import Judged, Opponents
from retarget_cli.backends.remot.film import Film, films, palette, pose_windows
from retarget_cli.backends.remot.losses import (
    LossWeights,
    class_distance,
    flow_distance,
    moved_distance,
    perceptual_distance,
)
from retarget_cli.backends.remot.model import Remot, regions_of
from retarget_cli.backends.remot.stages import TOGETHER, Stage, StagePlan
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Batch, Game, Phase, Rate
from retarget_cli.networks.adversarial_losses import believed, matching, told_apart
from retarget_cli.weights.store import Store, default_store

# Adam's, of all players (paper, 4.1).
LEARNING_RATE, BETAS = 2e-4, (0.5, 0.999)
LAYOUT, REGION, WHOLE, FACE = "layout", "region", "whole", "face"
# Which opponents look on at each stage.
_JUDGES: Mapping[Stage, tuple[str, ...]] = {
    Stage.LAYOUT: (LAYOUT,), Stage.REGION: (REGION,), Stage.WHOLE: (WHOLE, FACE),
    Stage.ALL: (LAYOUT, REGION, WHOLE, FACE),
}  # fmt: skip


class RemotGame(Game):
    """The networks and their opponents in turn; batches as `examples.build_tensors` says.

    Every film of T frames is made from its beginning, each frame with those made before it, as films are made later.

    Args:
        network: on the device; it learns in place.
        phase: personalisation has one stage, of all networks; opponents are always fresh.
        device: where the batches lie.
        stages: shares of the steps, or `together`; see `StagePlan`.
        adversarial: factor of all that comes from opponents; 0: there are none.
        discriminator_width: channels after an opponent's first layer; 64 as published for pix2pixHD.
        weights: of the losses.
        store: of weights; by default the user's.

    Attributes:
        stage: which networks learn now.

    Raises:
        WeightsError: the file of the loss's network is damaged. A missing one is warned about, and noted.
    """

    def __init__(
        self,
        network: Remot,
        phase: Phase,
        device: torch.device,
        *,
        stages: str = TOGETHER,
        adversarial: float = 1.0,
        discriminator_width: int = 64,
        weights: LossWeights | None = None,
        store: Store | None = None,
    ) -> None:
        self.network, self.adversarial, self.weights = network, adversarial, weights or LossWeights()
        is_staged = phase is Phase.TRAIN and stages != TOGETHER
        plan = StagePlan.of(stages) if is_staged else None
        self._plan = plan.without_whole if plan is not None and network.whole is None else plan
        self.opponents: Opponents | None = None
        players: dict[str, nn.Module] = {GENERATOR: network.train()}
        if adversarial:
            self.opponents = Opponents(discriminator_width, has_whole=network.whole is not None).to(device)
            players[DISCRIMINATOR] = self.opponents
        self.players: Mapping[str, nn.Module] = players
        self.rates: Mapping[str, Rate] = {name: Rate(LEARNING_RATE, BETAS) for name in players}
        self._likeness, self.notes = perceptual(store or default_store(), device)
        self.stage = Stage.ALL
        self.approach(0, 1)

    def approach(self, number: int, steps: int) -> None:
        """See `Game`: the stage that is due; only networks that learn take in statistics."""
        self.stage = Stage.ALL if self._plan is None else self._plan.stage(number, steps)
        for stage, network in self._networks().items():
            network.train(self.stage in (stage, Stage.ALL))

    def way(self, number: int, steps: int) -> float:
        """See `Game`: of the stage that learns."""
        return Game.way(self, number, steps) if self._plan is None else self._plan.way(number, steps)

    def _networks(self) -> dict[Stage, nn.Module]:
        network = self.network
        found: dict[Stage, nn.Module] = {Stage.LAYOUT: network.layout, Stage.REGION: network.region}
        return found if network.whole is None else {**found, Stage.WHOLE: network.whole}

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        """See `Game`: the terms of the networks that learn, each with its name before it, and of their opponents."""
        if player == DISCRIMINATOR:
            return self._unmasked(batch, kept)
        film = films(self.network, batch, self.stage)
        terms: dict[str, Tensor] = {}
        if film.layouts:
            terms |= self._of_layouts(film, batch)
            kept[LAYOUT] = film.pictures.flatten(0, 1)
        if film.parts:
            terms |= self._of_regions(film, batch)
            kept[REGION] = film.regions.flatten(0, 2)
        if film.wholes:
            terms |= self._of_wholes(film, batch)
            kept[WHOLE] = kept[FACE] = film.shown(batch["behind"]).flatten(0, 1)
        terms |= self._opposed(batch, kept)
        kept |= {name: made.detach() for name, made in kept.items()}
        return terms

    def _of_layouts(self, film: Film, batch: Batch) -> dict[str, Tensor]:
        weights, true = self.weights, batch["layout"].flatten(0, 1)
        raw = torch.stack([made.raw for made in film.layouts], 1).flatten(0, 1)
        classes = class_distance(film.pictures.flatten(0, 1), true) + class_distance(raw, true)
        flows = _flows(film.layouts)
        return {"layout_classes": weights.classes * classes, **self._of_flow("layout", flows, batch["layout"], batch)}

    def _of_regions(self, film: Film, batch: Batch) -> dict[str, Tensor]:
        """Equation 9 without its last term; a sum over regions is their mean, so many times."""
        return self._alike("region", film.regions.flatten(0, 2), _real(REGION, batch), REGIONS)

    def _of_wholes(self, film: Film, batch: Batch) -> dict[str, Tensor]:
        shown, persons, outside = film.shown(batch["behind"]), film.persons, film.outside
        apart = functional.l1_loss(outside.flatten(0, 1), 1 - batch["mask"].flatten(0, 1))
        return {
            **self._alike("whole", shown.flatten(0, 1), batch["picture"].flatten(0, 1)),
            **self._alike("person", persons.flatten(0, 1), batch["person"].flatten(0, 1)),
            "whole_mask": self.weights.mask * apart,
            **self._of_flow("whole", _flows(film.wholes), batch["person"], batch),
        }

    def _alike(self, name: str, made: Tensor, true: Tensor, factor: float = 1.0) -> dict[str, Tensor]:
        """Equations 6 and 7 of pictures (N, 3, H, W)."""
        weights = self.weights
        return {
            f"{name}_l1": factor * weights.reconstruction * functional.l1_loss(made.float(), true),
            f"{name}_perceptual": factor * weights.perceptual * perceptual_distance(self._likeness, made, true),
        }

    def _of_flow(self, name: str, flows: Tensor | None, true: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Of flows (B, T - 1, 2, H, W), and of what they make of the real (B, T, C, H, W)."""
        if flows is None:
            return {}
        flow, before, now = flows.flatten(0, 1), true[:, :-1].flatten(0, 1), true[:, 1:].flatten(0, 1)
        apart = flow_distance(flow, batch["flow"].flatten(0, 1), batch["believed"].flatten(0, 1))
        return {
            f"{name}_flow": self.weights.flow * apart,
            f"{name}_moved": self.weights.moved * moved_distance(flow, before, now),
        }

    def _judges(self) -> tuple[str, ...]:
        """The opponents that look on."""
        if self.opponents is None:
            return ()
        return tuple(name for name in _JUDGES[self.stage] if getattr(self.opponents, name) is not None)

    def _weight(self, name: str) -> float:
        factor = self.weights.face if name == FACE else REGIONS if name == REGION else 1.0
        return self.adversarial * self.weights.adversarial * factor

    def _opposed(self, batch: Batch, made: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Equation 8, and of layouts the features that should match."""
        terms = {}
        for name in self._judges():
            assert self.opponents is not None
            said = self.opponents.judged(name, _pair(name, batch, made[name]))
            terms[f"{name}_believed"] = self._weight(name) * believed(said)
            if name == LAYOUT:
                with torch.no_grad():
                    of_real = self.opponents.judged(name, _pair(name, batch, _real(name, batch)))
                factor = self.adversarial * self.weights.matching
                terms["layout_matching"] = matching(said, of_real, factor)
        return terms

    def _unmasked(self, batch: Batch, made: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Equation 10, least squares."""
        terms = {}
        for name in self._judges():
            assert self.opponents is not None
            of_made, of_real = (
                self.opponents.judged(name, _pair(name, batch, shown)) for shown in (made[name], _real(name, batch))
            )
            terms[f"{name}_told_apart"] = self._weight(name) * told_apart(of_real, of_made)
        return terms

    @torch.no_grad()
    def picture(self, batch: Batch) -> Tensor:
        """See `Game`: source, layout, regions together, what is made, and what is true, of the films' last frames."""
        with _resting(self.network):
            film = films(self.network, batch, Stage.ALL)
        layout = palette(film.layouts[-1].picture)
        made = film.sums[-1] if not film.wholes else film.shown(batch["behind"])[:, -1]
        shown = (batch["source"], layout, film.sums[-1], made, batch["picture"][:, -1])
        return (torch.cat([each.float() for each in shown], -1) / 2 + 0.5).clamp(0, 1)


@contextmanager
def _resting(network: nn.Module) -> Iterator[None]:
    """While a picture is made nothing is remembered of it."""
    learning = [each for each in network.modules() if each.training]
    network.eval()
    try:
        yield
    finally:
        for each in learning:
            each.training = True


def _flows(made: Sequence[object]) -> Tensor | None:
    """(B, T - 1, 2, H, W) of all frames but the first, where there is one."""
    flows = [getattr(each, "flow") for each in made[1:]]  # noqa: B009
    return torch.stack(flows, 1) if flows else None


def _pair(name: str, batch: Batch, shown: Tensor) -> Judged:
    """What an opponent is shown: (N, channels, H, W) with its condition."""
    if name == FACE:
        return Judged(batch["pose"].flatten(0, 1), shown).head(batch["head"].flatten(0, 1))
    conditions = {
        LAYOUT: lambda: pose_windows(batch["pose"]).flatten(0, 1),
        REGION: lambda: batch["layout"][:, :, 1:, None].flatten(0, 2),
        WHOLE: lambda: batch["layout"].flatten(0, 1),
    }
    return Judged(conditions[name](), shown)


def _real(name: str, batch: Batch) -> Tensor:
    """(N, channels, H, W): what an opponent should take for real."""
    if name == LAYOUT:
        return batch["layout"].flatten(0, 1)
    if name == REGION:
        return regions_of(batch["person"].flatten(0, 1), batch["layout"].flatten(0, 1)).flatten(0, 1)
    return batch["picture"].flatten(0, 1)
