"""Losses and steps against records of the original code, under weights that are made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.reference_weights import fill, official_shapes, record, rule_of
from torch import Tensor, nn

from retarget_cli.backends.liquid_warp.discriminator import Discriminator, Scene
from retarget_cli.backends.liquid_warp.game import LiquidWarpGame
from retarget_cli.backends.liquid_warp.generator import Design, Generator
from retarget_cli.backends.liquid_warp.official import discriminator_names, generator_names
from retarget_cli.backends.trainable import DISCRIMINATOR, GENERATOR, Phase
from retarget_cli.networks.adversarial_losses import MADE, REAL, WANTED, least_squares
from retarget_cli.weights.hashing import Ledger
from retarget_cli.weights.places import Place
from retarget_cli.weights.store import Store

CPU = torch.device("cpu")
# What the record calls the terms, and what they are called here.
TERMS = {
    "rec": "reconstruction",
    "tsf": "perceptual",
    "face": "face",
    "adv": "adversarial",
    "mask": "mask",
    "smooth": "smoothness",
}


class MadeAnew(Store):
    """A store that has the record's weights of the losses' networks, whatever lies on the disk."""

    def __init__(self, folder: Path, rules: list[dict[str, object]]) -> None:
        super().__init__([Place("here", folder)], Ledger(folder / "checked.json"))
        self._rules = {"vgg19": rule_of(rules, "Sequential"), "sphere20a": rule_of(rules, "Sphere20a")}

    def find(self, key: str) -> tuple[Path, Place]:
        return Path(key), self.folders[0]

    def load_into(self, key: str, module: nn.Module, unused: object = ()) -> str:
        # The record's prefix is that of our names already; slopes of PReLU are the network's own.
        module.load_state_dict(fill(module, **{**self._rules[key], "prefix": ""}), strict=False)
        module.eval().requires_grad_(False)
        return ""


def load_official(network: nn.Module, names: dict[str, str], values: dict[str, Tensor]) -> None:
    network.load_state_dict({names[name]: value for name, value in values.items()})


def boxes(arrays: dict[str, np.ndarray], name: str) -> Tensor:
    return torch.from_numpy(arrays[name])


@pytest.fixture(scope="module")
def judged() -> tuple[dict[str, np.ndarray], dict[str, Tensor], Tensor]:
    """The record of discriminators, the scores of all four, and of the global one alone."""
    arrays, rules = record("iper_dis")
    picture, background = (torch.from_numpy(arrays[name]).float() for name in ("x", "bx"))
    scene = Scene(picture[:, :3], picture[:, 3:], boxes(arrays, "body"), boxes(arrays, "head"), background)
    found = []
    for phase, official, cls in (
        (Phase.TRAIN, "iper_D_patch_global_body_head", "GlobalBodyHeadDiscriminator"),
        (Phase.PERSONALIZE, "iper_D_patch_global", "GlobalDiscriminator"),
    ):
        network = Discriminator(phase)
        load_official(network, discriminator_names(network), fill(official_shapes(official), **rule_of(rules, cls)))
        with torch.no_grad():
            found.append(network(scene))
    return arrays, found[0], found[1]["whole"]


def test_scores_of_every_opponent(judged: tuple[dict[str, np.ndarray], dict[str, Tensor], Tensor]) -> None:
    arrays, four, alone = judged
    np.testing.assert_allclose(alone, arrays["global_out"], atol=1e-5)
    for name, theirs in (("whole", "global"), ("body", "body"), ("head", "head"), ("background", "bg")):
        np.testing.assert_allclose(four[name], arrays[f"gbh_{theirs}"], atol=1e-5, err_msg=name)


def test_least_squares_of_every_label(judged: tuple[dict[str, np.ndarray], dict[str, Tensor], Tensor]) -> None:
    arrays, four, _ = judged
    found = [float(least_squares(list(four.values()), label)) for label in (REAL, WANTED, MADE)]
    np.testing.assert_allclose(found, arrays["lsgan"], atol=1e-5)


class Run:
    """The recorded personalisation, played by our game."""

    def __init__(self, folder: Path) -> None:
        self.arrays, rules = record("iper_personalize")
        generator = Generator(Design())
        self.names = generator_names(generator)
        official = fill(official_shapes("iper_AttLWB-SPADE"), **rule_of(rules, "AttentionLWBGenerator"))
        load_official(generator, self.names, official)
        self.game = LiquidWarpGame(generator, Phase.PERSONALIZE, CPU, store=MadeAnew(folder, rules))
        opponents = self.game.opponents
        official = fill(official_shapes("iper_D_patch_global"), **rule_of(rules, "GlobalDiscriminator"))
        load_official(opponents, discriminator_names(opponents), official)
        arrays = {name: torch.from_numpy(value) for name, value in self.arrays.items() if value.dtype.kind in "fi"}
        self.batch = {
            "sources": arrays["in_src"],
            "flows": arrays["Tst"][:, 0],
            "target_input": arrays["in_tsf"][:, 0],
            "background_input": arrays["in_bg"][:, 0],
            "real_sources": arrays["real_src"],
            "real_target": arrays["real_tsf"][:, 0],
            "real_background": arrays["real_bg"],
            "silhouettes": arrays["body_mask"],
            "head": arrays["head"],
            "body": arrays["body"],
        }

    def recorded(self, step: int) -> dict[str, float]:
        """The record's losses of a step, in our words; and its discriminator's mean scores."""
        return dict(zip(self.arrays["loss_names"].tolist(), self.arrays["losses"][step], strict=True))


def test_first_losses_of_a_personalisation(tmp_path: Path) -> None:
    run, kept = Run(tmp_path), dict[str, Tensor]()
    with torch.no_grad():
        found = run.game.losses(GENERATOR, run.batch, kept)
    expected = run.recorded(0)
    for theirs, ours in TERMS.items():
        assert found[ours].item() == pytest.approx(expected[theirs], rel=1e-5), ours
    condition = run.batch["target_input"][:, 3:]
    judge = run.game.opponents.whole
    with torch.no_grad():
        real, made = (judge(torch.cat([each, condition], 1)) for each in (run.batch["real_target"], kept["target"]))
    assert real.mean().item() == pytest.approx(expected["d_real"], rel=1e-5)
    assert made.mean().item() == pytest.approx(expected["d_fake"], rel=1e-5)


@pytest.mark.slow
def test_three_steps_of_a_personalisation(tmp_path: Path) -> None:
    run = Run(tmp_path)
    game = run.game
    optimizers = {
        player: torch.optim.Adam(network.parameters(), game.rates[player].learning, game.rates[player].betas)
        for player, network in game.players.items()
    }
    for step in range(3):
        kept: dict[str, Tensor] = {}
        for player in (GENERATOR, DISCRIMINATOR):
            optimizers[player].zero_grad()
            terms = game.losses(player, run.batch, kept)
            torch.stack(list(terms.values())).sum().backward()
            optimizers[player].step()
            if player == GENERATOR:
                for theirs, ours in TERMS.items():
                    tolerance = (1e-5, 1e-3, 5e-3)[step]
                    assert terms[ours].item() == pytest.approx(run.recorded(step)[theirs], rel=tolerance), ours
    ours = {**game.generator.state_dict(), "D.whole": game.opponents.state_dict()["whole.layers.0.weight"]}
    close = {}
    for name, expected in run.arrays.items():
        if "after3." in name:
            key = "D.whole" if name.startswith("D.") else run.names[name.removeprefix("after3.")]
            close[name] = np.abs(ours[key].detach().numpy() - expected).ravel() < 2e-5
    # Adam makes a whole step of the sign of a gradient that is nothing but rounding: the original itself, with another
    # count of threads, leaves up to a tenth of a layer elsewhere.
    assert np.concatenate(list(close.values())).mean() > 0.9
    assert all(each.mean() > 0.85 for each in close.values()), {name: each.mean() for name, each in close.items()}
