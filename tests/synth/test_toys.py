"""Toys: the same every time, true to their pictures, the same motion by two instances, and read by `eval`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from typer.testing import CliRunner

from retarget_cli.backends.base import Window
from retarget_cli.backends.still.backend import Still, StillOptions
from retarget_cli.cli.app import app
from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.motion import Motion
from retarget_cli.core.subject import Subject, View
from retarget_cli.evaluation.datasets import open_dataset
from retarget_cli.evaluation.protocols import Protocol, Task
from retarget_cli.media.images import read_picture, write_png
from retarget_cli.synth.toys.plan import ToyRecipe, plan_toys
from retarget_cli.synth.toys.rendition import toy_frames, toy_renditions
from retarget_cli.synth.toys.waves import perform
from retarget_cli.synth.toys.zoo import FAMILIES, SPECIES
from retarget_cli.workflows import evaluate as evaluation
from retarget_cli.workflows.animate import AnimateOptions
from retarget_cli.workflows.evaluate import EvaluateOptions, evaluate
from retarget_cli.workflows.synth import SynthOptions, synthesize
from retarget_cli.workflows.synth_toys import ToyOptions, synthesize_toys

FRAMES, SIZE = 5, 96
SMALL = ToyOptions(clips=6, frames=FRAMES, size=(SIZE, SIZE), seed=5, views=3, workers=1)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six clips, two of each family. Not to be changed."""
    folder = tmp_path_factory.mktemp("toys") / "set"
    synthesize_toys(folder, SMALL)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def picture(path: Path) -> np.ndarray:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return found if found.ndim == 2 else found[..., ::-1]


def shots(toys: Path) -> Iterator[tuple[Path, Path, int]]:
    """Clip, rendition and row of every picture."""
    for clip in sorted((toys / "clips").iterdir()):
        for one in (path for path in sorted(clip.iterdir()) if path.is_dir()):
            for row in range(len(list((one / "frames").iterdir()))):
                yield clip, one, row


def test_layout(toys: Path) -> None:
    told = json.loads((toys / "dataset.json").read_text())
    assert (told["format"], told["kind"], told["clips"]) == ("retarget-synth", "toy", [f"{n:04d}" for n in range(6)])
    families = []
    for clip in sorted((toys / "clips").iterdir()):
        about = json.loads((clip / "clip.json").read_text())
        families.append(about["family"])
        assert set(about["renditions"]) == {"self", "source", "other"}
        for name, one in about["renditions"].items():
            assert one["frames"] == (3 if name == "source" else FRAMES)
            assert one["flow_to"] == ("other/000000" if name == "other" else "source/000000")
            for kind in ("frames", "mask", "parts", "flow"):
                assert len(list((clip / name / kind).iterdir())) == one["frames"]
            arrays = load_file(clip / name / "points.safetensors")
            assert arrays["points"].shape == (one["frames"], len(about["points"]), 3)
            assert arrays["motion"].shape == (one["frames"], len(about["channels"]))
    assert families == ["flat", "solid", "face"] * 2


def test_the_same_bytes_by_any_number_of_workers(toys: Path, tmp_path: Path) -> None:
    synthesize_toys(tmp_path / "set", replace(SMALL, clips=2, workers=2))
    found = files(tmp_path / "set" / "clips")
    assert found == {name: made for name, made in files(toys / "clips").items() if name[:4] in {"0000", "0001"}}
    assert synthesize_toys(tmp_path / "set", replace(SMALL, clips=2)).made == 0


def test_another_seed_is_another_set(toys: Path, tmp_path: Path) -> None:
    synthesize_toys(tmp_path / "set", replace(SMALL, clips=1, seed=6))
    name = "clips/0000/self/frames/000000.png"
    assert (picture(tmp_path / "set" / name) != picture(toys / name)).mean() > 0.3


def test_masks_are_where_the_picture_is_not_the_plate(toys: Path) -> None:
    seen = 0
    for clip, one, row in shots(toys):
        if row and json.loads((clip / "clip.json").read_text())["camera"] == "moving":
            continue
        name = f"{row:06d}.png"
        mask, parts = picture(one / "mask" / name), picture(one / "parts" / name)
        away = np.abs(picture(one / "frames" / name).astype(int) - picture(one / "plate.png")).max(-1)
        assert not (away[mask == 0] > 0).any()
        assert (away[mask == 255] > 6).mean() > 0.8  # paint may happen to be like the wall
        assert (mask[parts > 0] > 0).all()
        assert (parts[mask == 255] == 0).mean() < 0.01
        assert 0.02 < (mask > 127).mean() < 0.8
        seen += 1
    assert seen > 20


def test_a_still_camera_leaves_toys_whole(toys: Path) -> None:
    for clip, one, row in shots(toys):
        if json.loads((clip / "clip.json").read_text())["camera"] == "static":
            mask = picture(one / "mask" / f"{row:06d}.png")
            assert not any(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1])), (one, row)


def test_points_lie_in_their_parts(toys: Path) -> None:
    counted = {1.0: 0, 0.35: 0}
    for clip, one, row in shots(toys):
        about = json.loads((clip / "clip.json").read_text())
        parts = picture(one / "parts" / f"{row:06d}.png")
        points = load_file(one / "points.safetensors")["points"][row]
        for name, (x, y, seen) in zip(about["points"], points, strict=True):
            label = about["parts"].index(name)
            if seen == 1:
                assert parts[int(y), int(x)] == label, (one, row, name)
            elif seen == 0:
                assert not (0 <= x < SIZE and 0 <= y < SIZE)
            if seen:
                counted[round(float(seen), 2)] += 1
    assert counted[1.0] > counted[0.35] > 0


def test_every_part_is_seen_somewhere_near_its_point() -> None:
    """Points belong to what bears their name: in the first pose of every species most are in sight or nearly so."""
    for number, species in enumerate(SPECIES):
        toy = species.build(np.random.default_rng(number))
        motion = perform(species.channels, 8, 25, np.random.default_rng(number))
        places = toy.placed(motion)
        low, high = toy.bounds(places)
        scale = 110 / float((high - low).max())
        middle = 64 - scale * (low + high) / 2
        toy = toy.sharpened(scale)
        there = toy.onto(places, scale, *map(float, middle))[4]
        drawn = toy.draw(there, (128, 128))
        near = 0
        for mark, (x, y, _) in zip(toy.marks, toy.mark_places(there), strict=True):
            label = toy.part_names.index(mark.part) + 1
            window = drawn.parts[max(int(y) - 4, 0) : int(y) + 5, max(int(x) - 4, 0) : int(x) + 5]
            near += bool((window == label).any())
        assert near >= 0.6 * len(toy.marks), species.name
        assert len({mark.name for mark in toy.marks}) == len(toy.marks)


def test_flow_leads_to_the_same_paint(toys: Path) -> None:
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    hidden = 0
    for clip in (toys / "clips").iterdir():
        is_flat = json.loads((clip / "clip.json").read_text())["family"] == "flat"
        source = picture(clip / "source/frames/000000.png")
        for row in (0, FRAMES - 1):
            flow = picture(clip / f"self/flow/{row:06d}.png").astype(np.float32)
            right, down = (flow[..., axis] / 64 - 512 for axis in (0, 1))
            came = cv2.remap(source, x + right, y + down, cv2.INTER_LINEAR)
            seen = flow[..., 2] > 0
            away = np.abs(came.astype(int) - picture(clip / f"self/frames/{row:06d}.png")).mean(-1)
            assert seen.mean() > 0.6
            # Solid toys' light stays with the camera, so that it differs a little where they turn.
            assert np.median(away[seen]) < 2
            assert (away[seen] < 30).mean() > (0.96 if is_flat else 0.9), (clip, row)
            # What counts as seen is the same part there; its edges apart.
            labels = [picture(clip / f"{name}/parts/{at:06d}.png") for name, at in (("self", row), ("source", 0))]
            near = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
            found = [cv2.remap(labels[1], x + right + a, y + down + b, cv2.INTER_NEAREST) for a, b in near]
            on_toy = (labels[0] > 0) & seen
            assert (np.array(found) == labels[0]).any(0)[on_toy].mean() > 0.99, (clip, row)
            hidden += int((~seen & (labels[0] > 0)).sum())
            if row == 0:
                assert not right[seen].round(1).any()
                assert not down[seen].round(1).any()
    assert hidden > 20


def test_the_first_reference_is_the_first_frame_and_the_others_are_other_poses(toys: Path) -> None:
    for clip in (toys / "clips").iterdir():
        first = picture(clip / "source/frames/000000.png")
        assert (first == picture(clip / "self/frames/000000.png")).all()
        assert (picture(clip / "source/plate.png") == picture(clip / "self/plate.png")).all()
        assert (picture(clip / "source/frames/000001.png") != first).any(-1).mean() > 0.01


def test_the_other_instance_makes_the_same_motion(toys: Path) -> None:
    for clip in sorted((toys / "clips").iterdir()):
        own, other = (load_file(clip / name / "points.safetensors") for name in ("self", "other"))
        assert (own["motion"] == other["motion"]).all()
        assert np.ptp(own["motion"], axis=0).max() > 0.02
        first, second = (picture(clip / name / "frames/000000.png") for name in ("self", "other"))
        assert (first != second).any(-1).mean() > 0.3
    # Limbs of both lean to the same side: their points go the same ways.
    recipe = ToyRecipe(seed=3, frames=12, size=(128, 128), views=1, camera="static", families=("flat",))
    for number in range(3):
        source, own, other = toy_renditions(recipe, plan_toys(recipe, number))
        ways = [np.stack([one.toy.mark_places(row)[:, :2] for row in one.places]) for one in (own, other)]
        moves = [(way[-1] - way[0]).ravel() for way in ways]
        assert np.corrcoef(moves)[0, 1] > 0.7
        assert len(list(toy_frames(source, source, recipe.size))) == 1


def test_instances_of_a_species_share_parts_and_points_but_not_looks() -> None:
    for species in SPECIES:
        first, second = (species.build(np.random.default_rng(seed)) for seed in (1, 2))
        assert first.part_names == second.part_names
        assert [mark.name for mark in first.marks] == [mark.name for mark in second.marks]
        assert {channel for bone in first.bones for channel, _, _ in bone.drives} <= set(species.channels)
        assert any(a.joint != b.joint for a, b in zip(first.bones, second.bones, strict=True)), species.name


def test_motion_is_smooth() -> None:
    for species in SPECIES:
        values = perform(species.channels, 50, 25, np.random.default_rng(7)).values
        kinds = [channel.kind for channel in species.channels.values()]
        calm = np.array([kind in {"beat", "wander"} for kind in kinds])
        assert np.abs(np.diff(values[:, calm], axis=0)).max() < 0.75, species.name
        assert np.abs(values[:, calm]).max() <= 1


def test_a_moving_camera_moves_the_background_too(tmp_path: Path) -> None:
    options = replace(SMALL, clips=1, frames=25, camera="moving", views=1, families=("face",))
    synthesize_toys(tmp_path / "a", options)
    flow = picture(tmp_path / "a/clips/0000/self/flow/000024.png")
    assert np.abs(flow[0, :, :2].astype(int) - 32768).max() > 32


def test_fewer_renditions_and_families(tmp_path: Path) -> None:
    synthesize_toys(tmp_path / "a", replace(SMALL, clips=2, frames=1, has_cross=False, families=("face",)))
    for clip in (tmp_path / "a/clips").iterdir():
        assert {path.name for path in clip.iterdir() if path.is_dir()} == {"self", "source"}
        assert json.loads((clip / "clip.json").read_text())["family"] == "face"


def test_own_backgrounds(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "red.png"), np.full((50, 80, 3), (0, 0, 255), np.uint8))
    synthesize_toys(tmp_path / "a", replace(SMALL, frames=1, size=(48, 48), backgrounds=photos))
    plates = [picture(path) for path in (tmp_path / "a").glob("clips/*/*/plate.png")]
    assert 0 < sum(bool((plate == (255, 0, 0)).all()) for plate in plates) < len(plates)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"clips": 0}, UsageError, "--clips is 0"),
        ({"size": (8, 8)}, UsageError, "--size is 8"),
        ({"workers": 0}, UsageError, "--workers is 0"),
        ({"seed": -1}, UsageError, "--seed is -1"),
        ({"families": ("walk",)}, UsageError, "walk is not known"),
        ({"families": ()}, UsageError, "names no kind of toy"),
        ({"backgrounds": Path("nowhere")}, InputError, "cannot read nowhere"),
    ],
)
def test_impossible_options(change: dict[str, Any], error: type[Exception], words: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=words):
        synthesize_toys(tmp_path / "set", replace(SMALL, **change))
    assert not (tmp_path / "set").exists()


def test_people_and_toys_do_not_mix(toys: Path) -> None:
    with pytest.raises(UsageError, match='begun with kind "toy", not "people"'):
        synthesize(toys, SynthOptions(clips=1))
    with pytest.raises(UsageError, match="begun with seed 5, not 6"):
        synthesize_toys(toys, replace(SMALL, seed=6))


def test_the_command(tmp_path: Path) -> None:
    words = ["synth", str(tmp_path / "a"), "--kind", "toy", "--clips", "1", "--frames", "2", "--size", "48"]
    words += ["--views", "1", "--workers", "1", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["frames"] == 5
    for wrong in (["--with", "clothes"], ["--motion", "a.motion"], ["--kinds", "walk"]):
        refused = CliRunner().invoke(app, [*words, *wrong])
        assert refused.exit_code == 2, wrong
        assert "toy" in refused.output


def shown_still(options: AnimateOptions, *_: object) -> None:
    """The baseline's own performer on a source picture in which no pose network finds a person."""
    image = read_picture(Path(options.sources[0])).rgb
    height, width = image.shape[:2]
    nobody, nowhere = np.zeros((33, 3), np.float32), np.zeros(3, np.float32)
    view = View(image, np.ones((height, width), np.float32), nobody, nobody, np.zeros((24, 3), np.float32), nowhere)
    subject = Subject((view,), np.zeros(27, np.float32), "anny", image, "toy")
    assert options.driving is not None
    count = len(list(options.driving.iterdir()))
    motion = Motion(
        (height, width), tuple(range(count)), np.ones(count, bool),  # type: ignore[arg-type]
        np.zeros((count, 33, 3), np.float32), np.zeros((count, 33, 3), np.float32),
    )  # fmt: skip
    performer = Still(StillOptions(), torch.device("cpu")).prepare(subject)
    Path(options.output).mkdir(parents=True)
    for frames in performer.perform(iter([Window(0, motion)])):
        for row, frame in enumerate(frames):
            pixels = (255 * frame[:3]).round().byte().permute(1, 2, 0).numpy()
            write_png(Path(options.output) / f"{row:06d}.png", pixels)


@pytest.mark.parametrize(("task", "driving"), [(Task.SELF, "self"), (Task.CROSS, "other")])
def test_eval_reads_it(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Task, driving: str
) -> None:
    asked: list[AnimateOptions] = []

    def animate(options: AnimateOptions, *rest: object) -> None:
        asked.append(options)
        shown_still(options, *rest)

    # Whoever animates toys brings what needs no body; what is tested here is all that is around it.
    monkeypatch.setattr(evaluation, "animate", animate)
    protocol = Protocol(task=task, size=(SIZE, SIZE), sources=2)
    metrics = ("l1", "ssim", "mask-psnr")
    options = EvaluateOptions(toys, tmp_path / "run", ("still",), protocol, metrics=metrics, device="cpu")
    found = evaluate(options)
    assert (found.failed, found.total) == (0, 6)
    assert [Path(one.driving or "").parent.name for one in asked] == [driving] * 6
    assert all(len(one.sources) == 2 for one in asked)
    for clip in found.report.clips:
        values = clip.methods["still"].frames["l1"]
        # The first picture of the source is the target's first frame; then the target moves on.
        assert values[0] == pytest.approx(0, abs=1e-6)
        assert (values[-1] or 0) > 0.001
        assert all(value is not None for value in clip.methods["still"].frames["mask-psnr"][1:])


def test_the_data_set_as_eval_sees_it(toys: Path) -> None:
    found = open_dataset(toys)
    assert found.layout == "synth"
    assert [sorted(turnout.folders) for turnout in found.turnouts] == [["other", "self", "source"]] * 6
    assert all(len(recording.views) == 3 for recording in found.recordings)
    assert set(FAMILIES) == {species.family for species in SPECIES}
