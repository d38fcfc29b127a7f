"""The way of a frame: what goes where, what is remembered, and what the ablations leave out."""

from __future__ import annotations

import pytest
import torch
from tests.backends.remot.miniature import FRAMES, batch, network, windows

from retarget_cli.backends.remot.composition import Whole, coarse
from retarget_cli.backends.remot.design import USUAL, RemotDesign
from retarget_cli.backends.remot.model import Made, Remot, regions_of
from retarget_cli.backends.remot.options import RemotOptions
from retarget_cli.backends.remot.past import Past
from retarget_cli.backends.remot.tint import tinted
from retarget_cli.core.errors import UsageError
from retarget_cli.networks.composite_generator import EMPTY, CompositeGenerator
from retarget_cli.networks.fast_residual import made_ready
from retarget_cli.networks.previous_frame import moved_by


def filmed(made: Remot, count: int = FRAMES) -> list[Made]:
    given = batch()
    source = made.source(given["source"], given["source_layout"])
    past, frames = made.past(given["pose"][:, 0]), []
    for pose in given["pose"].unbind(1)[:count]:
        frame, past = made.frame(source, pose, past)
        frames.append(frame)
    return frames


@torch.no_grad()
def test_layouts_are_those_of_the_composite_generator() -> None:
    """Equations 2a to 2c: the encoders get what the paper gives them; what they make of it is tested with theirs."""
    made, given = network(), batch()
    frames = filmed(made)
    layouts = [torch.zeros_like(frames[0].layout.picture)] * 2 + [frame.layout.picture for frame in frames]
    for row, frame in enumerate(frames):
        inputs = [given["source_layout"], windows(given)[:, row], torch.cat(layouts[row : row + 2], 1)]
        direct = made.layout(inputs, layouts[row + 1] if row else None)
        assert torch.allclose(frame.layout.picture, direct.picture, atol=1e-6)
        assert torch.allclose(frame.layout.picture.sum(1), torch.ones(1, 64, 48), atol=1e-5)
    assert torch.equal(frames[0].layout.picture, frames[0].layout.raw)
    assert not torch.allclose(frames[1].layout.picture, frames[1].layout.raw)


@torch.no_grad()
def test_regions_come_from_one_network_each_by_itself() -> None:
    made, given = network(is_residual=False), batch()
    first, second, third = filmed(made)
    source = made.source(given["source"], given["source_layout"])
    layout = third.layout.picture
    own = regions_of(*made.there(source, layout))
    for region in range(5):
        known = torch.cat([second.parts[:, region], first.parts[:, region], own[:, region]], 1)
        alone = made.region([layout[:, region + 1 : region + 2], known]).picture
        assert torch.allclose(third.parts[:, region], alone, atol=1e-4)
    assert torch.allclose(third.coarse, coarse(third.parts))


def test_a_person_taken_apart_is_whole_again() -> None:
    given = batch()
    person, layout = given["person"][:, 0], given["layout"][:, 0]
    assert torch.allclose(coarse(regions_of(person, layout)), person, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("has_texture", [True, False])
def test_the_whole_comes_from_the_sums_that_are_printed(has_texture: bool) -> None:
    """Equations 12 to 15, and the frame before blended into person and outline."""
    made, given = network(has_texture=has_texture, is_residual=False), batch()
    frames = filmed(made)
    assert made.whole is not None
    last = frames[-1]
    source = made.source(given["source"], given["source_layout"])
    there, _ = made.there(source, last.layout.picture)
    persons = torch.cat([frames[0].person, frames[1].person, last.coarse], 1)
    told = torch.cat([*(frame.layout.picture for frame in frames), windows(given)[:, -1]], 1)
    before = frames[1].person, frames[1].outside
    whole = Whole.of(made.whole, (there, persons, told), before, is_aligned=has_texture)
    assert torch.allclose(whole.person, last.person, atol=1e-5)
    moved = moved_by(torch.cat(before, 1), whole.flow)
    raw = torch.cat([whole.raw_person, whole.raw_outside], 1)
    blend = whole.weight * raw + (1 - whole.weight) * moved
    assert torch.allclose(torch.cat([whole.person, whole.outside], 1), blend, atol=1e-6)
    shown = whole.picture(given["behind"][:, -1])
    light = (whole.person + 1) + whole.outside * (given["behind"][:, -1] + 1)
    assert torch.allclose(shown + 1, light, atol=1e-5)
    other = Whole.of(made.whole, (there, persons, told), before, is_aligned=not has_texture)
    assert not torch.allclose(other.raw_person, whole.raw_person, atol=1e-3)
    assert torch.allclose(other.raw_outside, whole.raw_outside, atol=1e-6)  # F_2 and F_3 alone


@torch.no_grad()
def test_changes_begin_with_none() -> None:
    """Untrained: regions have the source's colours where the layout has them, and the whole is their sum."""
    given, made = batch(), Remot(RemotDesign(resolution=64, width=4)).eval()
    source = made.source(given["source"], given["source_layout"])
    past = made.past(given["pose"][:, 0])
    layout = given["layout"][:, 0]
    there = made.there(source, layout)
    parts = made.parts(layout, there, past)
    assert torch.allclose(parts, tinted(layout[:, 1:, None], *there), atol=1e-6)
    assert float((coarse(parts) - given["person"][:, 0]).abs().mean()) < 0.1
    frame, _ = made.frame(source, given["pose"][:, 0], past)
    assert torch.allclose(frame.person, frame.coarse, atol=1e-6)
    assert torch.allclose(frame.outside, frame.layout.picture[:, :1], atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize(("is_residual", "least", "most"), [(True, 0.95, 1.0), (False, 0.3, 0.7)])
def test_how_much_of_the_frame_before_is_there_at_first(is_residual: bool, least: float, most: float) -> None:
    given, made = batch(), Remot(RemotDesign(resolution=64, width=4, is_residual=is_residual)).eval()
    source = made.source(given["source"], given["source_layout"])
    _, past = made.frame(source, given["pose"][:, 0], made.past(given["pose"][:, 0]))
    second, _ = made.frame(source, given["pose"][:, 1], past)
    assert second.whole is not None
    assert second.layout.weight is not None
    for weight in (second.whole.weight, second.layout.weight):
        assert least < float(weight.min()) <= float(weight.max()) < most


def test_what_the_source_does_not_show_has_its_other_colours() -> None:
    given = batch()
    layout = given["source_layout"].clone()
    layout[:, 0] += layout[:, 4]
    layout[:, 4] = 0  # it has no shoes
    shown = tinted(torch.ones(1, 5, 1, 64, 48), given["source"], layout)
    mean = (given["source"] * (1 - layout[:, :1])).sum((2, 3)) / (1 - layout[:, :1]).sum()
    assert torch.allclose(shown[0, 3].mean((1, 2)), mean[0], atol=1e-3)
    head = (given["source"] * layout[:, 1:2]).sum((2, 3)) / layout[:, 1].sum()
    assert torch.allclose(shown[0, 0, :, -1].mean(1), head[0], atol=0.02)  # far from it, its mean


@torch.no_grad()
def test_what_is_remembered_is_no_blacker_than_black() -> None:
    loud = network()
    frames = filmed(loud)
    assert loud.whole is not None
    assert max(float(frame.parts.abs().max()) for frame in frames) > 1
    for frame in frames:
        assert float(frame.moment.parts.abs().max()) <= 1
        assert float(frame.person.abs().max()) <= 1
        assert 0 <= float(frame.outside.min()) <= float(frame.outside.max()) <= 1


@torch.no_grad()
def test_without_composition_the_sum_is_the_person() -> None:
    made = network(has_composition=False)
    assert not [name for name in made.state_dict() if name.startswith("whole")]
    last = filmed(made)[-1]
    assert last.whole is None
    assert torch.equal(last.person, last.coarse)
    assert torch.equal(last.outside, last.layout.picture[:, :1])


@torch.no_grad()
def test_a_film_begins_with_nothing_and_remembers_two_frames() -> None:
    made, given = network(), batch()
    past = made.past(given["pose"][:, 0])
    assert not past.is_known
    assert float(past.newer.layout.abs().max()) == 0
    assert float(past.newer.parts.max()) == float(past.newer.person.max()) == EMPTY
    moments = [frame.moment for frame in filmed(made)]
    for moment in moments:
        past = past.then(moment)
    assert past == Past(moments[1], moments[2], is_known=True)


def test_nothing_is_learned_through_what_one_network_gives_another() -> None:
    made = network().train()
    wholes = [frame.whole for frame in filmed(made)]
    torch.stack([whole.person.sum() + whole.outside.sum() for whole in wholes if whole is not None]).sum().backward()
    for name, weight in made.named_parameters():
        is_whole = name.startswith("whole.")
        assert (weight.grad is not None and bool(weight.grad.isfinite().all())) == is_whole, name


@torch.no_grad()
def test_made_ready_it_makes_the_same() -> None:
    made = network()
    for slow, quick in zip(filmed(made), filmed(made_ready(made)), strict=True):
        assert torch.allclose(slow.person, quick.person, atol=2e-3)
        assert torch.allclose(slow.outside, quick.outside, atol=2e-3)


def test_words_and_form() -> None:
    design = RemotDesign.of(USUAL)
    assert design == RemotDesign()
    assert design.size == (256, 192)
    assert design.layout.inputs == (6, 9, 12)
    assert design.region.inputs == (1, 9)
    assert design.whole.inputs == (3, 9, 27)
    assert RemotDesign(128).layout.flow_scale == 10
    for wrong in ({"resolution": "100"}, {"width": "9999"}, {"texture": "yes"}, {"width": "x"}):
        with pytest.raises((UsageError, ValueError)):
            RemotDesign.of({**USUAL, **wrong})


def test_options_that_contradict_weights_are_refused() -> None:
    known = {**USUAL, "texture": "off"}
    assert RemotOptions().words(known) == known
    with pytest.raises(UsageError, match="texture=on: the weights are of texture=off"):
        RemotOptions(texture="on").words(known)
    for wrong in ({"stages": "1:2"}, {"stages": "0:0:0"}, {"precision": "fp8"}, {"width": -1}, {"adversarial": -1.0}):
        with pytest.raises(UsageError):
            RemotOptions(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="resolution=70"):
        RemotOptions(resolution=70).words(None)


def test_the_published_size() -> None:
    """Parameters as estimated from the networks that it is made of: 116, 71 and 116 million."""
    design = RemotDesign()
    with torch.device("meta"):
        parts = [CompositeGenerator(form) for form in (design.layout, design.region, design.whole)]
    counts = [sum(each.numel() for each in part.parameters()) for part in parts]
    assert [round(count / 1e6) for count in counts] == [116, 71, 118]
