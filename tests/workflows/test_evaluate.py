"""A run from end to end, on a small data set in the layout of `retarget synth`, and on plain clips."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.evaluation.protocols import Pick, Protocol, Task
from retarget_cli.media.images import write_png
from retarget_cli.perception.cache import Cache
from retarget_cli.workflows import evaluate as workflow
from retarget_cli.workflows.evaluate import EvaluateOptions, Evaluation, evaluate, parse_method
from retarget_cli.workflows.score import ScoreOptions, parse_rendered, score_folders
from retarget_cli.workflows.synth import SynthOptions, synthesize

SIZE = (192, 192)
FRAMES = 8
METRICS = ("l1", "psnr", "ssim", "mask-psnr")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cache]:
    """A synthetic data set of one clip; two plain clips besides; a cache."""
    root = tmp_path_factory.mktemp("world")
    wanted = SynthOptions(
        clips=1, frames=FRAMES, size=SIZE, seed=4, rate=Fraction(5), views=2, camera="static", kinds=("dance",),
        workers=1,
    )  # fmt: skip
    synthesize(root / "synth", wanted)
    for name, rendition in (("one", "self"), ("two", "other")):
        shutil.copytree(root / "synth" / "clips" / "0000" / rendition / "frames", root / "plain" / name)
    return root, Cache(root / "cache", 10**9)


def run(world: tuple[Path, Cache], output: Path, data: str = "synth", **said: object) -> Evaluation:
    root, cache = world
    protocol = Protocol(**{"task": Task.CROSS, "size": SIZE, **said.pop("protocol", {})})  # type: ignore[dict-item]
    options = EvaluateOptions(
        root / data, output, ("avatar", "still"), protocol, metrics=METRICS, device="cpu", **said  # type: ignore[arg-type]
    )
    return evaluate(options, cache)


@pytest.fixture(scope="module")
def crossed(world: tuple[Path, Cache]) -> Evaluation:
    return run(world, world[0] / "crossed")


def test_the_avatar_beats_standing_still(crossed: Evaluation) -> None:
    assert (crossed.failed, crossed.total) == (0, 2)
    overall = crossed.report.overall
    for key in ("psnr", "mask-psnr", "ssim"):
        moved, still = overall["avatar"][key].mean, overall["still"][key].mean
        assert moved is not None
        assert still is not None
        assert moved > still, key
    l1 = overall["avatar"]["l1"].mean, overall["still"]["l1"].mean
    assert l1[0] < l1[1]  # type: ignore[operator]


@pytest.mark.parametrize("task", [Task.NOVEL_VIEW, Task.APPEARANCE])
def test_other_tasks_with_true_pictures(world: tuple[Path, Cache], tmp_path: Path, task: Task) -> None:
    found = run(world, tmp_path / "run", protocol={"task": task, "has_true_motion": True})
    assert found.failed == 0
    moved, still = (found.report.overall[name]["psnr"].mean for name in ("avatar", "still"))
    assert moved > still  # type: ignore[operator]


def test_every_frame_has_a_value_and_its_conditions(crossed: Evaluation) -> None:
    (clip,) = crossed.report.clips
    found = clip.methods["avatar"]
    assert found.indices == tuple(range(FRAMES))
    assert found.size == SIZE
    assert all(len(values) == FRAMES for values in found.frames.values())
    assert "PNG (lossless)" in found.codec
    assert (crossed.folder / found.media / "000007.png").is_file()
    assert (crossed.folder / clip.source[0]).is_file()
    assert all(info.implementation for info in crossed.report.metrics)
    assert crossed.report.protocol["task"] == "cross-imitation"
    assert json.dumps(crossed.report.data())


def test_a_finished_run_renders_and_scores_nothing_again(
    world: tuple[Path, Cache], crossed: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("rendered again")

    monkeypatch.setattr(workflow, "animate", never)
    monkeypatch.setattr(workflow.Judge, "score", never)
    again = run(world, crossed.folder)
    assert again.report.overall == crossed.report.overall


def test_a_run_that_was_stopped_goes_on(
    world: tuple[Path, Cache], tmp_path: Path, crossed: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = workflow.animate
    rendered: list[str] = []

    def stopped(options: object, *rest: object) -> object:
        if len(rendered) == 1:
            raise KeyboardInterrupt
        rendered.append(options.backend)  # type: ignore[attr-defined]
        return real(options, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(workflow, "animate", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(world, tmp_path / "run")
    assert rendered == ["avatar"]

    def counted(options: object, *rest: object) -> object:
        rendered.append(options.backend)  # type: ignore[attr-defined]
        return real(options, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(workflow, "animate", counted)
    found = run(world, tmp_path / "run")
    assert rendered == ["avatar", "still"]
    assert found.report.overall["still"] == crossed.report.overall["still"]
    assert found.report.overall["avatar"]["psnr"].mean == pytest.approx(crossed.report.overall["avatar"]["psnr"].mean)


def test_one_damaged_clip_harms_no_other(world: tuple[Path, Cache], tmp_path: Path) -> None:
    root, cache = world
    shutil.copytree(root / "plain", tmp_path / "data")
    (tmp_path / "data" / "one" / "000003.png").write_bytes(b"not a picture")
    protocol = Protocol(size=SIZE, pick=Pick.FIRST)
    options = EvaluateOptions(tmp_path / "data", tmp_path / "run", ("still",), protocol, metrics=METRICS, device="cpu")
    found = evaluate(options, cache)
    assert (found.failed, found.total) == (1, 2)
    one, two = found.report.clips
    assert "frame 3 can't be read" in one.methods["still"].problem
    assert two.methods["still"].problem == ""
    shutil.copy(root / "plain" / "one" / "000003.png", tmp_path / "data" / "one")
    assert evaluate(options, cache).failed == 0


def test_self_imitation_puts_the_person_where_the_driving_one_is(world: tuple[Path, Cache], tmp_path: Path) -> None:
    found = run(world, tmp_path / "run", "plain", protocol={"task": Task.SELF})
    overall = found.report.overall
    assert overall["avatar"]["mask-psnr"].mean > overall["still"]["mask-psnr"].mean  # type: ignore[operator]
    assert overall["avatar"]["psnr"].clips == 2
    for clip in found.report.clips:  # the source picture is one of the frames: it proves nothing
        values = clip.methods["still"].frames["psnr"]
        assert sum(value is None for value in values) == 1
        assert clip.methods["still"].notes
    (difference,) = [each for each in found.report.differences if each.metric == "psnr"]
    assert (difference.first, difference.second) == ("avatar", "still")
    assert difference.estimate.low is not None


def test_without_truth_only_what_needs_none_is_measured(world: tuple[Path, Cache], tmp_path: Path) -> None:
    root, cache = world
    protocol = Protocol(task=Task.CROSS, size=SIZE, pick=Pick.FIRST, pairs=1)
    keys = ("tcm", "warp-error")
    options = EvaluateOptions(root / "plain", tmp_path, ("still",), protocol, metrics=keys, device="cpu")
    report = evaluate(options, cache).report
    assert [info.key for info in report.metrics] == ["warp-error"]
    assert [(missing.key, "true frames" in missing.reason) for missing in report.missing] == [("tcm", True)]
    assert report.overall["still"]["warp-error"].mean == 0
    assert report.clips[0].target == ""


def test_wrong_names_show_before_any_work(world: tuple[Path, Cache], tmp_path: Path) -> None:
    root, _ = world
    wrong = {"avatr": "unknown", "avatar:nodes": "no value", "avatar:knots=3": "no such option"}
    for method, said in wrong.items():
        with pytest.raises(UsageError, match=said):
            evaluate(EvaluateOptions(root / "plain", tmp_path / "run", (method,), Protocol(), metrics=METRICS))
    with pytest.raises(UsageError, match="psnrr"):
        evaluate(EvaluateOptions(root / "plain", tmp_path / "run", ("still",), Protocol(), metrics=("psnrr",)))
    assert not (tmp_path / "run").exists()


def test_a_method_is_a_backend_with_options() -> None:
    found = parse_method("avatar:nodes=200, samples=1")
    assert (found.backend, found.settings) == ("avatar", (("nodes", "200"), ("samples", "1")))


def test_a_method_may_be_personalised() -> None:
    found = parse_method("toy:personalize=20,tint=0.5")
    assert (found.name, found.backend) == ("toy:personalize=20,tint=0.5", "toy")
    assert (found.settings, found.steps) == ((("tint", "0.5"),), 20)
    assert found.said == "tint=0.5, personalize=20"
    assert parse_method("avatar").said == "defaults"
    for text in ("toy:personalize", "toy:personalize=0", "toy:personalize=x", "toy:personalize=-3"):
        with pytest.raises(UsageError, match="personalize"):
            parse_method(text)


def test_any_tools_frames_are_scored_by_name(world: tuple[Path, Cache], tmp_path: Path) -> None:
    root, _ = world
    rendered = tmp_path / "theirs"
    shutil.copytree(root / "plain" / "one", rendered / "one")
    shutil.copytree(root / "plain" / "one", rendered / "extra")
    said: list[str] = []

    class Listening:
        def stage(self, name: str, done: int, total: int | None) -> None:
            """Nothing."""

        def note(self, text: str) -> None:
            said.append(text)

    options = ScoreOptions({"theirs": rendered}, root / "plain", tmp_path / "run", metrics=("psnr", "l1"))
    found = score_folders(options, Listening())
    assert said == [
        "theirs: no rendered clip for 1 of 2 targets: two",
        "theirs: no target for 1 rendered clips, left out: extra",
    ]
    one, two = found.report.clips
    assert one.methods["theirs"].means["l1"] == 0
    assert two.methods["theirs"].problem == "no rendered clip of this name"
    assert (found.failed, found.total) == (1, 2)


def test_a_missing_frame_and_another_size_are_said(world: tuple[Path, Cache], tmp_path: Path) -> None:
    root, _ = world
    rendered = tmp_path / "theirs"
    for name in ("one", "two"):
        shutil.copytree(root / "plain" / name, rendered / name)
    (rendered / "one" / "000002.png").unlink()
    for path in sorted((rendered / "two").iterdir()):
        write_png(path, np.zeros((SIZE[0] // 2, SIZE[1] // 2, 3), np.uint8))
    options = ScoreOptions({"theirs": rendered}, root / "plain", tmp_path / "run", metrics=("psnr",))
    one, two = score_folders(options).report.clips
    assert "frame 2 is missing" in one.methods["theirs"].problem
    assert "rendered at 96x96, but the target is 192x192" in two.methods["theirs"].problem
    sized = ScoreOptions({"theirs": rendered}, root / "plain", tmp_path / "sized", size=(64, 64), metrics=("psnr",))
    assert score_folders(sized).report.clips[1].methods["theirs"].size == (64, 64)


def test_nothing_that_matches_is_an_error(world: tuple[Path, Cache], tmp_path: Path) -> None:
    root, _ = world
    for name in ("x", "y"):
        shutil.copytree(root / "plain" / "one", tmp_path / "theirs" / name)
    with pytest.raises(InputError, match="x, y against one, two"):
        score_folders(ScoreOptions({"t": tmp_path / "theirs"}, root / "plain", tmp_path / "run", metrics=("psnr",)))


def test_methods_are_named(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    assert parse_rendered(["mine=x/y", "z"]) == {"mine": Path("x/y"), "z": Path("z")}
    assert parse_rendered([str(tmp_path / "a=b")]) == {"a=b": tmp_path / "a=b"}
    with pytest.raises(UsageError, match="two methods"):
        parse_rendered(["x/out", "y/out"])
