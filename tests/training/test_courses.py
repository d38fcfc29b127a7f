"""What goes on about a picture: neighbours in the clip, never across a cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.training.toy_game import album_of

from retarget_cli.core.errors import InputError
from retarget_cli.core.example import Span
from retarget_cli.training.album import Album, open_album
from retarget_cli.training.courses import around, course_of, passage, targets
from retarget_cli.training.draw import Drawer, DrawOptions
from retarget_cli.workflows.train_clips import chosen_runs, run_numbers

SPAN = Span(before=2, after=3, shown=2)


@pytest.fixture
def album(tmp_path: Path) -> Album:
    """Six pictures: four that follow each other, and two."""
    return replace(album_of(tmp_path / "one.safetensors", 6), runs=np.array([0, 0, 0, 0, 1, 1]))


def test_targets_have_those_behind_them(album: Album) -> None:
    assert targets(album, SPAN).tolist() == [0, 1, 2, 4]
    assert targets(album, Span()).tolist() == list(range(6))
    assert not len(targets(album, Span(shown=5)))


def test_neighbours_end_where_the_run_ends(album: Album) -> None:
    assert around(album, 0, SPAN).tolist() == [0, 0, 0, 1, 2, 3]
    assert around(album, 3, SPAN).tolist() == [1, 2, 3, 3, 3, 3]
    assert around(album, 4, SPAN).tolist() == [4, 4, 4, 5, 5, 5]


def test_a_course_tells_of_them(album: Album) -> None:
    course = course_of(album, 1, SPAN, camera=lambda camera: camera * 2)
    assert np.array_equal(course.theta, album.theta[[0, 0, 1, 2, 3, 3]])
    assert np.array_equal(course.camera, 2 * album.camera[[0, 0, 1, 2, 3, 3]])
    assert len(course.following) == 1
    assert np.array_equal(course.following[0].image, album.view(2).image)
    assert course.others is None


def test_an_album_of_single_pictures_has_no_runs(tmp_path: Path) -> None:
    old = album_of(tmp_path / "old.safetensors", 4)
    assert old.runs.tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError, match="nothing to learn from"):
        Drawer([old], DrawOptions(32), 0, span=SPAN)


def test_drawn_examples_have_courses(tmp_path: Path, album: Album) -> None:
    other = replace(album_of(tmp_path / "two.safetensors", 5, seed=3), runs=np.zeros(5, np.int64))
    other = replace(other, theta=other.theta + np.float32(0.1))
    drawer = Drawer([album, other], DrawOptions(32, batch=2), 1, span=SPAN)
    for number in range(6):
        for example in drawer.batch(number):
            course = example.course
            assert course is not None
            assert course.theta.shape == (6, 24, 3)
            assert np.array_equal(course.theta[SPAN.before], example.target.theta)
            assert np.allclose(course.camera[SPAN.before], example.target.camera)
            assert course.following[0].image.shape == example.target.image.shape
            assert course.others is not None
            own = {each.tobytes() for each in course.theta}
            assert not own & {each.tobytes() for each in course.others}
    films = [np.full((20, 24, 3), 7 + number, np.float32) for number in range(2)]
    told = Drawer([album, other], DrawOptions(32), 1, span=SPAN, others=films)
    courses = [told.example(number, 0, 1).course for number in range(9)]
    assert {float(course.others.mean()) for course in courses if course and course.others is not None} == {7, 8}
    alone = Drawer([album], DrawOptions(32), 1, span=SPAN).example(0, 0, 1)
    assert alone.course is not None
    assert alone.course.others is None
    assert Drawer([album], DrawOptions(32), 1).example(0, 0, 1).course is None


def test_passages_are_consecutive() -> None:
    film = np.arange(20, dtype=np.float32)[:, None, None] * np.ones((1, 24, 3), np.float32)
    found = passage(film, np.random.default_rng(0), SPAN)[:, 0, 0]
    assert np.diff(found).tolist() == [1] * 5
    assert passage(film[:2], np.random.default_rng(0), SPAN)[:, 0, 0].tolist() == [0, 1, 1, 1, 1, 1]


def test_runs_of_a_long_clip() -> None:
    assert chosen_runs(10, 12, 4).tolist() == list(range(10))
    rows = chosen_runs(100, 12, 4)
    assert rows.tolist() == [0, 1, 2, 3, 48, 49, 50, 51, 96, 97, 98, 99]
    assert run_numbers(rows).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert run_numbers(np.array([5, 6, 9])).tolist() == [0, 0, 1]


def test_runs_are_kept_with_the_album(tmp_path: Path, album: Album) -> None:
    from safetensors.numpy import load_file, save_file

    arrays = load_file(album.path)
    told = {"format": "retarget-album", "format_version": "1", "name": "x", "body": "anny"}
    save_file({**arrays, "runs": np.array([0, 0, 1, 1, 1, 2])}, tmp_path / "new.safetensors", told)
    assert open_album(tmp_path / "new.safetensors").runs.tolist() == [0, 0, 1, 1, 1, 2]
    save_file({**arrays, "runs": np.array([0, 0])}, tmp_path / "bad.safetensors", told)
    with pytest.raises(InputError, match="fit together"):
        open_album(tmp_path / "bad.safetensors")
