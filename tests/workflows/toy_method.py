"""A trainable method that is learned in a moment: one small network paints the target from the source's picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from retarget_cli.backends.base import Performer, Spec, Window
from retarget_cli.backends.trainable import Batch, Game, Phase, Rate, Trainable
from retarget_cli.core.errors import WeightsError
from retarget_cli.core.example import Example
from retarget_cli.core.subject import Image, Subject

PLACES = {"toy": "tests.workflows.toy_method:Toy", "other-toy": "tests.workflows.toy_method:OtherToy"}


@dataclass(frozen=True, slots=True)
class ToyOptions:
    """As every trainable method has them, and one that its form does not depend on."""

    weights: str = ""
    """base weights: empty, or none for untrained"""

    width: int = 4
    """channels"""

    tint: float = 0.0
    """added to everything that is shown"""


class Toy(Trainable):
    """See the module."""

    spec: ClassVar[Spec] = Spec(summary="a toy", window=4, paints_background=True, license="Apache-2.0")
    options: ClassVar[type] = ToyOptions

    def __init__(self, options: ToyOptions, device: torch.device) -> None:
        super().__init__(options, device)
        self.said = options
        if options.weights not in ("", "none"):
            raise WeightsError(f"{options.weights} is not there", "give another")
        with torch.random.fork_rng([]):
            torch.manual_seed(5)
            layers = nn.Conv2d(3, options.width, 3, 1, 1), nn.Tanh(), nn.Conv2d(options.width, 3, 3, 1, 1)
            self._network = nn.Sequential(*layers).to(device)

    @property
    def generator(self) -> nn.Module:
        return self._network

    def design(self) -> dict[str, str]:
        return {"width": str(self.said.width)}

    def lineage(self) -> dict[str, str]:
        return {"base": "toy", "sha256": "5" * 64}

    def tensors(self, example: Example) -> dict[str, Tensor]:
        return {"source": pixels(example.subject.primary.image), "target": pixels(example.target.image)}

    def game(self, phase: Phase) -> Game:
        return ToyGame(self._network.train())

    def prepare(self, subject: Subject) -> Performer:
        return ToyPerformer(self, subject)

    def shown(self, subject: Subject) -> Tensor:
        """(3, H, W) in [0, 1]."""
        with torch.inference_mode():
            made = self._network(pixels(subject.primary.image).to(self.device)[None])[0]
        return (made + self.said.tint).clamp(0, 1)


class OtherToy(Toy):
    """A method of the same kind with another name."""


class ToyPerformer(Performer):
    """The same picture for every frame."""

    def __init__(self, toy: Toy, subject: Subject) -> None:
        made = toy.shown(subject)
        self._picture = torch.cat([made, torch.ones_like(made[:1])])

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        for window in driving:
            yield self._picture.expand(len(window), *self._picture.shape)


class ToyGame(Game):
    """The generator imitates the target; a judge is taught to tell them apart."""

    notes = ("plain L1 stands in for everything",)

    def __init__(self, network: nn.Module) -> None:
        self.players = {"generator": network, "judge": nn.Conv2d(3, 1, 3, 2, 1)}
        self.rates = {"generator": Rate(1e-2), "judge": Rate(1e-3)}

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        judge = self.players["judge"]
        if player == "generator":
            made = self.players["generator"](batch["source"])
            kept["made"] = made.detach()
            pixel = 10 * (made - batch["target"]).abs().mean()
            return {"pixel": pixel, "judged": 0.01 * judge(made).square().mean()}
        return {"told apart": (judge(batch["target"]) - 1).square().mean() + (judge(kept["made"]) + 1).square().mean()}

    @torch.no_grad()
    def picture(self, batch: Batch) -> Tensor:
        made = self.players["generator"](batch["source"])
        return torch.cat([batch["source"], made, batch["target"]], 3)


def pixels(image: Image) -> Tensor:
    """(3, H, W) in [0, 1]."""
    return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255
