"""A person learned from film: every frame in order, postures of others, and a file that moves."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.media_maker import Clip, probe
from tests.workflows.conftest import Scene
from tests.workflows.scenes import clip_of
from tests.workflows.test_personalize import Watching

from retarget_cli.core.errors import InputError, Interrupted, UsageError
from retarget_cli.core.example import Span
from retarget_cli.core.progress import Silence
from retarget_cli.networks.official_names import global_names
from retarget_cli.networks.residual_generator import ResidualGenerator, TrunkDesign
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.extract import extract_motion
from retarget_cli.workflows.import_weights import import_weights
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.person_takes import Scenes, open_scenes
from retarget_cli.workflows.personalize import PersonalizeOptions, personalize
from retarget_cli.workflows.source import prepare_subject
from retarget_cli.workflows.subject_file import load_subject

SMALL = (
    ("weights", "none"), ("resolution", "32"), ("width", "4"), ("levels", "1"), ("blocks", "1"), ("context", "1"),
    ("discriminator_width", "4"),
)  # fmt: skip
SPAN = Span(before=2, after=4, shown=3, fineness=20.0)
EMPTY = 9
FRAMES = 18


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen frames of somebody; in the tenth nobody is seen."""
    return clip_of(tmp_path_factory.mktemp("film") / "me.mp4", Clip((256, 192), count=FRAMES), frozenset({EMPTY}))


def options(film: Path, path: Path, steps: int = 4, **said: object) -> PersonalizeOptions:
    lesson = LessonOptions(steps)
    return PersonalizeOptions(
        (str(film),), str(path), "pose2video", SMALL, lesson, is_half=False, device="cpu", **said,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def scenes(film: Path, scene: Scene) -> Scenes:
    from retarget_cli.body.catalog import load_body
    from retarget_cli.workflows.canvas import parse_size

    subject = prepare_subject([film], parse_size(None), "largest", load_body("anny"), scene.cache, Silence(), 8)
    return open_scenes([film], [scene.clip], "largest", subject, SPAN, 0, scene.cache, Silence())


def test_every_frame_is_an_example_with_its_neighbours(scenes: Scenes) -> None:
    # Nine frames before the gap and eight behind it, of each the last two can't be followed by two more.
    assert scenes.frames in (13, 14, 15, 16)  # the tracker may fill the gap, or miss a frame behind it
    for number in (0, 3, scenes.frames - 1, scenes.frames):
        example = scenes[number]
        course = example.course
        assert course is not None
        assert course.theta.shape == (7, 24, 3)
        assert np.array_equal(course.theta[SPAN.before], example.target.theta)
        assert len(course.following) == 2
        assert course.others is not None
        assert course.others.shape == course.theta.shape
    first, again = scenes[0], scenes[scenes.frames]
    assert np.array_equal(first.target.image, again.target.image)
    assert len(scenes) == 100 * scenes.frames


def test_pictures_are_as_fine_as_asked_and_the_person_is_where_the_body_is(scenes: Scenes) -> None:
    target = scenes[2].target
    assert 20 < float(target.camera[0]) < 32
    assert max(target.image.shape) < 90
    rows, columns = np.nonzero(target.mask > 0.5)
    assert abs(columns.mean() - target.camera[1]) < 0.08 * len(target.mask)
    height = rows.max() - rows.min()
    assert 1.4 < height / float(target.camera[0]) < 2.1


def test_albums_are_made_once(film: Path, scene: Scene, scenes: Scenes, tmp_path: Path) -> None:
    subject = scenes[0].subject
    folder = scene.cache.folder / "albums"
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    open_scenes([film], [], "largest", subject, SPAN, 0, scene.cache, Silence())
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    open_scenes([film], [], "largest", subject, replace(SPAN, fineness=10.0), 0, scene.cache, Silence())
    assert len(list(folder.iterdir())) == len(before) + 1


def test_a_clip_that_is_too_short(film: Path, scene: Scene, scenes: Scenes) -> None:
    with pytest.raises(InputError, match="40 frames on end"):
        open_scenes([film], [], "largest", scenes[0].subject, replace(SPAN, shown=40), 0, scene.cache, Silence())


def test_what_was_learned_moves(film: Path, scene: Scene, tmp_path: Path) -> None:
    """From the raw clip to a subject file, and from that to a film with the person alone, whole and in segments."""
    motion = tmp_path / "other.motion"
    extract_motion(scene.clip, motion, cache=scene.cache)
    result = personalize(options(film, tmp_path / "me", driving=(motion,)), scene.cache)
    assert result.frames > 10
    assert "unpaired" in result.losses["generator"]
    saved = load_subject(result.path)
    assert saved.backend == "pose2video"
    assert len(saved.subject.views) <= 8
    shown = []
    for name, is_resumed in (("out.mp4", False), ("again.mp4", True)):
        said = AnimateOptions(
            (), scene.clip, str(tmp_path / name), subject=result.path, device="cpu", excerpt=Excerpt(max_frames=9),
            is_resumed=is_resumed,
        )  # fmt: skip
        assert animate(said, scene.cache).frames == 9
        shown.append(np.stack(probe(tmp_path / name).frames).astype(int))
    assert np.abs(shown[0] - shown[1]).mean() < 2  # two encodings of the same frames
    said = AnimateOptions((), scene.clip, "x.mp4", subject=result.path, settings=(("weights", "base"),))
    with pytest.raises(UsageError, match="weights of its own"):
        animate(said, scene.cache)


def test_stopping_and_going_on_is_as_not_stopping(film: Path, scene: Scene, tmp_path: Path) -> None:
    """Across the stages, too: two steps of the first, two of the second."""
    whole = load_subject(personalize(options(film, tmp_path / "whole"), scene.cache).path)
    with pytest.raises(Interrupted):
        personalize(options(film, tmp_path / "me"), scene.cache, None, Watching(1))
    result = personalize(options(film, tmp_path / "me"), scene.cache)
    assert 1 <= result.resumed <= 3
    found = load_subject(result.path)
    for name, tensor in whole.state.items():
        assert torch.equal(found.state[name], tensor), name


def test_a_released_generator_is_where_it_begins(scene: Scene, tmp_path: Path) -> None:
    """From a file of pix2pixHD's, imported, to a person's own whole weights."""
    network = ResidualGenerator(36, design=TrunkDesign(width=4, levels=1, after=1))
    own = network.state_dict()
    torch.save({theirs: own[ours] for theirs, ours in global_names(network).items()}, tmp_path / "latest_net_G.pth")
    done = import_weights(tmp_path / "latest_net_G.pth", folder=tmp_path / "weights")
    given = (("weights", str(done.path)), ("resolution", "32"), ("discriminator_width", "4"))
    said = replace(options(Path("x"), tmp_path / "me.subject", 1), sources=(str(scene.photo),), settings=given)
    saved = load_subject(personalize(said, scene.cache).path)
    assert saved.provenance["base"] == "latest_net_G.safetensors"
    assert "holds" not in saved.design
    trunk, way = network.trunk.state_dict()["encoder.down.0.conv.weight"], "first.generator.trunk."
    assert float((saved.state[f"{way}encoder.down.0.conv.weight"] - trunk).abs().max()) < 1e-3  # a step of Adam's


def test_photos_suffice_and_the_cache_can_be_done_without(film: Path, scene: Scene, tmp_path: Path) -> None:
    result = personalize(replace(options(film, tmp_path / "photo", 1), sources=(str(scene.photo),)), scene.cache)
    assert result.frames == 0
    shutil.copy(film, tmp_path / "film.mp4")
    result = personalize(options(tmp_path / "film.mp4", tmp_path / "film", 1), None)
    assert result.frames > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film", "film.mp4", "photo"]
