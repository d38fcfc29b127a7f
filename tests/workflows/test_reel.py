"""Films in segments: whatever stops them, what is closed stays, and the end is the same."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.workflows.conftest import COUNT, Scene
from tests.workflows.full_disk import disk_of

from retarget_cli.backends.avatar.backend import Avatar
from retarget_cli.core.errors import Interrupted, OutputError
from retarget_cli.media.reader import open_frames
from retarget_cli.workflows import reel
from retarget_cli.workflows.animate import AnimateResult, animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.reel import segment_length
from retarget_cli.workflows.troupe import Troupe

LENGTH = 4
SEGMENTS = -(-COUNT // LENGTH)


class Stopping:
    """Progress that ends the run, as Ctrl-C does, once so many frames are rendered."""

    def __init__(self, after: int = 10**6) -> None:
        self.after, self.notes = after, [""]
        self.rendered: list[int] = []

    def stage(self, name: str, done: int, total: int | None) -> None:
        if name == "render":
            self.rendered.append(done)
            if done >= self.after:
                raise KeyboardInterrupt

    def note(self, text: str) -> None:
        self.notes.append(text)


Film = Callable[..., AnimateResult]


@pytest.fixture
def film(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Film:
    """Make the scene's film in segments of four frames."""
    monkeypatch.setattr(reel, "segment_length", lambda rate: LENGTH)

    def made(output: str = "out.mp4", progress: Stopping | None = None, **said: object) -> AnimateResult:
        options = AnimateOptions(
            **{"sources": (str(scene.photo),), "driving": scene.clip, "output": str(tmp_path / output),
               "device": "cpu", "is_resumed": True, **said}  # type: ignore[arg-type]
        )  # fmt: skip
        return animate(options, scene.cache, progress, troupe)

    troupe = Troupe()
    return made


def closed(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.json") if path.stem != "run")


def pictures(path: Path) -> list[tuple[Fraction, np.ndarray]]:  # type: ignore[type-arg]
    with open_frames(path) as frames:
        return [(frame.time, frame.rgb) for frame in frames]


@pytest.mark.parametrize(
    ("output", "stops", "said"),
    [
        ("out.mp4", (6, 11), {}),
        ("out.gif", (6, 11), {}),
        ("frames", (6, 11), {}),
        ("out.mp4", (11,), {"is_compared": True, "background": "driving"}),
    ],
)
def test_an_interrupted_film_ends_as_an_undisturbed_one(
    film: Film, tmp_path: Path, output: str, stops: tuple[int, ...], said: dict[str, object]
) -> None:
    whole = film(f"whole/{output}", **said)
    assert (whole.frames, whole.resumed) == (COUNT, 0)
    for after in stops:
        with pytest.raises(Interrupted, match=r"frames are kept in .*progress") as stop:
            film(output, Stopping(after), **said)
        assert stop.value.hint == "the same command goes on"
        assert not (tmp_path / output).exists()
    assert len(closed(tmp_path / f"{output}.progress")) == 2
    watched = Stopping()
    gone_on = film(output, watched, **said)
    assert (gone_on.frames, gone_on.resumed, gone_on.size) == (COUNT, 2 * LENGTH, whole.size)
    assert min(watched.rendered) > 2 * LENGTH
    one, other = ([tmp_path / folder / output] for folder in ("", "whole"))
    if one[0].is_dir():
        one, other = (sorted(path[0].iterdir()) for path in (one, other))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert not list(tmp_path.glob("*.progress"))


def test_segments_hold_what_a_film_at_one_go_does(film: Film, tmp_path: Path) -> None:
    film("parts.mkv", codec="ffv1")
    film("whole.mkv", codec="ffv1", is_resumed=False)
    one, other = pictures(tmp_path / "parts.mkv"), pictures(tmp_path / "whole.mkv")
    assert [time for time, _ in one] == [time for time, _ in other]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(one, other, strict=True))


def test_a_film_of_other_options_is_made_anew(film: Film, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        film(progress=Stopping(10))
    watched = Stopping()
    made = film(progress=watched, background="#102030")
    assert (made.frames, made.resumed) == (COUNT, 0)
    assert any("made anew" in note for note in watched.notes)


def test_two_cannot_lead(film: Film, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        film(progress=Stopping(6))
    with reel._led(tmp_path / "out.mp4.progress"), pytest.raises(OutputError, match="another run is making"):
        film()
    assert film().frames == COUNT


def test_a_helper_makes_what_nobody_makes_and_joins_nothing(film: Film, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        film(progress=Stopping(6))
    helped = film(is_helping=True)
    assert (helped.frames, helped.resumed) == (COUNT - LENGTH, LENGTH)
    assert len(closed(tmp_path / "out.mp4.progress")) == SEGMENTS
    assert not (tmp_path / "out.mp4").exists()
    assert (film().resumed, (tmp_path / "out.mp4").exists()) == (COUNT, True)
    assert film(is_helping=True, may_overwrite=True).frames == 0
    assert not (tmp_path / "out.mp4.progress").exists()


def test_who_leads_waits_for_a_helper_and_makes_what_he_leaves(film: Film, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        film(progress=Stopping(6))
    segments = reel.Segments(tmp_path / "out.mp4.progress", reel.FilmPlan(tmp_path / "out.mp4", Fraction(30)))
    with segments.claimed(2) as is_mine:
        assert is_mine
        made: list[AnimateResult] = []
        leader = threading.Thread(target=lambda: made.append(film()))
        leader.start()
        leader.join(1.5)
        assert leader.is_alive()
        assert not made
    leader.join(20)
    assert [(result.frames, result.resumed) for result in made] == [(COUNT, LENGTH)]


def test_a_method_with_a_memory_sees_every_frame(film: Film, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = film("whole.mp4")
    monkeypatch.setattr(Avatar, "spec", dataclasses.replace(Avatar.spec, is_frame_by_frame=False))
    with pytest.raises(Interrupted):
        film(progress=Stopping(10))
    assert film(is_helping=True).frames == 0
    starts: list[int] = []
    perform = reel.perform

    def noted(performer: object, motion: object, *rest: object) -> Iterator[object]:
        starts.append(1)
        return perform(performer, motion, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(reel, "perform", noted)
    made = film()
    assert (starts, made.resumed) == ([1], 2 * LENGTH)
    assert whole.path.read_bytes() == made.path.read_bytes()


def test_a_full_disk_keeps_what_is_closed(film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = reel.Segments.write

    def full(self: reel.Segments, number: int, frames: object) -> int:
        if number == 2:
            raise OutputError("can't write x: No space left on device", "make room")
        return write(self, number, frames)  # type: ignore[arg-type]

    monkeypatch.setattr(reel.Segments, "write", full)
    with pytest.raises(OutputError, match="No space left") as error:
        film()
    assert "goes on" in error.value.hint
    monkeypatch.undo()
    monkeypatch.setattr(reel, "segment_length", lambda rate: LENGTH)
    assert film().resumed == 2 * LENGTH


def test_a_real_full_disk(film: Film, tmp_path: Path) -> None:
    with disk_of(64 * 1024), pytest.raises(OutputError, match=r"can't write|no space"):
        film("out.mkv", codec="ffv1")
    assert not (tmp_path / "out.mkv").exists()
    assert film("out.mkv", codec="ffv1").frames == COUNT


def test_a_segment_lasts_about_four_seconds() -> None:
    assert [segment_length(Fraction(rate)) for rate in (1, 24, 25, 30, 60)] == [16, 96, 96, 128, 240]
    assert segment_length(Fraction(30000, 1001)) == 112


def test_a_troupe_keeps_the_last(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    prepare = Avatar.prepare
    monkeypatch.setattr(Avatar, "prepare", lambda self, subject: made.append(1) or prepare(self, subject))
    film("a.mp4")
    film("b.mp4", background="#ff0000")
    assert len(made) == 1
    film("c.mp4", size="96")
    film("d.mp4")
    assert len(made) == 3
