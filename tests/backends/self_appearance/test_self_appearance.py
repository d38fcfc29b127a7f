"""The whole method: special cases are exact, views are weighed, and it learns."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.self_appearance.appearance import AppearanceDesign
from retarget_cli.backends.self_appearance.articulated import Articulated, ArticulatedDesign
from retarget_cli.backends.self_appearance.dense_motion import MotionDesign
from retarget_cli.backends.self_appearance.evolution import EvolutionOptions
from retarget_cli.backends.self_appearance.first_order import FirstOrder, FirstOrderDesign
from retarget_cli.backends.self_appearance.generator import GeneratorDesign
from retarget_cli.backends.self_appearance.initial_motion import Kind
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign
from retarget_cli.backends.self_appearance.model import SelfAppearance, SelfAppearanceDesign, mean, shares
from retarget_cli.backends.self_appearance.regions import BackgroundPredictor

OFF = EvolutionOptions("off")
SIZE = (48, 64)


def parts(kind: Kind, has_occlusion: bool) -> tuple[DetectorDesign, MotionDesign, GeneratorDesign]:
    return (
        DetectorDesign(count=3, width=8, levels=2, jacobians=3 if kind == "first-order" else 0),
        MotionDesign(kind, count=3, width=8, levels=2, has_occlusion=has_occlusion),
        GeneratorDesign(width=8, depth=1),
    )


def small(
    kind: Kind = "displacements",
    evolution: EvolutionOptions = OFF,
    has_appearance: bool = True,
    occlusion: bool = False,
) -> SelfAppearance:
    torch.manual_seed(0)
    appearance = AppearanceDesign(width=8, levels=2) if has_appearance else None
    return SelfAppearance(SelfAppearanceDesign(*parts(kind, occlusion), evolution, appearance)).eval()


def pictures(count: int) -> Tensor:
    torch.manual_seed(1)
    return functional.interpolate(torch.rand(count, 3, 6, 8), SIZE, mode="bilinear")


@pytest.mark.parametrize("kind", ["displacements", "first-order"])
@pytest.mark.parametrize("occlusion", [False, True])
def test_without_its_parts_it_is_the_special_case(kind: Kind, occlusion: bool) -> None:
    whole = small(kind, has_appearance=False, occlusion=occlusion)
    special = FirstOrder(FirstOrderDesign(*parts(kind, occlusion))).eval()
    state = whole.state_dict()
    special.load_state_dict({name: state[name] for name in special.state_dict()})
    source, driving = pictures(3)[:1], pictures(3)[1:]
    with torch.no_grad():
        ours = whole([whole.encode(source)], whole.detector(driving))
        theirs = special(special.encode(source), special.detector(driving))
    assert torch.equal(ours.pictures, theirs.pictures)
    assert torch.equal(ours.motion.flow, theirs.motion.flow)
    assert ours.pictures.shape == (2, 3, *SIZE)


@pytest.mark.parametrize("moves_behind", [False, True])
def test_without_its_parts_and_with_regions_it_is_articulated_animation(moves_behind: bool) -> None:
    whole = small("articulated", has_appearance=False, occlusion=True)
    assert isinstance(whole.background, BackgroundPredictor)
    torch.nn.init.normal_(whole.background.affine.weight, std=0.1)
    special = Articulated(ArticulatedDesign(*parts("articulated", True)), align_corners=True).eval()
    state = {name.replace("detector.", "regions."): value for name, value in whole.state_dict().items()}
    special.load_state_dict({name: state[name] for name in special.state_dict()})
    source, driving = pictures(3)[:1], pictures(3)[1:]
    with torch.no_grad():
        behind = whole.background(source, driving) if moves_behind else None
        ours = whole([whole.encode(source)], whole.detector(driving), [behind])
        theirs = special(special.encode(source), special.regions(driving), behind)
        fixed = whole([whole.encode(source)], whole.detector(driving))
    assert torch.equal(ours.pictures, theirs.pictures)
    assert torch.equal(ours.motion.flow, theirs.motion.flow)
    assert torch.equal(ours.motion.flow, fixed.motion.flow) is not moves_behind


def test_an_untrained_evolution_is_none_and_a_trained_one_moves() -> None:
    source, driving = pictures(2)[:1], pictures(2)[1:]
    with torch.no_grad():
        plain, evolving = small(), small(evolution=EvolutionOptions("rk4", 2))
        evolving.load_state_dict(plain.state_dict())
        still = evolving([evolving.encode(source)], evolving.detector(driving))
        wanted = plain([plain.encode(source)], plain.detector(driving))
        assert (still.pictures - wanted.pictures).abs().max() < 1e-5
        evolving.evolution.change.last.bias.fill_(0.3)  # type: ignore[union-attr]
        moved = evolving([evolving.encode(source)], evolving.detector(driving))
    assert (moved.motion.flow - wanted.motion.flow - 0.3).abs().max() < 1e-5
    assert (moved.pictures - wanted.pictures).abs().max() > 1e-4


def test_untrained_appearance_looks_at_itself() -> None:
    appearance = small().appearance
    assert appearance is not None
    features = torch.rand(2, 32, 12, 16)
    with torch.no_grad():
        assert (appearance.borrowed(features) - features).abs().max() < 1e-5
        assert (appearance.merged(appearance.borrowed(features), features) - features).abs().max() < 1e-5
        appearance.flow.bias[0] = 2 / 15  # type: ignore[index]  # one pixel to the right
        assert (appearance.borrowed(features)[..., :-1] - features[..., 1:]).abs().max() < 1e-4


def test_views_are_weighed_by_confidence() -> None:
    made = small()
    source, reference, driving = (pictures(3)[row : row + 1] for row in range(3))
    with torch.no_grad():
        views = [made.encode(source), made.encode(reference)]
        found = made.detector(driving)
        motions = [made.motion(view.motion, found) for view in views]
        weights = shares(made.confidences(motions), 12, 16)
        assert all(weight is not None and weight.shape == (1, 1, 12, 16) for weight in weights)
        assert torch.allclose(sum(weight for weight in weights if weight is not None), torch.ones(1))  # type: ignore[arg-type]
        both, again = made(views, found).pictures, made(views[::-1], found).pictures
        alone = made(views[:1], found).pictures
        twice = made([views[0], views[0]], found).pictures
    assert torch.allclose(both, again, atol=1e-6)
    assert torch.allclose(alone, twice, atol=1e-6)
    assert (both - alone).abs().max() > 1e-4
    one, other = torch.ones(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    assert torch.equal(mean([one, other], [torch.full((1, 1, 3, 3), 0.25), torch.full((1, 1, 3, 3), 0.75)]), 0.25 * one)


@pytest.mark.parametrize("kind", ["displacements", "articulated"])
def test_gradients_reach_everything(kind: Kind) -> None:
    made = small(kind, evolution=EvolutionOptions("midpoint", 2), occlusion=kind == "articulated").train()
    batch = pictures(3)
    views = [made.encode(batch[:1].expand(2, -1, -1, -1)), made.encode(batch[1:2].expand(2, -1, -1, -1))]
    for weights in (made.evolution.change.last.weight, made.appearance.flow.weight):  # type: ignore[union-attr]
        torch.nn.init.normal_(weights, std=0.01)
    behind = None
    if made.background is not None:
        torch.nn.init.normal_(made.background.affine.weight, std=0.01)
        behind = [made.background(batch[:1], batch[1:]), made.background(batch[1:2], batch[1:])]
    (made(views, made.detector(batch[1:]), behind).pictures - batch[1:]).abs().mean().backward()
    silent = [name for name, each in made.named_parameters() if each.grad is None or not each.grad.abs().sum()]
    assert [name for name in silent if "bias" not in name] == []
