"""Pose2video as a method: its options, its tensors, and that a stream is what would be computed at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.backends.pose2video.films import CPU, SIZE, TINY, example
from tests.workflows.scenes import draw, motion_of, subject, waving
from torch import Tensor

from retarget_cli.backends.base import Window
from retarget_cli.backends.pose2video.backend import Pose2VideoBackend
from retarget_cli.backends.pose2video.design import ASIDE, Design
from retarget_cli.backends.pose2video.examples import FRAMES, span_of
from retarget_cli.backends.pose2video.model import Pose2Video
from retarget_cli.backends.pose2video.options import design_of
from retarget_cli.backends.pose2video.performer import UNSURE, Pose2VideoPerformer
from retarget_cli.backends.pose2video.screen import own_green, taken_away
from retarget_cli.backends.pose2video.skeleton import points, pose_maps
from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.stage.frame import Frame
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.core.errors import RetargetError, UsageError
from retarget_cli.core.motion import Motion
from retarget_cli.weights.checkpoints import Label, write_weights

SMALL = {"weights": "none", "resolution": "32", "width": "4", "levels": "1", "blocks": "1", "context": "1"}


def network_of(design: Design) -> Pose2Video:
    torch.manual_seed(0)
    network = Pose2Video(design).eval()
    for each in network.parameters():  # as they begin everything is nearly grey, and nothing of it is changed
        each.data *= 6
        each.data += 0.1 * torch.randn_like(each) * (each == 0)
    return network


def handed(motion: Motion, length: int) -> Iterator[Window]:
    for start in range(0, len(motion), length):
        yield Window(start, motion.rows(start, min(start + length, len(motion))))


def directly(network: Pose2Video, motion: Motion) -> Tensor:
    """Every frame by itself, all its neighbours computed anew."""
    person, design = subject(SIZE), network.design
    assert motion.theta is not None
    assert motion.camera is not None
    maps = pose_maps(points(Poser(person.body, person.betas).posture(motion.theta, CPU)), design.size, ASIDE)

    def about(frames: Tensor, row: int) -> Tensor:
        rows = [min(max(row + step, 0), len(frames) - 1) for step in range(-design.before, design.after + 1)]
        return frames[rows].flatten(0, 1)[None]

    laid = []
    for row in range(len(maps)):
        if network.second is None:
            made = network.first(about(maps, row))
        else:
            rough = torch.cat([network.first(about(maps, each)).together for each in range(len(maps))])
            made = network.second(about(rough, row))
        mask = ((made.mask - UNSURE) / (1 - 2 * UNSURE)).clamp(0, 1)
        person_of = taken_away(made.colours, mask, own_green(subject(SIZE).views))[0]
        frame = Frame.of(motion.camera[row], design.size, ASIDE).laid(person_of, SIZE)
        frame[:3] /= frame[3:].clamp_min(1e-6)
        laid.append(frame.clamp(0, 1))
    return torch.stack(laid)


def over_black(frames: Tensor) -> Tensor:
    """Colours as far as they are seen: where hardly anything is, they are quotients of hardly anything."""
    return torch.cat([frames[:, :3] * frames[:, 3:], frames[:, 3:]], 1)


@pytest.mark.parametrize(
    "design",
    [
        TINY, replace(TINY, context=2), replace(TINY, stages=1), replace(TINY, is_causal=True),
        replace(TINY, is_residual=False),
    ],
)
def test_a_stream_gives_what_is_computed_at_once(design: Design) -> None:
    """The ring buffer: each stage makes each frame once, and nothing differs."""
    network, motion = network_of(design), motion_of(waving(7), SIZE)
    with torch.inference_mode():
        expected = directly(network, motion)
    calls: list[int] = []
    performer = Pose2VideoPerformer(network, subject(SIZE), CPU)
    for stage in filter(None, (performer._network.first, performer._network.second)):
        stage.register_forward_hook(lambda _module, given, _made: calls.append(len(given[0])))
    for length in (1, 3, 50):
        calls.clear()
        found = torch.cat(list(performer.perform(handed(motion, length))))
        assert torch.allclose(over_black(found), over_black(expected), atol=2e-4)
        assert sum(calls) == 7 * design.stages
    assert float(expected[:, 3].max()) > 0.3


def test_a_frame_comes_as_soon_as_its_neighbours_are_known() -> None:
    """Read ahead are two neighbours for each stage and no more, however long the clip."""
    performer = Pose2VideoPerformer(network_of(replace(TINY, context=2)), subject(SIZE), CPU)
    motion, read = motion_of(waving(12), SIZE), 0

    def windows() -> Iterator[Window]:
        nonlocal read
        for window in handed(motion, 1):
            read += 1
            yield window

    given, ahead = 0, []
    for part in performer.perform(windows()):
        ahead.append(read - given - len(part))
        given += len(part)
    assert given == 12
    assert max(ahead) <= 4
    assert ahead[:8] == [4] * 8


def test_recursion_carries_the_frame_before() -> None:
    design = Design(resolution=32, width=4, levels=1, blocks=1, context=0, stages=1, is_recursive=True)
    performer, motion = Pose2VideoPerformer(network_of(design), subject(SIZE), CPU), motion_of(waving(6), SIZE)
    whole = torch.cat(list(performer.perform(handed(motion, 6))))
    assert torch.allclose(torch.cat(list(performer.perform(handed(motion, 1)))), whole, atol=1e-5)
    later = torch.cat(list(performer.perform(handed(motion.rows(3, 6), 3))))
    assert not torch.allclose(later[0], whole[3], atol=1e-4)


@torch.inference_mode()
def test_the_second_stage_begins_with_what_the_first_has_made() -> None:
    """Also where there is an enhancer, at both sizes; what it learns is added."""
    for design in (TINY, replace(TINY, is_causal=True, context=2), replace(TINY, is_enhanced=True)):
        network = Pose2Video(design)
        assert network.second is not None
        frames = torch.rand(2, design.seen, 4, *design.size)
        frames[:, :, :3] = frames[:, :, :3] * 2 - 1
        ways = [network.second, network.second.small] if design.is_enhanced else [network.second]
        for way in ways:
            assert torch.equal(way(frames.flatten(1, 2)).together, frames[:, design.before])
        head = network.second.generator.head.conv
        head.bias.data = torch.tensor([0.0, 0.25, 0.0, -0.5]).atanh()
        changed = network.second(frames.flatten(1, 2)).together - frames[:, design.before]
        assert torch.allclose(changed, torch.tensor([0.0, 0.5, 0.0, -0.5])[:, None, None].expand_as(changed), atol=1e-6)


@torch.inference_mode()
def test_the_second_stage_may_make_the_frame_anew() -> None:
    network = Pose2Video(replace(TINY, is_residual=False))
    assert network.second is not None
    stack = torch.rand(1, TINY.seen * 4, *TINY.size)
    made = network.second(stack)
    assert float((made.colours - stack[:, 4:7]).abs().mean()) > 0.1
    masks = torch.arange(stack.shape[1]) % 4 == 3
    assert torch.equal(network.second(stack * ~masks[:, None, None]).mask, made.mask)  # it sees colours alone


def test_half_precision_is_nearly_the_same() -> None:
    network, motion = network_of(TINY), motion_of(waving(3), SIZE)
    full, half = (
        torch.cat(list(Pose2VideoPerformer(network, subject(SIZE), CPU, is_half).perform(handed(motion, 3))))
        for is_half in (False, True)
    )
    assert float((full - half).abs().mean()) < 0.02


def test_an_example_is_tensors_of_one_form() -> None:
    span = span_of(TINY)
    assert (span.before, span.after, span.shown) == (2, FRAMES - 1 + 2, FRAMES)
    backend = make_backend("pose2video", SMALL, CPU)
    assert isinstance(backend, Pose2VideoBackend)
    assert backend.span() == span
    found = backend.tensors(example(TINY, has_others=True))
    assert {name: tuple(each.shape) for name, each in found.items()} == {
        "points": (7, 29, 3), "others": (7, 29, 3), "pictures": (FRAMES, 4, 32, 16),
    }  # fmt: skip
    # Limbs lie on the person, in every frame; fingertips are thinner than a pixel.
    drawn = pose_maps(found["points"][span.before : span.before + FRAMES], TINY.size, ASIDE)[:, :10]
    assert float((found["pictures"][:, 3:] * drawn).sum() / drawn.sum()) > 0.75
    assert not (found["pictures"][:, :3] * (found["pictures"][:, 3:] == 0)).any()
    still = backend.tensors(replace(example(TINY), course=None))
    assert torch.equal(still["points"][0], still["points"][-1])
    assert torch.equal(still["pictures"][0], still["pictures"][-1])
    assert "others" not in still


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"resolution": "42"}, "multiple of 4"),
        ({"resolution": "16"}, "32 to 1024"),
        ({"context": "9"}, "0 to 8"),
        ({"stages": "3"}, "1 to 2"),
        ({"causal": "perhaps"}, "auto, yes, no"),
        ({"recursive": "yes"}, "stages=1"),
        ({"share": "1"}, "0.5"),
        ({"adversarial": "-1"}, ""),
        ({"discriminator_width": "0"}, ""),
    ],
)
def test_options_that_can_not_be(said: dict[str, str], hint: str) -> None:
    with pytest.raises(UsageError) as told:
        make_backend("pose2video", {**SMALL, **said}, CPU)
    assert hint in told.value.hint
    assert next(iter(said)) in told.value.message


def test_designs_are_told_in_words() -> None:
    backend = make_backend("pose2video", {**SMALL, "causal": "yes"}, CPU)
    assert isinstance(backend, Pose2VideoBackend)
    assert design_of(backend.design()) == replace(TINY, is_causal=True)
    for word in ("x", "-3", "100000"):
        with pytest.raises((ValueError, RetargetError)):
            design_of({**backend.design(), "width": word})


def test_base_weights_show_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that says what to do; with a personalisation, or if one insists, it goes on."""
    giver = make_backend("pose2video", SMALL, CPU)
    assert isinstance(giver, Pose2VideoBackend)
    path = tmp_path / "pose2video-32.safetensors"
    write_weights(path, dict(giver.generator.state_dict()), Label("pose2video", giver.design(), (), 1, "made up"))
    monkeypatch.setattr("retarget_cli.backends.designed.find_weights", lambda _name, _given: path)
    person = subject(SIZE)
    backend = make_backend("pose2video", {}, CPU)
    with pytest.raises(UsageError, match="tuned to nobody") as told:
        backend.prepare(person)
    assert "retarget personalize" in told.value.hint
    assert isinstance(backend, Pose2VideoBackend)
    assert len(backend.lineage()["sha256"]) == 64
    backend.adopt(giver.generator.state_dict(), giver.design(), "me.subject")
    backend.prepare(person)
    make_backend("pose2video", {"generic": "yes"}, CPU).prepare(person)
    with pytest.raises(UsageError, match="width=8"):
        make_backend("pose2video", {"width": "8"}, CPU)


def test_the_base_weights_stand_where_the_body_stands() -> None:
    """They know what a person is: somebody, in every pose."""
    size = (192, 128)
    poses = waving(4)
    backend = make_backend("pose2video", {"generic": "yes"}, CPU)
    frames = torch.cat(list(backend.prepare(subject(size)).perform(handed(motion_of(poses, size), 4))))
    for frame, theta in zip(frames, poses, strict=True):
        shown, true = frame[3].numpy() > 0.5, draw(size, theta).mask > 0.5
        assert (shown & true).sum() / (shown | true).sum() > 0.7


def test_pictures_of_the_person_are_not_looked_at() -> None:
    """What is shown lies in the weights."""
    motion, person = motion_of(waving(2), SIZE), subject(SIZE)
    grey = replace(person.primary, image=np.full_like(person.primary.image, 128))
    network = network_of(TINY)
    one, other = (
        torch.cat(list(Pose2VideoPerformer(network, each, CPU).perform(handed(motion, 2))))
        for each in (person, replace(person, views=(grey,)))
    )
    assert torch.equal(one, other)
