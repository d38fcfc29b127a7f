"""Personalising methods that are led by pixels: from pictures of anything to a film of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.media_maker import Clip, make_video, picture, probe
from tests.workflows.led_toy_method import PLACES, LedToy
from tests.workflows.scenes import motion_of, subject, waving
from tests.workflows.test_personalize import Watching, assert_same_weights, left
from tests.workflows.toy_method import PLACES as OF_PEOPLE

from retarget_cli.backends import registry
from retarget_cli.body.viewpoint import Orbit
from retarget_cli.core.errors import InputError, Interrupted, RetargetError, UsageError
from retarget_cli.evaluation.protocols import Pick, Protocol, Task
from retarget_cli.media.images import write_png
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.workflows import personalize as module
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.evaluate import EvaluateOptions, evaluate
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.personalize import PersonalizeOptions, PersonalizeResult, personalize
from retarget_cli.workflows.subject_file import SavedSubject, load_subject, read_metadata, save_subject
from retarget_cli.workflows.view import view

STEPS = 6
TENTH = Fraction(10)
Make = Callable[..., PersonalizeResult]


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **OF_PEOPLE, **PLACES})


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures in which nobody is, and two clips."""
    folder = tmp_path_factory.mktemp("things")
    write_png(folder / "one.png", picture(48, 64, 40))
    write_png(folder / "two.png", picture(96, 128, 90))
    make_video(folder / "clip.mp4", Clip((48, 64), TENTH, 12))
    make_video(folder / "leader.mp4", Clip((64, 64), TENTH, 10))
    save_motion(folder / "wave.motion", motion_of(waving(2), (96, 64)), {})
    return folder


@pytest.fixture
def make(things: Path, tmp_path: Path) -> Make:
    """Personalise the toy to a picture; anything can be said otherwise."""

    def made(watcher: object = None, output: str = "it.subject", **said: object) -> PersonalizeResult:
        sources = said.pop("sources", ("one.png",))
        driving = tuple(things / name for name in said.pop("driving", ()))  # type: ignore[attr-defined]
        words = ("steps", "save_every", "picture_every")
        lesson = {name: said.pop(name) for name in words if name in said}
        options = PersonalizeOptions(
            tuple(str(things / name) for name in sources),  # type: ignore[attr-defined]
            str(tmp_path / output),
            lesson=LessonOptions(**{"steps": STEPS, **lesson}),  # type: ignore[arg-type]
            driving=driving,
            **{"backend": "led-toy", "device": "cpu", **said},  # type: ignore[arg-type]
        )
        return personalize(options, None, None, watcher)  # type: ignore[arg-type]

    return made


def test_nothing_is_perceived_and_the_file_holds_pictures_and_weights(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "prepare_subject", None)
    monkeypatch.setattr(module, "load_body", None)
    result = make(sources=("one.png", "two.png"), settings=(("tint", "0.25"),))
    assert (result.views, result.frames, result.steps, result.size) == (2, 0, STEPS, (48, 64))
    assert left(tmp_path) == ["it.subject"]
    saved = load_subject(result.path)
    assert saved.subject.is_unperceived
    assert (saved.backend, saved.settings, saved.subject.name) == ("led-toy", {"tint": "0.25"}, "one")
    assert np.array_equal(saved.subject.primary.image, picture(48, 64, 40))
    assert np.array_equal(saved.subject.plate, saved.subject.primary.image)
    assert saved.subject.primary.mask.min() == 1
    assert [name for name in load_file(result.path) if not name.startswith("weights.")] == ["views.image"]
    assert read_metadata(result.path)["version"] == "1"
    untrained = LedToy(LedToy.options(), torch.device("cpu")).generator.state_dict()
    assert any(not torch.equal(tensor.float(), untrained[name].half().float()) for name, tensor in saved.state.items())


def test_it_learns_from_the_clip_and_from_the_driving_clip(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = LedToy.tensors

    def noted(self: LedToy, example: object) -> object:
        tensors = real(self, example)  # type: ignore[arg-type]
        seen.append(tuple(tensors["target"].shape[1:]))
        return tensors

    monkeypatch.setattr(LedToy, "tensors", noted)
    watcher = Watching()
    result = make(watcher, sources=("clip.mp4",), driving=("leader.mp4",), steps=40)
    assert (result.views, result.frames) == (8, 22)
    losses = [step.losses["generator"]["pixel"] for step in watcher.steps]
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])
    assert 8 < seen.count((64, 64)) < 32
    assert seen.count((48, 64)) == len(seen) - seen.count((64, 64))


@pytest.mark.parametrize("driving", [(), ("leader.mp4",)])
def test_stopping_and_going_on_is_as_not_stopping(make: Make, tmp_path: Path, driving: tuple[str, ...]) -> None:
    whole = load_subject(make(output="whole.subject", driving=driving, is_half=False).path)
    with pytest.raises(Interrupted) as told:
        make(Watching(3), driving=driving, is_half=False, save_every=2)
    done = int(told.value.message.split()[0])
    assert left(tmp_path / "it.subject.progress") == ["person.safetensors", "run.json", "state.safetensors"]
    with pytest.raises(UsageError, match="holds another personalisation: its driving clips is"):
        make(driving=() if driving else ("leader.mp4",))
    result = make(driving=driving, is_half=False, save_every=2)
    assert (result.resumed, result.steps) == (done, STEPS)
    assert_same_weights(load_subject(result.path), whole)
    assert left(tmp_path) == ["it.subject", "whole.subject"]


def test_pictures_of_the_way(make: Make, tmp_path: Path) -> None:
    make(picture_every=3, preview=tmp_path / "way")
    assert left(tmp_path / "way") == ["000000.png", "000003.png", "000006.png"]


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"driving": ("wave.motion",)}, UsageError, r"wave\.motion: a motion file holds no pictures"),
        ({"driving": ("none.mp4",)}, InputError, r"--driving .*none\.mp4: there is no such file"),
        ({"driving": ("clip.mp4",) * 25}, UsageError, "25 clips, expected 24 at most"),
        ({"source_person": "left"}, UsageError, "--source-person: --backend led-toy .* knows of no person"),
        ({"backend": "toy", "driving": ("clip.mp4",)}, UsageError, "--driving: --backend toy learns one person"),
        ({"sources": ("wave.motion",)}, InputError, r"wave\.motion"),
        ({"sources": ("one.png",) * 9}, UsageError, "9 source files"),
    ],
)
def test_what_can_not_be_done_is_told_at_once_and_leaves_nothing(
    make: Make, tmp_path: Path, changes: dict[str, object], kind: type[RetargetError], text: str
) -> None:
    with pytest.raises(kind, match=text) as told:
        make(**changes)
    assert told.value.hint
    assert "\n" not in told.value.line
    assert left(tmp_path) == []


def filmed(things: Path, tmp_path: Path, subject: Path, **changes: object) -> Path:
    path = tmp_path / "film.mp4"
    said = {"sources": (), "subject": subject, "driving": things / "leader.mp4", "device": "cpu", **changes}
    animate(AnimateOptions(output=str(path), **said))  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(("size", "result"), [(None, (48, 64)), ("32", (24, 32)), ("128", (96, 128))])
def test_a_film_of_the_subject_by_its_own_weights(
    make: Make, things: Path, tmp_path: Path, size: str | None, result: tuple[int, int]
) -> None:
    path = make(sources=("one.png", "two.png")).path
    loaded = []
    real = LedToy.adopt

    def noted(self: LedToy, state: dict[str, torch.Tensor], *rest: object) -> None:
        loaded.append(sorted(state))
        real(self, state, *rest)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LedToy, "adopt", noted)
        film = probe(filmed(things, tmp_path, path, size=size))
    assert len(film.frames) == 10
    assert film.frames[0].shape[:2] == result
    assert loaded == [sorted(load_subject(path).state)]


def test_a_body_s_method_can_not_use_pictures_of_anything(make: Make, things: Path, tmp_path: Path) -> None:
    path = make().path
    with pytest.raises(UsageError, match=r"--backend avatar moves people, and .* nobody was looked for") as told:
        filmed(things, tmp_path, path, backend="avatar")
    assert "--source" in told.value.hint
    with pytest.raises(UsageError, match="knows of no person"):
        view(AnimateOptions((), None, str(tmp_path / "v.mp4"), subject=path, device="cpu", orbit=Orbit((30,))))


def test_a_person_s_file_is_not_of_another_method(things: Path, tmp_path: Path) -> None:
    toy = LedToy(LedToy.options(), torch.device("cpu"))
    saved = SavedSubject(subject((96, 64)), "toy", {}, toy.design(), toy.generator.state_dict())
    save_subject(tmp_path / "me.subject", saved)
    with pytest.raises(UsageError, match="was made for toy"):
        filmed(things, tmp_path, tmp_path / "me.subject", backend="led-toy")


@pytest.mark.parametrize("name", ["betas", "plate", "views.mask", "views.pose", "anything"])
def test_a_mixture_is_refused(make: Make, name: str) -> None:
    path = make(steps=1).path
    save_file({**load_file(path), name: torch.zeros(1)}, path, read_metadata(path))
    with pytest.raises(InputError, match=f"nobody was looked for in its pictures, and yet it has {name}"):
        load_subject(path)


def test_a_body_without_its_findings_is_refused(make: Make) -> None:
    path = make(steps=1).path
    save_file(load_file(path), path, {**read_metadata(path), "body": "anny"})
    with pytest.raises(InputError, match="plate is missing"):
        load_subject(path)


def test_a_method_is_measured_after_learning_a_case_s_picture(tmp_path: Path) -> None:
    (tmp_path / "data" / "one").mkdir(parents=True)
    for number in range(4):
        write_png(tmp_path / "data" / "one" / f"{number}.png", picture(64, 64, 40 * number))
    protocol = Protocol(task=Task.SELF, size=(64, 64), pick=Pick.FIRST)
    plain, tuned = "led-toy", "led-toy:personalize=60"
    data, output = tmp_path / "data", tmp_path / "run"
    found = evaluate(EvaluateOptions(data, output, (plain, tuned), protocol, metrics=("psnr",), device="cpu"))
    assert (found.failed, found.total) == (0, 2)
    before, after = (found.report.overall[name]["psnr"].mean for name in (plain, tuned))
    assert after > before + 2  # type: ignore[operator]
    (path,) = (tmp_path / "run" / "subjects").rglob("*.subject")
    assert load_subject(path).subject.is_unperceived


