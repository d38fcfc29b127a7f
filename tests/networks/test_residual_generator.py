"""Residual generators beside recordings of pix2pixHD, EverybodyDanceNow and vid2vid, under the same weights."""

from __future__ import annotations

import pytest
import torch
from tests.networks.published import FACE, FOREGROUND, apart, filled_as, recorded
from torch import nn

from retarget_cli.networks.official_names import enhancer_names, foreground_names, global_names
from retarget_cli.networks.residual_generator import EnhancedGenerator, ResidualGenerator, TrunkDesign, start_small

PIX2PIX, DANCE, VID2VID = 1e-4, 1e-3, 5e-4
SMALL = TrunkDesign(width=4, levels=2, after=2)


@torch.inference_mode()
def test_a_face_is_changed_as_recorded() -> None:
    arrays, rules = recorded("edn")
    network = ResidualGenerator(6, design=FACE)
    filled_as(network, global_names(network), "edn_G_face", rules, 1)
    top, bottom, left, right = arrays["face_box"].int().tolist()
    pose, picture, final = (arrays[key][..., top:bottom, left:right] for key in ("p1", "i1", "final1"))
    change = network(torch.cat([pose, picture], 1))
    assert apart(change, arrays["face_residual"]) < DANCE
    assert apart(picture + change, final) < DANCE


@torch.inference_mode()
def test_a_foreground_with_batch_normalization_is_as_recorded() -> None:
    arrays, rules = recorded("vid2vid")
    network = ResidualGenerator(18, design=FOREGROUND)
    filled_as(network, foreground_names(network), "vid2vid_G0_ngf64_fg", rules, 1)
    # The record pastes it, without the flow's corners aligned, on what the other generator made.
    pasted = torch.lerp(arrays["img_ac0"], network(arrays["x"]), arrays["mask"])
    assert apart(pasted, arrays["fg_img"]) < VID2VID


@pytest.mark.slow
@torch.inference_mode()
def test_the_global_generator_is_as_recorded() -> None:
    arrays, rules = recorded("pix2pixhd")
    network = ResidualGenerator(3)
    filled_as(network, global_names(network), "pix2pixhd_G", rules, 0)
    assert apart(network(arrays["xs"]), arrays["G_128x64"]) < PIX2PIX
    assert apart(network(arrays["x"]), arrays["G"]) < PIX2PIX


@pytest.mark.slow
@torch.inference_mode()
def test_the_enhancer_is_as_recorded() -> None:
    arrays, rules = recorded("pix2pixhd")
    network = EnhancedGenerator(3)
    filled_as(network, enhancer_names(network), "pix2pixhd_L", rules, 1)
    assert apart(network(arrays["x"]), arrays["L"]) < PIX2PIX


@pytest.mark.slow
@torch.inference_mode()
def test_a_frame_after_the_other_is_as_recorded() -> None:
    arrays, rules = recorded("edn")
    network = ResidualGenerator(6)
    filled_as(network, global_names(network), "edn_G_global", rules, 0)
    before = network(torch.cat([arrays["p0"], torch.zeros_like(arrays["p0"])], 1))
    assert apart(before, arrays["i0"]) < DANCE
    assert apart(network(torch.cat([arrays["p1"], before], 1)), arrays["i1"]) < DANCE


def test_steps_are_what_sides_are_multiples_of() -> None:
    assert (TrunkDesign().step, TrunkDesign().deepest) == (16, 1024)
    with torch.inference_mode():
        assert ResidualGenerator(5, 2, SMALL)(torch.zeros(2, 5, 8, 12)).shape == (2, 2, 8, 12)
        assert EnhancedGenerator(5, 2, SMALL)(torch.zeros(2, 5, 16, 24)).shape == (2, 2, 16, 24)


def test_an_enhancer_takes_in_a_trunk_that_was_trained() -> None:
    trained, larger = ResidualGenerator(3, design=SMALL), EnhancedGenerator(3, design=SMALL)
    larger.coarse.load_state_dict(trained.trunk.state_dict())
    x = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)
    with torch.inference_mode():
        alone, together = torch.tanh(larger.head(larger.fine(x))), larger(x)
    assert apart(alone, together) > 1e-3


def test_borders_stay_as_bright_as_the_rest_when_the_size_is_halved() -> None:
    plain = torch.ones(1, 3, 8, 8)
    assert torch.equal(EnhancedGenerator(3, design=SMALL).halved(plain), plain[..., ::2, ::2])


def test_weights_begin_small() -> None:
    torch.manual_seed(0)
    network = ResidualGenerator(3, design=TrunkDesign(width=16, levels=2, after=1, norm="batch"))
    start_small(network)
    spreads = [each.weight.std().item() for each in network.modules() if isinstance(each, nn.Conv2d)]
    assert spreads == pytest.approx([0.02] * len(spreads), rel=0.1)
    norm = network.trunk.encoder.stem.norm
    assert isinstance(norm, nn.BatchNorm2d)
    assert 0.01 < norm.weight.std().item() < 0.03
    assert not norm.bias.any()
