"""The backend around the networks: options, weights, one person made ready and moved, seen from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tests.reference_weights import fill
from tests.workflows.scenes import draw, motion_of, subject, waving
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.base import Window
from retarget_cli.backends.bottleneck.backend import BottleneckBackend
from retarget_cli.backends.bottleneck.fast import FastBottleneck
from retarget_cli.backends.bottleneck.inputs import seen_person
from retarget_cli.backends.bottleneck.performer import BottleneckPerformer
from retarget_cli.backends.bottleneck.sampling import resized_places, sampled
from retarget_cli.backends.registry import make_backend
from retarget_cli.backends.stage.poser import Poser
from retarget_cli.backends.trainable import Phase
from retarget_cli.body.viewpoint import turn_about
from retarget_cli.core.errors import RetargetError, UsageError, WeightsError
from retarget_cli.core.example import Example
from retarget_cli.core.subject import Subject
from retarget_cli.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from retarget_cli.weights.checkpoints import Label, write_weights

CPU = torch.device("cpu")
SIZE = (96, 64)
TINY = {"weights": "none", "resolution": "64", "width": "4", "channels": "4"}


def tiny(**said: str) -> BottleneckBackend:
    torch.manual_seed(0)
    backend = make_backend("bottleneck", {**TINY, **said}, CPU)
    assert isinstance(backend, BottleneckBackend)
    return backend


def learned(**said: str) -> BottleneckBackend:
    """Of weights that are nobody's beginning: no layer is silent."""
    backend = tiny(**said)
    backend.generator.load_state_dict(fill(backend.generator), strict=False)
    return backend


@pytest.fixture(scope="module")
def person() -> Subject:
    return subject(SIZE, np.pi, 0.9)


def shown(backend: BottleneckBackend, person: Subject, theta: np.ndarray, camera: np.ndarray | None = None) -> Tensor:
    motion = motion_of(theta, SIZE)
    if camera is not None:
        motion = replace(motion, camera=np.tile(camera, (len(theta), 1)).astype(np.float32))

    def windows() -> Iterator[Window]:
        yield Window(0, motion)

    return torch.cat(list(backend.prepare(person).perform(windows())))


@pytest.mark.parametrize(
    "said",
    [
        {"resolution": "100"}, {"resolution": "32"}, {"resolution": "2048"}, {"width": "-1"}, {"channels": "999"},
        {"levels": "4"}, {"skips": "maybe"}, {"driven_by": "pixels"}, {"background": "sea"},
        {"background_network": "2"}, {"references": "0"}, {"references": "9"}, {"precision": "fp16"},
        {"rotations": "yes"}, {"adversarial": "-1"}, {"adversarial": "nan"}, {"discriminator_width": "0"},
        {"background": "network", "background_network": "no"},
    ],
)  # fmt: skip
def test_impossible_options_are_refused_in_a_line(said: dict[str, str]) -> None:
    with pytest.raises(UsageError) as told:
        tiny(**said)
    assert "\n" not in told.value.line
    assert next(iter(said)) in told.value.line


@pytest.mark.parametrize(
    "said", [{}, {"driven_by": "maps"}, {"levels": "1"}, {"skips": "no"}, {"precision": "bf16"}, {"resolution": "96"}]
)
def test_every_form_moves_somebody(person: Subject, said: dict[str, str]) -> None:
    backend = learned(**said)
    frames = shown(backend, person, waving(3))
    assert frames.shape == (3, 4, *SIZE)
    assert float((frames[0] - frames[1]).abs().max()) > 1e-3
    assert backend.design().items() >= {
        "levels": said.get("levels", "3"), "skips": said.get("skips", "yes"),
        "driven_by": said.get("driven_by", "joints"), "resolution": said.get("resolution", "64"),
    }.items()  # fmt: skip


def test_weights_have_their_own_form(person: Subject, tmp_path: Path) -> None:
    giver = learned(levels="2", driven_by="maps", background_network="no")
    path = tmp_path / "mine.safetensors"
    write_weights(path, giver.generator.state_dict(), Label("bottleneck", giver.design()))
    taker = make_backend("bottleneck", {"weights": str(path)}, CPU)
    assert isinstance(taker, BottleneckBackend)
    assert taker.design() == giver.design()
    assert taker.lineage()["base"] == path.name
    assert torch.equal(shown(taker, person, waving(2)), shown(giver, person, waving(2)))
    for name, value in (("levels", "3"), ("driven_by", "joints"), ("resolution", "128"), ("width", "5")):
        with pytest.raises(UsageError, match=f"{name}={value}: the weights are of"):
            make_backend("bottleneck", {"weights": str(path), name: value}, CPU)
    with pytest.raises(UsageError, match="no background network"):
        make_backend("bottleneck", {"weights": str(path), "background": "network"}, CPU)


@pytest.mark.parametrize(
    "changes", [{"width": "5"}, {"width": "10000"}, {"levels": "77"}, {"driven_by": "x"}, {"skips": "x"}]
)
def test_a_damaged_design_costs_nothing(tmp_path: Path, changes: dict[str, str]) -> None:
    giver = tiny()
    path = tmp_path / "mine.safetensors"
    write_weights(path, giver.generator.state_dict(), Label("bottleneck", {**giver.design(), **changes}))
    with pytest.raises(WeightsError, match="mine") as told:
        make_backend("bottleneck", {"weights": str(path)}, CPU)
    assert "\n" not in told.value.line


def test_a_file_of_another_method_or_none(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    write_weights(path, {"a": torch.zeros(1)}, Label("liquid-warp", {}))
    with pytest.raises(WeightsError, match="liquid-warp"):
        make_backend("bottleneck", {"weights": str(path)}, CPU)
    with pytest.raises(RetargetError, match="no such file"):
        make_backend("bottleneck", {"weights": str(tmp_path / "gone")}, CPU)


def test_as_many_views_are_used_as_are_asked_for(person: Subject) -> None:
    theta = waving(2)
    alone = shown(learned(), replace(person, views=person.views[:1]), theta)
    assert torch.equal(shown(learned(references="1"), person, theta), alone)
    assert float((shown(learned(references="2"), person, theta) - alone).abs().max()) > 1e-3
    example = Example(person, person.primary, person.plate)
    assert [len(learned(references=count).tensors(example)["pictures"]) for count in "128"] == [1, 2, 3]
    assert [len(each.subject.views) for each in learned(references="2").personal_examples(person)] == [2, 2, 2]


def test_views_are_looked_at_once(person: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that looks at them is done before the first frame."""
    backend = tiny()
    counted: list[str] = []
    for owner, name in ((backend.network, "encode"), (backend.network, "places"), (FastBottleneck, "posed")):
        one = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, one=one, name=name: (counted.append(name), one(*given))[1])
    performer = backend.prepare(person)
    assert counted == ["encode", "places", "encode", "places", "encode"]
    counted.clear()
    list(performer.perform(iter([Window(0, motion_of(waving(2), SIZE))])))
    assert counted == ["posed"]


def test_the_person_moves_with_the_camera(person: Subject) -> None:
    """What the network makes goes where the hips are; around its square nothing is."""
    backend, theta = tiny(), waving(1)
    small = np.array([14, 30, 40], np.float32)
    one = shown(backend, person, theta, small)[0]
    other = shown(backend, person, theta, small + np.array([0, 9, 20], np.float32))[0]
    assert torch.allclose(one[:, :70, :50], other[:, 20:90, 9:59], atol=1e-4)
    half = 14 * 1.25
    assert not one[3, :, : int(30 - half) - 1].any()
    assert not one[3, int(40 + half) + 2 :].any()
    assert one[3, 40, 30] > 0


def test_a_turned_pose_turns_the_volume(person: Subject) -> None:
    """Seen from elsewhere, the volume is turned rigidly: driven by maps by rule, by joints as the untrained flow is.

    The latter is found at a lower resolution, and differs where the cube ends.
    """
    theta = np.tile(person.primary.theta, (4, 1, 1))
    turns = turn_about(np.array([0, 30, 90, 200], np.float32), np.zeros(4, np.float32))
    theta[:, 0] = matrix_to_axis_angle(turns @ axis_angle_to_matrix(torch.from_numpy(theta[:, 0]))).numpy()
    for backend, tolerance in ((learned(driven_by="maps"), 1e-5), (tiny(), 0.25)):
        performer = backend.prepare(person)
        assert isinstance(performer, BottleneckPerformer)
        turned = torch.stack(list(performer.turntable([0, 30, 90, 200])))
        camera = np.array([64 / 2.5, 32, 32], np.float32)  # pixel for pixel
        frames = shown(backend, person, theta, camera)[:, :, :64]
        apart = [[float((one - other).abs().mean()) for other in turned] for one in frames]
        scale = apart[0][2]
        for row, each in enumerate(apart):
            assert each[row] == min(each)
            assert each[row] < tolerance * scale


def test_the_untrained_flow_already_carries_the_photo_along(person: Subject) -> None:
    """Squares, postures and flow agree: the photo as a volume, moved and looked at where the body is, is the pose's."""
    theta = waving(4)
    network = tiny(resolution="128").network
    poser = Poser("anny", person.betas)
    own, target = poser.posture(person.primary.theta[None], CPU).expand(4), poser.posture(theta, CPU)
    picture = seen_person(person.primary, 128)[None]
    size = network.design.sizes[0]
    with torch.inference_mode():
        places = resized_places(network.places(picture.expand(4, -1, -1, -1), own, target), size)
        deep = functional.avg_pool2d(picture, 4)[:, :, None].expand(-1, -1, size[0], -1, -1)
        body = network.body(target)
        assert body is not None
        body = functional.interpolate(body, size, mode="trilinear")
        moved = (sampled(deep, places) * body).sum(2) / body.sum(2).clamp_min(0.3)
    shown = moved[:, 3] > 0.5
    true = torch.stack([seen_person(draw(SIZE, pose).view, size[1])[3] > 0.5 for pose in theta])
    alike = [float((mine & yours).sum() / (mine | yours).sum()) for mine, yours in zip(shown, true, strict=True)]
    assert min(alike) > 0.85
    # The arm that goes up is a few cells; without it no pose is so well met.
    assert float((shown[2] & true[0]).sum() / (shown[2] | true[0]).sum()) < alike[2] - 0.05


def test_maps_ask_the_network_once_a_joint_is_bent(person: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = learned(driven_by="maps")
    asked: list[int] = []
    posed = FastBottleneck.posed
    monkeypatch.setattr(
        FastBottleneck, "posed", lambda self, target: (asked.append(len(target.joints)), posed(self, target))[1]
    )
    alone = replace(person, views=person.views[:1])
    shown(backend, alone, np.tile(person.primary.theta, (2, 1, 1)))
    assert asked == []
    mixed = np.tile(person.primary.theta, (3, 1, 1))
    mixed[1, 18, 1] += 0.3
    frames = shown(backend, alone, mixed)
    assert asked == [1]
    assert torch.allclose(frames[0], frames[2], atol=1e-5)
    assert float((frames[0] - frames[1]).abs().max()) > 1e-3


def test_the_background_network_paints_where_the_person_was(person: Subject) -> None:
    backend = learned(background="network")
    painted = backend.painted_behind(person).plate
    mask, image = person.primary.mask > 0, person.primary.image
    away = cv2.dilate(mask.astype(np.uint8), np.ones((21, 21), np.uint8)) == 0
    assert away.sum() > 100
    assert np.array_equal(painted[away], image[away])
    assert np.abs(painted[mask].astype(int) - image[mask]).mean() > 10
    other = replace(person.primary, image=np.where(mask[..., None], 255 - image, image))
    again = backend.painted_behind(replace(person, views=(other, *person.views[1:]))).plate
    assert np.abs(again.astype(int) - painted).max() <= 1  # nothing of the person is looked at
    assert tiny().painted_behind(person).plate is person.plate


def test_the_game_is_as_the_options_say() -> None:
    assert list(tiny().game(Phase.TRAIN).players) == ["generator", "discriminator"]
    assert list(tiny(adversarial="0").game(Phase.TRAIN).players) == ["generator"]
    sizes = [
        sum(each.numel() for each in tiny(**said).game(Phase.TRAIN).players["discriminator"].parameters())
        for said in ({"discriminator_width": "8"}, {"discriminator_width": "8", "rotations": "off"})
    ]
    assert sizes[1] < sizes[0]
