"""Training as a whole: albums of clips, a run's folder, and everything that may stop it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.training.toy_game import PLACES, Toy, ToyGame
from tests.workflows.conftest import COUNT, FILM, Scene
from tests.workflows.full_disk import disk_of
from typer.testing import CliRunner

from retarget_cli.backends import registry
from retarget_cli.backends.trainable import Batch, Game, Phase
from retarget_cli.cli.app import app
from retarget_cli.core.errors import (
    BackendError,
    InputError,
    Interrupted,
    OutputError,
    RetargetError,
    UsageError,
    WeightsError,
)
from retarget_cli.core.progress import Silence
from retarget_cli.media.images import read_picture, write_png
from retarget_cli.perception.cache import Cache
from retarget_cli.training.draw import DrawOptions
from retarget_cli.training.loop import FitOptions, Step
from retarget_cli.weights.checkpoints import read_weights
from retarget_cli.workflows import train_albums
from retarget_cli.workflows.synth import SynthOptions, synthesize
from retarget_cli.workflows.train import TrainResult, train
from retarget_cli.workflows.train_options import TrainOptions
from retarget_cli.workflows.train_stop import Stop

BACKEND = "toy-training"
STEPS = 6


class Notes(Silence):
    """What was said, and which steps were done; sends a signal after one of them."""

    def __init__(self, signal_after: int = 0) -> None:
        self.notes: list[str] = []
        self.steps: list[Step] = []
        self._signal_after = signal_after

    def note(self, text: str) -> None:
        self.notes.append(text)

    def step(self, step: Step, steps: int) -> None:
        self.steps.append(step)
        if step.number == self._signal_after:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **PLACES})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic clip of four frames with a moving camera, and its turns of two views and twelve."""
    folder = tmp_path_factory.mktemp("data") / "people"
    synthesize(folder, SynthOptions(clips=1, frames=4, size=(64, 64), views=2, camera="moving", workers=1))
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("albums"), 10**9)


@pytest.fixture
def options(data: Path, tmp_path: Path) -> TrainOptions:
    fit = FitOptions(STEPS, accumulate=2, ema=0.9)
    draw = DrawOptions(32, batch=2, max_sources=2)
    return TrainOptions(
        BACKEND, (data,), tmp_path / "run", fit, draw, save_every=2, sample_every=3, workers=2, device="cpu"
    )


def trained(options: TrainOptions, cache: Cache, notes: Notes | None = None) -> TrainResult:
    notes = notes or Notes()
    return train(options, cache, notes, notes)


def logged(folder: Path) -> list[list[str]]:
    with (folder / "losses.csv").open() as file:
        return [row for row in csv.reader(file) if row[1] != "seconds"]


def test_albums_of_a_synthetic_clip(data: Path, cache: Cache) -> None:
    folder = cache.folder / "albums"
    found = train_albums.albums((data,), 0, 0, 64, folder, 1, Silence())
    assert [(album.name, len(album), album.plates) for album in found] == [
        ("0000/source", 2 + 4 + 12, 18),
        ("0000/other", 4 + 12, 16),
        ("0000/garment", 2 + 4, 6),
    ]
    for album in found:
        for row in range(len(album)):
            view, plate = album.view(row), album.plate(row)
            off = view.mask == 0
            apart = np.abs(view.image.astype(float) - plate)[off].mean(-1)
            assert np.median(apart) <= 2.5  # a moved plate is interpolated once more
            assert np.quantile(apart, 0.9) < 16  # the rest is the shadow at the feet
            inside = view.pose[view.pose[:, 2] > 0.9, :2]
            assert np.mean([view.mask[int(y), int(x)] > 0 for x, y in inside.clip(0, 63)]) > 0.8
    assert np.array_equal(found[0].view(2).image, read_picture(data / "clips/0000/self/frames/000000.png").rgb)
    times = [album.path.stat().st_mtime_ns for album in found]
    again = train_albums.albums((data,), 0, 0, 64, folder, 1, Silence())
    assert [album.path.stat().st_mtime_ns for album in again] == times


def test_clips_that_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = train_albums.Recipe
    monkeypatch.setattr(train_albums, "Recipe", lambda **told: recipe(frames=2, views=1, **told))
    found = train_albums.albums((), 1, 3, 32, tmp_path / "albums", 1, Silence())
    assert [len(album) for album in found] == [1 + 2 + 12, 2 + 12, 1 + 2]
    assert found[0].size == (32, 32)
    times = [album.path.stat().st_mtime_ns for album in found]
    again = train_albums.albums((), 1, 3, 32, tmp_path / "albums", 1, Silence())
    assert [album.path.stat().st_mtime_ns for album in again] == times
    for seed, number in ((4, 0), (3, 1)):
        other = train_albums.Drawn(recipe(frames=2, views=1, seed=seed, size=(32, 32)), number)
        assert train_albums.known_albums(train_albums.Job(other, "other", tmp_path / "albums", 32)) is None


def test_a_damaged_clip_is_left_out(data: Path, tmp_path: Path, cache: Cache) -> None:
    shutil.copytree(data, tmp_path / "people")
    shutil.copytree(data / "clips/0000", tmp_path / "people/clips/0001")
    (tmp_path / "people/clips/0001/self/frames/000001.png").unlink()
    with (tmp_path / "people/clips/0001/self/truth.motion").open("ab") as file:
        file.write(b" ")  # otherwise it is known as the clip that it was copied from
    notes = Notes()
    found = train_albums.albums((tmp_path / "people",), 0, 0, 64, tmp_path / "albums", 1, notes)
    assert len(found) == 3
    assert len(notes.notes) == 1
    assert "people/0001 is left out" in notes.notes[0]


def test_a_run(options: TrainOptions, cache: Cache) -> None:
    notes = Notes()
    result = trained(options, cache, notes)
    run = options.output
    assert (result.steps, result.resumed, result.albums, result.pictures) == (STEPS, 0, 3, 40)
    assert [step.number for step in notes.steps] == list(range(1, STEPS + 1))
    assert result.losses == notes.steps[-1].losses
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == [
        "00000004.safetensors",
        "00000006.safetensors",
    ]
    assert sorted(path.name for path in (run / "samples").iterdir()) == ["000000.png", "000003.png", "000006.png"]
    assert read_picture(run / "samples/000003.png").rgb.shape == (2 * 32, 3 * 32, 3)
    state, label = read_weights(result.weights, BACKEND)
    assert (label.steps, label.design, label.notes) == (STEPS, {"width": "4"}, ("a toy",))
    assert "people" in label.provenance
    kept = load_file(run / "checkpoints/00000006.safetensors")
    assert all(torch.equal(state[name], kept[f"average.{name}"]) for name in state)
    rows = logged(run)
    assert rows[0] == ["step", "loss", "value"]
    assert [row[:2] for row in rows[1:5]] == [
        ["1", "generator/l1"],
        ["1", "generator/adversarial"],
        ["1", "critic/true"],
        ["1", "critic/made"],
    ]
    assert float(rows[1][2]) == pytest.approx(notes.steps[0].losses["generator"]["l1"], rel=1e-6)
    assert json.loads((run / "config.json").read_text())["steps"] == STEPS


def assert_same_end(one: Path, other: Path) -> None:
    """All that is kept of two runs is the same, but for how long steps took."""
    for name in ("weights.safetensors", f"checkpoints/{STEPS:08d}.safetensors"):
        left, right = load_file(one / name), load_file(other / name)
        assert left.keys() == right.keys()
        assert not [key for key in left if not torch.equal(left[key], right[key])]
    assert logged(one) == logged(other)
    assert (one / "samples/000006.png").read_bytes() == (other / "samples/000006.png").read_bytes()


def test_stopped_and_resumed_is_the_same_as_not_stopped(options: TrainOptions, cache: Cache, tmp_path: Path) -> None:
    whole = replace(options, output=tmp_path / "whole")
    trained(whole, cache)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="3 of 6 steps are done and saved") as caught:
        trained(options, cache, Notes(signal_after=2))
    assert "--resume" in caught.value.hint
    assert signal.getsignal(signal.SIGINT) is before
    assert (options.output / "checkpoints/00000003.safetensors").is_file()
    # As if it had been killed two steps after the last checkpoint.
    with (options.output / "losses.csv").open("a") as file:
        file.write("4,generator/l1,9\n5,generator/l1,9\n5,gener")
    torch.manual_seed(1234)
    result = trained(replace(options, may_resume=True), cache)
    assert (result.steps, result.resumed) == (STEPS, 3)
    assert_same_end(whole.output, options.output)
    again = trained(replace(options, may_resume=True), cache)
    assert (again.steps, again.resumed) == (STEPS, STEPS)


def test_more_steps_may_be_asked_for(options: TrainOptions, cache: Cache, tmp_path: Path) -> None:
    whole = replace(options, output=tmp_path / "whole", sample_every=1)  # pictures draw, and change nothing
    trained(whole, cache)
    trained(replace(options, fit=replace(options.fit, steps=3)), cache)
    trained(replace(options, may_resume=True), cache)
    left, right = (load_file(each / "weights.safetensors") for each in (whole.output, options.output))
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_other_options_are_refused(options: TrainOptions, cache: Cache, data: Path) -> None:
    trained(options, cache)
    with pytest.raises(UsageError, match="holds a run"):
        trained(options, cache)
    others = replace(options, may_resume=True, seed=1, draw=replace(options.draw, batch=1), settings={"width": "8"})
    with pytest.raises(UsageError, match=r"draw.batch was 2, now 1; seed was 0, now 1; set was \{\}"):
        trained(others, cache)
    more = replace(options, may_resume=True, data=(data, data))
    with pytest.raises(UsageError, match=r"albums was .3 albums of 40 pictures"):
        trained(more, cache)


def test_other_losses_are_refused(options: TrainOptions, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(options, cache)
    plain = Toy.game

    def game(self: Toy, phase: Phase) -> Game:
        found = plain(self, phase)
        found.notes = ()
        return found

    monkeypatch.setattr(Toy, "game", game)
    with pytest.raises(UsageError, match="losses are others"):
        trained(replace(options, may_resume=True), cache)


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"backend": "avatar"}, UsageError, "toy-training"),
        ({"backend": "nothing"}, UsageError, "unknown"),
        ({"settings": {"height": "3"}}, UsageError, "no such option"),
        ({"device": "cuda:77"}, RetargetError, "cuda:77"),
        ({"initial": Path("absent.safetensors")}, WeightsError, "does not exist"),
        ({"data": (Path("absent"),)}, InputError, "no such data set"),
    ],
)
def test_what_can_not_be_trained(
    options: TrainOptions, cache: Cache, changes: dict[str, object], kind: type[RetargetError], text: str
) -> None:
    with pytest.raises(kind) as caught:
        trained(replace(options, **changes), cache)  # type: ignore[arg-type]
    assert text in caught.value.line


def test_nothing_to_learn_from(options: TrainOptions, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to learn from"):
        replace(options, data=())
    tmp_path.joinpath("run").mkdir()
    tmp_path.joinpath("run/mine.txt").write_text("x")
    with pytest.raises(UsageError, match="holds no run"):
        trained(options, Cache(tmp_path, 0))


def test_weights_to_begin_with(options: TrainOptions, cache: Cache, tmp_path: Path) -> None:
    first = trained(replace(options, settings={"width": "6"}), cache)
    begun = replace(options, output=tmp_path / "second", initial=first.weights, rate=1e-12, seed=3)
    second = trained(begun, cache)
    state, label = read_weights(second.weights, BACKEND)
    assert label.design == {"width": "6"}
    assert "begun with weights.safetensors" in label.provenance
    before = load_file(first.weights)
    torch.testing.assert_close(state["0.weight"], before["0.weight"])
    with pytest.raises(UsageError, match="width"):
        trained(replace(begun, output=tmp_path / "third", settings={"width": "4"}), cache)


def test_a_loss_that_is_no_number_leaves_the_last_checkpoint(options: TrainOptions, cache: Cache) -> None:
    with pytest.raises(BackendError, match=r"(generator|critic)/\w+ is (nan|inf) in step"):
        trained(replace(options, rate=1e30, save_every=1), cache)
    kept = sorted((options.output / "checkpoints").iterdir())
    assert kept
    assert load_file(kept[-1])["number"] < STEPS


def test_a_full_disk_keeps_the_former_checkpoint(
    options: TrainOptions, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(replace(options, fit=replace(options.fit, steps=2)), cache)
    before = {path: path.read_bytes() for path in (options.output / "checkpoints").iterdir()}
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # it writes in a thread of its own
    options = replace(options, may_resume=True, sample_every=0)
    with disk_of(4096), pytest.raises(OutputError, match="can't write"):
        trained(options, cache)
    assert {path: path.read_bytes() for path in (options.output / "checkpoints").iterdir()} == before
    assert trained(options, cache).steps == STEPS


def test_a_damaged_checkpoint_is_said(options: TrainOptions, cache: Cache) -> None:
    trained(options, cache)
    last = options.output / "checkpoints/00000006.safetensors"
    last.write_bytes(last.read_bytes()[:500])
    with pytest.raises(WeightsError, match="damaged") as caught:
        trained(replace(options, may_resume=True), cache)
    assert "00000004" in caught.value.hint
    last.unlink()
    assert trained(replace(options, may_resume=True), cache).resumed == 4


def test_without_tensorboard(options: TrainOptions, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    notes = Notes()
    trained(options, cache, notes)
    assert ["TensorBoard" in note for note in notes.notes] == [True]
    assert not (options.output / "tensorboard").exists()


def test_a_recorded_clip(scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "albums"
    found = train_albums.albums((scene.clip,), 0, 0, 128, folder, 1, Silence())
    assert len(found) == 1
    album = found[0]
    assert len(album) == COUNT
    assert album.size == (192, 144)  # half as large again as what is learned from
    assert album.plates == 1
    factor = album.size[0] / FILM[0]
    view = album.view(3)
    assert view.mask.mean() > 0.02
    hips = view.pose[[23, 24], :2].mean(0)
    assert np.abs(hips - view.camera[1:]).max() < 12 * factor
    assert view.mask[int(hips[1]), int(hips[0])] > 0.9
    off = view.mask < 0.01
    assert np.median(np.abs(view.image.astype(int) - album.plate(3))[off]) < 6


def test_a_clip_of_nobody(tmp_path: Path) -> None:
    clip = tmp_path / "clips/empty"
    clip.mkdir(parents=True)
    for number in range(3):
        write_png(clip / f"{number}.png", np.full((96, 96, 3), 90 + number, np.uint8))
    for _ in range(2):
        notes = Notes()
        with pytest.raises(InputError, match="none of the clips"):
            train_albums.albums((tmp_path / "clips",), 0, 0, 64, tmp_path / "albums", 1, notes)
        assert "nobody is seen" in notes.notes[0]
    assert [path.suffix for path in (tmp_path / "albums").iterdir()] == [".nobody"]


class Impatient(ToyGame):
    """Its user presses Ctrl-C in the midst of the fourth batch."""

    count = 0

    def losses(self, player: str, batch: Batch, kept: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        self.count += 1
        if self.count == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return super().losses(player, batch, kept)


def test_the_command(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", BACKEND, "--data", str(data), "-o", str(tmp_path / "run"), "--size", "32", "--batch", "2"]
    words += ["--steps", "6", "--device", "cpu", "--workers", "1", "--set", "width=2", "--json"]

    def game(self: Toy, phase: Phase) -> Game:
        return Impatient(self.generator)

    with monkeypatch.context() as patch:
        patch.setattr(Toy, "game", game)
        stopped = CliRunner().invoke(app, words)
    assert stopped.exit_code == 130, stopped.output
    assert "add --resume" in stopped.stderr
    assert json.loads(stopped.stdout)["error"].endswith(f"4 of 6 steps are done and saved in {tmp_path / 'run'}")
    done = CliRunner().invoke(app, [*words, "--resume"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["steps"], told["resumed"], told["albums"], told["notes"]) == (6, 4, 3, ["a toy"])
    assert Path(told["weights"]).is_file()
    assert "train: 6 of 6 steps" in done.stderr
    refused = CliRunner().invoke(app, [*words, "--resume", "--seed", "2"])
    assert refused.exit_code == 2
    assert "seed was 0, now 2" in refused.stderr


def test_lines_of_a_training() -> None:
    from retarget_cli.cli.train_screen import TrainView

    lines: list[str] = []
    time = iter(np.arange(0, 100, 0.25))
    bar = Notes()
    stages: list[tuple[str, int, int | None]] = []
    bar.stage = lambda *told: stages.append(told)  # type: ignore[method-assign]
    view = TrainView(bar, lines.append, has_bar=True, clock=lambda: float(next(time)))
    for number in range(1, 41):
        view.step(Step(number, {"generator": {"l1": 1.0, "mask": 0.5}, "critic": {"all": 2.0}}, 0.5), 40)
    heads = [line for line in lines if line.startswith("train: ")]
    assert heads[0].startswith("train: 1 of 40 steps, generator 1.5, critic 2")
    assert heads[-1].startswith("train: 40 of 40 steps")
    assert 4 < len(heads) < 14
    assert lines[1] == "  generator: l1 1, mask 0.5"
    assert stages[-1] == ("train", 40, 40)


@pytest.mark.parametrize(("is_led", "heard"), [(False, 3), (True, 1)])
def test_a_launchers_repeated_signals_mean_nothing(is_led: bool, heard: int) -> None:
    counted: list[int] = []

    def handler(number: int, _: object) -> None:
        counted.append(number)
        if len(counted) == 1:
            raise KeyboardInterrupt

    former = signal.signal(signal.SIGINT, handler)
    try:
        with Stop(is_led) as stop:
            assert not stop.is_asked
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
            assert stop.is_asked
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, former)
    assert len(counted) == heard
