"""Tuning a method to one person: what is learned, that stopping loses nothing, and what can go wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.workflows.conftest import Scene
from tests.workflows.full_disk import disk_of
from tests.workflows.scenes import draw
from tests.workflows.toy_method import PLACES, Toy, ToyGame

from retarget_cli.backends import registry
from retarget_cli.backends.trainable import Batch
from retarget_cli.core.errors import (
    BackendError,
    InputError,
    Interrupted,
    OutputError,
    RetargetError,
    UsageError,
    WeightsError,
)
from retarget_cli.core.subject import Image
from retarget_cli.media.images import read_picture, write_png
from retarget_cli.training.loop import Step
from retarget_cli.workflows import personalize as module
from retarget_cli.workflows import unfinished
from retarget_cli.workflows.lesson import LessonOptions, draws
from retarget_cli.workflows.personalize import PersonalizeOptions, PersonalizeResult, personalize
from retarget_cli.workflows.subject_file import SavedSubject, load_subject

STEPS = 6
Make = Callable[..., PersonalizeResult]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures of one person from two sides, and nine names for one of them; one of nobody."""
    folder = tmp_path_factory.mktemp("photos")
    for name, turn in (("front", 0.0), ("side", 0.9)):
        theta = np.zeros((24, 3), np.float32)
        theta[0, 1] = turn
        write_png(folder / f"{name}.png", draw((240, 160), theta).image)
    write_png(folder / "nobody.png", np.full((240, 160, 3), 120, np.uint8))
    for number in range(9):
        shutil.copy(folder / "front.png", folder / f"many{number}.png")
    return folder


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **PLACES})


@pytest.fixture
def make(photos: Path, scene: Scene, tmp_path: Path) -> Make:
    """Personalise the toy to the two photos; anything can be said otherwise."""

    def made(watcher: object = None, output: str = "me.subject", **said: object) -> PersonalizeResult:
        names = said.pop("sources", ("front.png", "side.png"))
        words = ["rate", "seed", "save_every", "picture_every", "steps", "strength", "has_decay"]
        lesson = {name: said.pop(name) for name in words if name in said}
        options = PersonalizeOptions(
            tuple(str(photos / name) for name in names),  # type: ignore[attr-defined]
            str(tmp_path / output),
            lesson=LessonOptions(**{"steps": STEPS, **lesson}),  # type: ignore[arg-type]
            **{"backend": "toy", "device": "cpu", **said},  # type: ignore[arg-type]
        )
        return personalize(options, scene.cache, None, watcher)  # type: ignore[arg-type]

    return made


class Watching:
    """Remembers what it is told, and stops the run after some steps."""

    wants_pictures = True

    def __init__(self, stop_at: int | None = None) -> None:
        self.steps: list[Step] = []
        self.pictures: dict[int, Image] = {}
        self._stop_at = stop_at

    def step(self, step: Step, steps: int) -> None:
        assert steps >= step.number
        self.steps.append(step)
        if step.number == self._stop_at:
            raise KeyboardInterrupt

    def picture(self, number: int, picture: Image) -> None:
        self.pictures[number] = picture


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def assert_same_weights(one: SavedSubject, other: SavedSubject) -> None:
    assert set(one.state) == set(other.state)
    for name, tensor in one.state.items():
        assert torch.equal(tensor, other.state[name]), name


def test_the_file_holds_the_tuned_weights_and_the_person(make: Make, tmp_path: Path) -> None:
    watcher = Watching()
    result = make(watcher, settings=(("tint", "0.25"), ("weights", "none")))
    assert left(tmp_path) == ["me.subject"]
    assert (result.steps, result.resumed, result.views, result.backend) == (STEPS, 0, 2, "toy")
    assert result.losses == watcher.steps[-1].losses
    assert result.notes == ToyGame.notes
    saved = load_subject(result.path)
    assert (saved.backend, saved.settings, saved.design) == ("toy", {"tint": "0.25"}, {"width": "4"})
    assert saved.subject.name == "front"
    assert saved.subject.size == result.size == (240, 160)
    told = saved.provenance
    assert (told["base"], told["sha256"], told["steps"]) == ("toy", "5" * 64, str(STEPS))
    assert told["license"] == "Apache-2.0"
    assert "plain L1" in told["training"]
    untrained = Toy(Toy.options(), torch.device("cpu")).generator.state_dict()
    assert any(not torch.equal(tensor, untrained[name].half().float()) for name, tensor in saved.state.items())


def test_it_learns(make: Make) -> None:
    watcher = Watching()
    make(watcher, steps=40)
    losses = [step.losses["generator"]["pixel"] for step in watcher.steps]
    assert [step.number for step in watcher.steps] == list(range(1, 41))
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_what_is_kept_lies_between_the_base_and_the_last_step(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {share: load_subject(make(output=f"{share}.subject", strength=share, is_half=False).path)
            for share in (None, 0.25, 0.5, 1.0)}  # fmt: skip
    assert_same_weights(made[None], made[0.5])
    for name, tuned in made[1.0].state.items():
        base = 2 * made[0.5].state[name] - tuned
        assert torch.allclose(made[0.25].state[name], base + 0.25 * (tuned - base), atol=1e-6)
        assert not torch.equal(tuned, base)
    assert made[0.25].provenance["strength"] == "0.25"
    with pytest.raises(UsageError, match="--strength 0"):
        make(output="none.subject", strength=0.0)
    monkeypatch.setattr(Toy, "lineage", lambda self: {})
    untrained = load_subject(make(output="untrained.subject", is_half=False).path)
    assert_same_weights(untrained, made[1.0])
    assert untrained.provenance["strength"] == "1.0"


def test_the_rate_is_everyones(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    games = []

    def kept(self: Toy, phase: object) -> ToyGame:
        games.append(ToyGame(self.generator))
        return games[-1]

    monkeypatch.setattr(Toy, "game", kept)
    result = make(rate=0.003, steps=1)
    assert [rate.learning for rate in games[0].rates.values()] == [0.003, 0.003]
    assert load_subject(result.path).provenance["rate"] == "0.003"


def test_the_rate_may_sink(make: Make) -> None:
    """What was begun so goes on so, and ends as if it had never been stopped."""
    plain, whole = (
        load_subject(make(output=f"{has_decay}.subject", is_half=False, has_decay=has_decay).path)
        for has_decay in (False, True)
    )
    assert any(not torch.equal(tensor, whole.state[name]) for name, tensor in plain.state.items())
    assert whole.provenance["rate"] == "0.001, 0.01, sinking to a tenth"
    with pytest.raises(Interrupted):
        make(Watching(3), is_half=False, has_decay=True)
    with pytest.raises(UsageError, match="decay"):
        make(is_half=False)
    assert_same_weights(load_subject(make(is_half=False, has_decay=True).path), whole)


def test_equal_seeds_give_equal_weights_and_others_do_not(make: Make) -> None:
    found = []
    for number, seed in enumerate((1, 1, 2)):
        torch.manual_seed(number)  # what others have drawn before is of no matter ...
        found.append(load_subject(make(output=f"{number}.subject", seed=seed, is_half=False).path))
        drawn = torch.rand(1)
        torch.manual_seed(number)
        assert torch.equal(torch.rand(1), drawn)  # ... and others draw on as if nothing had been
    one, two, three = found
    assert_same_weights(one, two)
    assert any(not torch.equal(tensor, three.state[name]) for name, tensor in one.state.items())


def test_views_are_drawn_uniformly_and_from_any_place_on() -> None:
    drawn = [row for row, _ in zip(draws(3, 4, 0), range(4000), strict=False)]
    assert np.abs(np.bincount(drawn, minlength=4) / 1000 - 1).max() < 0.1
    assert [row for row, _ in zip(draws(3, 4, 100), range(50), strict=False)] == drawn[100:150]


@pytest.mark.parametrize("save_every", [0, 2])
def test_stopping_and_going_on_is_as_not_stopping(make: Make, tmp_path: Path, save_every: int) -> None:
    whole = load_subject(make(output="whole.subject", is_half=False).path)
    with pytest.raises(Interrupted) as told:
        make(Watching(3), is_half=False, save_every=save_every)
    folder = tmp_path / "me.subject.progress"
    done = int(told.value.message.split()[0])
    assert 3 <= done <= 5  # a step or two may have been done ahead
    assert told.value.message == f"{done} of 6 steps are kept in {folder}"
    assert "same command" in told.value.hint
    assert not (tmp_path / "me.subject").exists()
    assert left(folder) == ["person.safetensors", "run.json", "state.safetensors"]
    watcher = Watching()
    result = make(watcher, is_half=False, save_every=save_every)
    assert (result.resumed, result.steps) == (done, STEPS)
    assert [step.number for step in watcher.steps] == list(range(done + 1, STEPS + 1))
    assert_same_weights(load_subject(result.path), whole)
    assert left(tmp_path) == ["me.subject", "whole.subject"]


def test_what_was_saved_outlives_a_crash(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_subject(make(output="whole.subject", is_half=False).path)
    real = ToyGame.losses
    calls = []

    def crashes(self: ToyGame, player: str, batch: Batch, kept: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        calls.append(player)
        if len(calls) == 9:  # the fifth step's generator
            raise RuntimeError("power cut")
        return real(self, player, batch, kept)

    monkeypatch.setattr(ToyGame, "losses", crashes)
    with pytest.raises(RuntimeError):
        make(save_every=2, is_half=False)
    result = make(save_every=2, is_half=False)
    assert result.resumed == 4
    assert_same_weights(load_subject(result.path), whole)


def test_nothing_is_perceived_twice(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Interrupted):
        make(Watching(1))
    monkeypatch.setattr(module, "prepare_subject", None)
    assert make().steps == STEPS


def test_more_steps_may_be_asked_for_fewer_than_done_may_not(make: Make) -> None:
    with pytest.raises(Interrupted) as told:
        make(Watching(3))
    done = int(told.value.message.split()[0])
    with pytest.raises(UsageError, match=f"{done} steps were done") as refused:
        make(steps=done - 1)
    assert "--restart" in refused.value.hint
    assert make(steps=8).steps == 8


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"seed": 3}, "seed is 0, not 3"),
        ({"rate": 0.5}, "rate is , not 0.5"),
        ({"sources": ("front.png",)}, "pictures is"),
        ({"backend": "other-toy"}, "backend is toy"),
        ({"settings": (("width", "5"),)}, "options is"),
        ({"size": "64"}, "size is"),
    ],
)
def test_another_personalisation_is_refused_and_restart_begins_anew(
    make: Make, changes: dict[str, object], what: str
) -> None:
    with pytest.raises(Interrupted):
        make(Watching(1))
    with pytest.raises(UsageError, match=what) as told:
        make(**changes)
    assert "--restart" in told.value.hint
    watcher = Watching()
    assert make(watcher, is_anew=True, **changes).resumed == 0
    assert watcher.steps[0].number == 1


@pytest.mark.parametrize("name", ["person", "state", "run"])
def test_damaged_progress_is_told(make: Make, tmp_path: Path, name: str) -> None:
    with pytest.raises(Interrupted):
        make(Watching(2))
    (path,) = (tmp_path / "me.subject.progress").glob(f"{name}.*")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises((InputError, UsageError)) as told:
        make()
    assert str(path) in told.value.message
    assert "--restart" in told.value.hint
    assert make(is_anew=True).steps == STEPS


def test_a_strange_folder_is_left_alone(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "me.subject.progress"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    for is_anew in (False, True):
        with pytest.raises(UsageError, match="holds no personalisation"):
            make(is_anew=is_anew)
    assert left(folder) == ["mine.txt"]


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"sources": ("nobody.png",)}, InputError, "nobody.png: no person is seen"),
        ({"sources": ("front.png", "nobody.png")}, InputError, "nobody.png: no person is seen"),
        ({"sources": ("none.png",)}, InputError, "none.png: there is no such file"),
        ({"sources": ("many*.png",)}, UsageError, "9 source files, expected 1 to 8"),
        ({"sources": ()}, UsageError, "no --source"),
        ({"backend": "avatar"}, UsageError, "avatar: it has nothing that could be personalised"),
        ({"backend": "none"}, UsageError, "unknown"),
        ({"settings": (("widht", "3"),)}, UsageError, "no such option"),
        ({"settings": (("weights", "x.safetensors"),)}, WeightsError, "x.safetensors"),
        ({"steps": 0}, UsageError, "--steps 0"),
        ({"rate": 0.0}, UsageError, "--rate 0"),
        ({"size": "7"}, UsageError, "--size 7"),
        ({"device": "tpu"}, RetargetError, "tpu"),
    ],
)
def test_what_can_not_be_done_is_told_at_once_and_leaves_nothing(
    make: Make, tmp_path: Path, changes: dict[str, object], kind: type[RetargetError], text: str
) -> None:
    with pytest.raises(kind, match=text) as told:
        make(**changes)
    assert told.value.hint
    assert left(tmp_path) == []


def test_backends_that_learn_are_listed(make: Make) -> None:
    with pytest.raises(UsageError) as told:
        make(backend="still")
    assert "toy" in told.value.hint
    assert "avatar" not in told.value.hint


def test_an_output_that_exists_is_kept_unless_it_may_go(make: Make, tmp_path: Path) -> None:
    (tmp_path / "me.subject").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        make()
    with pytest.raises(Interrupted):
        make(Watching(1), may_overwrite=True)
    assert (tmp_path / "me.subject").read_bytes() == b"mine"
    assert load_subject(make(may_overwrite=True).path).backend == "toy"


def test_a_clip_gives_views_too(make: Make, scene: Scene) -> None:
    assert 1 <= make(sources=(str(scene.clip),), steps=1).views <= 8


def test_pictures_of_the_way(make: Make, tmp_path: Path) -> None:
    watcher = Watching()
    make(watcher, picture_every=4, preview=tmp_path / "way")
    assert left(tmp_path / "way") == ["000000.png", "000004.png", "000006.png"]
    assert list(watcher.pictures) == [0, 4, 6]
    for number, picture in watcher.pictures.items():
        assert picture.shape == (240, 480, 3)
        assert np.array_equal(read_picture(tmp_path / "way" / f"{number:06d}.png").rgb, picture)
    first, last = watcher.pictures[0].astype(int), watcher.pictures[6].astype(int)
    assert np.array_equal(first[:, :160], last[:, :160])
    assert not np.array_equal(first[:, 160:320], last[:, 160:320])


def test_pictures_nobody_wants_are_not_made(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyGame, "picture", None)
    assert make(picture_every=1).steps == STEPS


def test_pictures_that_can_not_be_written_lose_nothing(make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="can't write pictures") as told:
        make(picture_every=3, preview=tmp_path / "file")
    assert "is kept" in told.value.hint
    assert make().steps == STEPS


def test_a_full_disk_while_learning_keeps_what_was_saved(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_subject(make(output="whole.subject", is_half=False).path)
    real, count = unfinished.write_tensors, []

    def full(*words: object) -> None:
        count.append(words)
        if len(count) == 3:  # the person, step 2, step 4
            with disk_of(100):
                real(*words)  # type: ignore[arg-type]
        real(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(unfinished, "write_tensors", full)
    with pytest.raises(OutputError, match=r"can't write .*state\.safetensors") as told:
        make(save_every=2, is_half=False)
    assert "goes on" in told.value.hint
    assert not (tmp_path / "me.subject").exists()
    result = make(save_every=2, is_half=False)
    assert result.resumed == 2
    assert_same_weights(load_subject(result.path), whole)


def test_a_full_disk_at_the_end_keeps_all_steps(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.save_subject

    def full(*words: object, **more: object) -> None:
        with disk_of(100):
            real(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "save_subject", full)
    with pytest.raises(OutputError, match="can't write") as told:
        make()
    assert "all 6 steps are kept" in told.value.hint
    assert left(tmp_path)[0] == "me.subject.progress"
    monkeypatch.setattr(module, "save_subject", real)
    watcher = Watching()
    result = make(watcher)
    assert (result.resumed, watcher.steps, result.losses) == (STEPS, [], {})
    assert left(tmp_path) == ["me.subject"]


def test_a_disk_that_is_nearly_full_shows_at_once(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(OutputError, match="0 MB left"):
        make()
    assert left(tmp_path) == []


def test_a_loss_that_is_not_finite(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = ToyGame.losses, []

    def broken(self: ToyGame, player: str, batch: Batch, kept: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        calls.append(player)
        factor = torch.nan if len(calls) > 6 else 1
        return {name: value * factor for name, value in real(self, player, batch, kept).items()}

    monkeypatch.setattr(ToyGame, "losses", broken)
    with pytest.raises(BackendError, match="nan in step 4") as told:
        make(save_every=2)
    assert "--restart" in told.value.hint
    monkeypatch.setattr(ToyGame, "losses", real)
    assert make(save_every=2).resumed == 2


def test_base_weights_that_changed_are_another_beginning(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Interrupted):
        make(Watching(1))
    monkeypatch.setattr(Toy, "lineage", lambda _: {"sha256": "6" * 64})
    with pytest.raises(UsageError, match="base weights"):
        make()


