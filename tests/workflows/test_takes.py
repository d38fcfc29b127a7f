"""What a method led by pixels learns from: which pictures, how many, and as what."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.media_maker import Clip, index_in, make_video, picture

from retarget_cli.core.errors import InputError
from retarget_cli.core.example import Example
from retarget_cli.core.progress import Silence
from retarget_cli.core.subject import Image
from retarget_cli.media.images import write_png
from retarget_cli.workflows import takes as module
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.spreading import spread
from retarget_cli.workflows.takes import Exercises, Take, picture_sources, read_takes

SILENCE = Silence()


def still(value: int, size: tuple[int, int] = (16, 24)) -> Image:
    return np.full((*size, 3), value, np.uint8)


def value(image: Image) -> int:
    return int(image[8, 12, 0])


def values(example: Example) -> tuple[list[int], int]:
    """Of the sources and of the target."""
    return [value(view.image) for view in example.subject.views], value(example.target.image)


@pytest.mark.parametrize(("count", "kept"), [(1, 1), (9, 9), (10, 10), (11, 6), (21, 6), (100, 7), (250, 8)])
def test_frames_lie_at_even_distances_over_the_whole_clip(count: int, kept: int) -> None:
    frames = ((row, np.full((1, 1, 3), row, np.uint8)) for row in range(count))
    found = [int(image[0, 0, 0]) for image in spread(frames, 10)]
    assert len(found) == kept
    steps = {1, 2, 4, 8, 16, 32}
    assert any(found == list(range(0, count, step)) for step in steps)


def test_any_two_frames_of_a_clip_are_an_example_and_none_is_its_own_source() -> None:
    drawn = Exercises([Take(tuple(still(row) for row in range(20)), True)], 3, 12)
    pairs = Counter()
    for row in range(400):
        sources, target = values(drawn[row])
        assert len(sources) == len(set(sources)) == 8
        assert target not in sources
        assert drawn[row].subject.is_unperceived
        assert np.array_equal(drawn[row].plate, still(target))
        pairs[(sources[0], target)] += 1
    assert len(pairs) > 200
    assert {target for _, target in pairs} == {source for source, _ in pairs} == set(range(20))
    assert drawn.frames == 20


def test_equal_numbers_give_equal_examples_and_other_seeds_others() -> None:
    takes = [Take((still(1), still(2), still(3)), False), Take(tuple(still(row) for row in range(20)), True)]
    one, same, other = (Exercises(takes, seed, 2) for seed in (1, 1, 2))
    assert all(values(one[row]) == values(same[row]) for row in range(30))
    assert any(values(one[row]) != values(other[row]) for row in range(30))
    assert len(one) == 2 * len(Exercises(takes[:1], 1, 2))


def test_all_takes_are_drawn_equally_often() -> None:
    takes = [Take((still(200),), False), Take(tuple(still(row) for row in range(20)), True)]
    drawn = Exercises(takes, 0, 0)
    found = [values(drawn[row])[1] == 200 for row in range(len(drawn))]
    assert sum(found) * 2 == len(drawn)


def test_a_single_picture_is_its_own_target_and_moves_in_the_variations() -> None:
    image = picture(48, 64)
    drawn = Exercises([Take((image,), False)], 0, 3)
    for row in range(8):
        source, target = drawn[row].subject.primary.image, drawn[row].target.image
        assert source.shape == target.shape == image.shape
        assert np.array_equal(source, image) == np.array_equal(target, image) == (row % 4 == 0)
        assert np.array_equal(source, target) == (row % 4 == 0)
    plain = Exercises([Take((image,), False)], 0, 0)
    assert all(np.array_equal(plain[row].target.image, image) for row in range(5))


def test_pictures_stand_together_and_every_clip_for_itself(tmp_path: Path) -> None:
    write_png(tmp_path / "wide.png", picture(300, 1200))
    write_png(tmp_path / "tall.png", picture(60, 40))
    clip = make_video(tmp_path / "clip.mp4", Clip((48, 64), Fraction(10), 12))
    other = make_video(tmp_path / "other.mp4", Clip((600, 1280), Fraction(10), 3))
    first, second, third = read_takes([tmp_path / "wide.png", clip, tmp_path / "tall.png"], [other], SILENCE)
    assert [image.shape for image in first.pictures] == [(128, 512, 3)] * 2
    assert (first.is_clip, second.is_clip, third.is_clip) == (False, True, True)
    assert [index_in(image) for image in second.pictures] == list(range(12))
    assert [image.shape for image in third.pictures] == [(240, 512, 3)] * 3


def test_clips_share_what_memory_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FRAMES", 12)
    clip = make_video(tmp_path / "clip.mp4", Clip((48, 64), Fraction(10), 12))
    assert [len(take.pictures) for take in read_takes([clip], [], SILENCE)] == [12]
    assert [len(take.pictures) for take in read_takes([clip], [clip, clip], SILENCE)] == [3, 3, 3]


def test_views_of_a_clip_are_spread_and_pictures_come_first(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "clip.mp4", Clip((48, 64), Fraction(10), 16))
    subject = picture_sources([clip], parse_size(None), SILENCE)
    assert [index_in(view.image) for view in subject.views] == [0, 2, 4, 6, 8, 10, 12, 14]
    assert (subject.name, subject.size) == ("clip", (48, 64))
    for number in range(6):
        write_png(tmp_path / f"{number}.png", picture(48, 64, 250))
    files = [*(tmp_path / f"{number}.png" for number in range(6)), clip]
    shown = [index_in(view.image) for view in picture_sources(files, parse_size("128"), SILENCE).views]
    assert shown == [23] * 6 + [0, 8]


def test_a_picture_that_no_file_can_hold(tmp_path: Path) -> None:
    write_png(tmp_path / "tiny.png", picture(12, 400))
    with pytest.raises(InputError, match=r"tiny\.png would be of 400x12"):
        picture_sources([tmp_path / "tiny.png"], parse_size(None), SILENCE)
