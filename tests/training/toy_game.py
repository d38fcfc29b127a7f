"""A game of a few hundred weights, a method that plays it, and albums to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from retarget_cli.backends.base import Performer, Spec
from retarget_cli.backends.trainable import Batch, Game, Phase, Rate, Trainable
from retarget_cli.core.example import Example
from retarget_cli.core.subject import Image, Subject
from retarget_cli.training.album import Album, Contents, open_album, save_album

PLACES = {"toy-training": "tests.training.toy_game:Toy"}


@dataclass(frozen=True)
class Options:
    weights: str = "none"
    """What to begin with."""
    width: int = 4
    """Channels."""


class ToyGame(Game):
    """A generator that makes the target of the source, and a critic.

    Args:
        generator: see `generator_of`.
        rate: of both players.
        noise: deviation of random numbers that the generator's loss draws.
    """

    def __init__(self, generator: nn.Module, rate: float = 1e-2, noise: float = 0.0) -> None:
        critic = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.LeakyReLU(), nn.Conv2d(4, 1, 3))
        self.players = {"generator": generator, "critic": critic}
        self.rates = {player: Rate(rate) for player in self.players}
        self.notes = ("a toy",)
        self.noise = noise

    def losses(self, player: str, batch: Batch, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        critic = self.players["critic"]
        if player == "generator":
            made = self.players["generator"](batch["source"])
            kept["made"] = made.detach()
            shaken = made + self.noise * torch.randn_like(made)
            l1 = 10 * (shaken - batch["target"]).abs().mean()
            return {"l1": l1, "adversarial": 0.01 * ((critic(made) - 1) ** 2).mean()}
        return {"true": ((critic(batch["target"]) - 1) ** 2).mean(), "made": (critic(kept["made"]) ** 2).mean()}

    def picture(self, batch: Batch) -> Tensor:
        with torch.no_grad():
            torch.rand(1)  # a picture may draw; the training must not notice
            return torch.cat([batch["source"], self.players["generator"](batch["source"]), batch["target"]], 3)


class Toy(Trainable):
    """The method."""

    spec: ClassVar[Spec] = Spec("a toy")
    options: ClassVar[type] = Options

    def __init__(self, options: object, device: torch.device) -> None:
        super().__init__(options, device)
        assert isinstance(options, Options)
        self._width = options.width
        self._generator = generator_of(options.width).to(device)

    @property
    def generator(self) -> nn.Module:
        return self._generator

    def design(self) -> dict[str, str]:
        return {"width": str(self._width)}

    def tensors(self, example: Example) -> dict[str, Tensor]:
        sources = torch.stack([_tensor(view.image) for view in example.subject.views])
        return {"source": sources.mean(0), "target": _tensor(example.target.image)}

    def game(self, phase: Phase) -> Game:
        return ToyGame(self._generator, noise=0.01)

    def prepare(self, subject: Subject) -> Performer:
        raise NotImplementedError


def generator_of(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, 3, 1))


def seeded_game(noise: float = 0.0, has_norm: bool = True) -> ToyGame:
    """The same weights every time; without a norm nothing depends on how examples are batched."""
    torch.manual_seed(7)
    plain = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1))
    return ToyGame(generator_of() if has_norm else plain, noise=noise)


def batch_of(number: int, count: int = 4) -> dict[str, Tensor]:
    """What a batch is depends on its number alone."""
    rng = torch.Generator().manual_seed(number)
    source = torch.rand(count, 3, 12, 12, generator=rng)
    return {"source": source, "target": 1 - source.flip(1)}


def batches_from(start: int) -> Iterator[dict[str, Tensor]]:
    while True:
        yield batch_of(start)
        start += 1


def album_of(path: Path, count: int = 6, size: tuple[int, int] = (48, 40), plates: int = 1, seed: int = 0) -> Album:
    """An album of noise with a bright person whose hips and landmarks are where its numbers say."""
    rng = np.random.default_rng(seed)
    height, width = size
    images = rng.integers(0, 100, (count, height, width, 3)).astype(np.uint8)
    masks = np.zeros((count, height, width), np.uint8)
    camera = np.zeros((count, 3), np.float32)
    pose = np.zeros((count, 33, 3), np.float32)
    theta = np.zeros((count, 24, 3), np.float32)
    for row in range(count):
        x, y = width / 2 + rng.integers(-3, 4), height / 2 + rng.integers(-3, 4)
        top, left = int(y - height / 4), int(x - width / 8)
        box = (row, slice(top, top + height // 2), slice(left, left + width // 4))
        images[box] = 200
        masks[box] = 255
        camera[row] = (10 + row, x, y)
        pose[row, :, 0] = rng.uniform(left, left + width // 4, 33)
        pose[row, :, 1] = rng.uniform(top, top + height // 2, 33)
        pose[row, :, 2] = 1
        theta[row, 0, 1] = 2 * np.pi * row / count
    behind: Image = rng.integers(0, 100, (plates, height, width, 3)).astype(np.uint8)
    world = rng.standard_normal((count, 33, 3)).astype(np.float32)
    save_album(
        path, Contents(path.stem, "anny", images, masks, behind, pose, world, theta, camera, np.ones(27, np.float32))
    )
    return open_album(path)


def _tensor(image: Image) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1).float() / 255
