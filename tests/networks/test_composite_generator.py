"""Generators of films: sums of encoders, flow and blending; beside recordings of vid2vid and of what came of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.networks.published import FINE, apart, filled_as, recorded
from tests.networks.test_official_names import COMPOSER, PARSER
from torch import Tensor

from retarget_cli.networks.composite_generator import CompositeDesign, CompositeGenerator, blended, on_background
from retarget_cli.networks.official_names import C2F_COMPOSER, C2F_PARSER, composite_names
from retarget_cli.networks.previous_frame import moved_by
from retarget_cli.networks.residual_generator import TrunkDesign

PLAIN, HALF = 5e-4, 2e-3
TRUNK = TrunkDesign(width=4, levels=2, before=1, after=1, norm="batch")
SMALL = CompositeDesign((2, 3, 6), (1, 2), has_mask=True, trunk=TRUNK)


def close_to_half(found: Tensor, wanted: Tensor) -> bool:
    """As near as what was kept with half the bits can tell."""
    return torch.allclose(found, wanted, rtol=HALF, atol=PLAIN)


def small(design: CompositeDesign = SMALL) -> tuple[CompositeGenerator, list[Tensor], Tensor]:
    """A network, what its encoders see, and a frame before."""
    torch.manual_seed(1)
    network = CompositeGenerator(design).eval()
    inputs = [torch.rand(2, channels, 16, 12) * 2 - 1 for channels in design.inputs]
    return network, inputs, torch.rand(2, design.outputs, 16, 12)


@pytest.mark.parametrize("reading", ["0", "1"])
def test_a_picture_is_moved_as_recorded(reading: str) -> None:
    arrays, _ = recorded("vid2vid")
    assert apart(moved_by(arrays["im"], arrays["fl"], reading == "1"), arrays[f"resample_ac{reading}"]) < PLAIN


def test_a_flow_of_whole_pixels_takes_the_pixels_there() -> None:
    picture = torch.rand(1, 2, 6, 7)
    flow = torch.zeros(1, 2, 6, 7)
    assert apart(moved_by(picture, flow), picture) < 1e-5
    flow[:, 0], flow[:, 1] = 2, -1
    moved = moved_by(picture, flow)
    assert apart(moved[..., 1:, :-2], picture[..., :-1, 2:]) < 1e-5
    assert apart(moved[..., :1, :-2], picture[..., :1, 2:]) < 1e-5


@torch.inference_mode()
def test_each_way_comes_from_its_own_sum() -> None:
    network, inputs, previous = small()
    first = network(inputs, previous)
    other = network([-inputs[0], *inputs[1:]], previous)
    assert apart(first.raw, other.raw) > 1e-4
    for one, same in ((first.flow, other.flow), (first.weight, other.weight), (first.mask, other.mask)):
        assert torch.equal(one, same)
    third = network([*inputs[:2], -inputs[2]], previous)
    assert apart(first.flow, third.flow) > 1e-4
    deep = network.summed(network.encoded(inputs))
    assert torch.equal(network.decoded(deep, previous).picture, first.picture)


@torch.inference_mode()
def test_a_frame_is_blended_of_the_raw_one_and_of_the_one_before() -> None:
    network, inputs, previous = small()
    background = torch.rand(2, 3, 16, 12) * 2 - 1
    made = network(inputs, previous, background)
    assert apart(made.raw, on_background(made.foreground, made.mask, background)) == 0
    moved = moved_by(previous, made.flow)
    assert apart(made.picture, blended(made.raw, made.weight, moved)) == 0
    assert apart(made.picture, made.raw) > 1e-3
    assert torch.equal(network(inputs, None, background).picture, made.raw)
    assert torch.equal(network(inputs).raw, made.foreground)


@torch.inference_mode()
def test_shares_sum_up_to_one() -> None:
    network, inputs, _ = small(replace(SMALL, outputs=6, end="softmax", has_mask=False))
    made = network(inputs, torch.full((2, 6, 16, 12), 1 / 6))
    assert made.mask is None
    assert apart(made.picture.sum(1), torch.ones(2, 16, 12)) < 1e-5


@torch.inference_mode()
def test_without_flow_there_is_no_way_to_it() -> None:
    network, inputs, _ = small(CompositeDesign((1, 9), has_flow=False, trunk=TRUNK))
    made = network(inputs)
    assert (made.flow, made.weight, made.mask, made.fine.motion) == (None,) * 4
    assert not any(name.startswith(("motion", "flow", "weight", "mask")) for name in network.state_dict())


@torch.inference_mode()
def test_a_generator_of_fine_detail_takes_in_the_coarse_one() -> None:
    coarse, inputs, previous = small(replace(SMALL, has_mask=False))
    design = replace(coarse.design, flow_scale=40, trunk=replace(FINE, width=TRUNK.width // 2))
    fine = CompositeGenerator(design).eval()
    larger = [each.repeat_interleave(2, -1).repeat_interleave(2, -2) for each in (*inputs, previous)]
    taken = coarse(inputs).fine
    made = fine(larger[:-1], larger[-1], coarse=taken)
    assert made.picture.shape == (2, 3, 32, 24)
    assert apart(made.raw, fine(larger[:-1]).raw) > 1e-4
    assert taken.motion is not None
    other = fine(larger[:-1], coarse=replace(taken, motion=-taken.motion))
    assert torch.equal(other.raw, made.raw)
    assert apart(other.flow, made.flow) > 1e-4


@pytest.mark.slow
@torch.inference_mode()
def test_frames_flow_and_weight_are_as_recorded() -> None:
    arrays, rules = recorded("vid2vid")
    network = CompositeGenerator(CompositeDesign((18, 6)))
    filled_as(network, composite_names(network), "vid2vid_G0_ngf64", rules, 0)
    made = network((arrays["x"], arrays["p"]), arrays["p"][:, -3:])
    for found, key in ((made.raw, "raw"), (made.flow, "flow"), (made.weight, "weight"), (made.picture, "img_ac1")):
        assert apart(found, arrays[key]) < PLAIN
    assert apart(made.fine.appearance[:, :2], arrays["img_feat"]) < PLAIN
    assert apart(made.fine.motion[:, :2], arrays["flow_feat"]) < PLAIN
    other = moved_by(arrays["p"][:, -3:], made.flow, align_corners=False)
    assert apart(blended(made.raw, made.weight, other), arrays["img_ac0"]) < PLAIN


@pytest.mark.slow
@torch.inference_mode()
def test_layouts_are_as_recorded() -> None:
    arrays, rules = recorded("c2f")
    network = CompositeGenerator(PARSER)
    filled_as(network, composite_names(network, C2F_PARSER), "c2f_parser", rules, 0)
    before = arrays["lop"][:, -12:]
    made = network((arrays["tlo"], arrays["sp"], arrays["lop"]), before)
    for found, key in ((made.raw, "raw"), (made.flow, "flow"), (made.weight, "w"), (made.picture, "final_ac1")):
        assert close_to_half(found, arrays[f"parser_{key}"])
    other = moved_by(before, made.flow, align_corners=False)
    assert close_to_half(blended(made.raw, made.weight, other), arrays["parser_final_ac0"])


@pytest.mark.slow
@torch.inference_mode()
def test_composed_frames_are_as_recorded() -> None:
    """The published code keeps the warped clothes, and blackens what the layout calls background, by rules."""
    arrays, rules = recorded("c2f")
    network = CompositeGenerator(COMPOSER)
    filled_as(network, composite_names(network, C2F_COMPOSER), "c2f_composer", rules, 1)
    is_background, is_cloth = arrays["iS"][:, 33:34], arrays["iS"][:, 34:36].sum(1, keepdim=True)
    black = torch.tensor(-1.0)
    clothes = torch.where(is_cloth == 0, black, arrays["iF"])
    made = network((arrays["iT"], torch.cat([arrays["iS"], clothes], 1), arrays["pv"]))
    assert close_to_half(made.mask, arrays["comp_sd"])
    foreground = torch.where(is_background == 1, black, (1 - is_cloth) * (made.foreground + 1) + clothes)
    raw = on_background(foreground, made.mask, arrays["bg"])
    assert close_to_half(raw, arrays["comp_raw"])
    for reading in (0, 1):
        moved = moved_by(arrays["pv"][:, -3:], made.flow, bool(reading))
        assert close_to_half(blended(raw, made.weight, moved), arrays[f"comp_final_ac{reading}"])
