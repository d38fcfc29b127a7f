"""The whole method: special cases are exact, views are weighed, and it learns."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.self_appearance.appearance import AppearanceDesign
from retarget_cli.backends.self_appearance.dense_motion import MotionDesign
from retarget_cli.backends.self_appearance.evolution import EvolutionOptions
from retarget_cli.backends.self_appearance.first_order import FirstOrder, FirstOrderDesign
from retarget_cli.backends.self_appearance.generator import GeneratorDesign
from retarget_cli.backends.self_appearance.initial_motion import Kind
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign
from retarget_cli.backends.self_appearance.model import SelfAppearance, SelfAppearanceDesign, mean

OFF = EvolutionOptions("off")
SIZE = (48, 64)


def parts(kind: Kind, has_occlusion: bool) -> tuple[DetectorDesign, MotionDesign, GeneratorDesign]:
    return (
        DetectorDesign(count=3, width=8, levels=2, jacobians=0 if kind == "displacements" else 3),
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
        appearance.flow.bias[0] = 2 / 15  # type: ignore[index]  # one pixel to the right
        assert (appearance.borrowed(features)[..., :-1] - features[..., 1:]).abs().max() < 1e-4


def test_views_are_weighed_by_confidence() -> None:
    made = small()
    source, reference, driving = (pictures(3)[row : row + 1] for row in range(3))
    with torch.no_grad():
        views = [made.encode(source), made.encode(reference)]
        found = made.detector(driving)
        motions = [made.motion(view.motion, found) for view in views]
        weights = made.weights(motions, 12, 16)
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


def test_gradients_reach_everything() -> None:
    made = small(evolution=EvolutionOptions("midpoint", 2)).train()
    batch = pictures(3)
    views = [made.encode(batch[:1].expand(2, -1, -1, -1)), made.encode(batch[1:2].expand(2, -1, -1, -1))]
    for weights in (made.evolution.change.last.weight, made.appearance.flow.weight):  # type: ignore[union-attr]
        torch.nn.init.normal_(weights, std=0.01)
    (made(views, made.detector(batch[1:])).pictures - batch[1:]).abs().mean().backward()
    silent = [name for name, each in made.named_parameters() if each.grad is None or not each.grad.abs().sum()]
    assert [name for name in silent if "bias" not in name] == []


def test_one_batch_is_learned() -> None:
    made = small(evolution=EvolutionOptions("euler", 2)).train()
    batch = pictures(2)
    optimizer = torch.optim.Adam(made.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        made_of = made([made.encode(batch[:1])], made.detector(batch[1:]))
        loss = (made_of.pictures - batch[1:]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.35 * losses[0]
