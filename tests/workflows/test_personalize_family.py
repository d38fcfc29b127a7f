"""The backends of the self-appearance family, as small as they go, tuned to a thing: the file brings back what was
learned.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import torch
from tests.media_maker import Clip, make_video, probe
from tests.workflows.test_personalize import Watching

from retarget_cli.core.errors import Interrupted, RetargetError, UsageError
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.origin import choose_origin
from retarget_cli.workflows.personalize import PersonalizeOptions, PersonalizeResult, personalize
from retarget_cli.workflows.subject_file import load_subject

CPU = torch.device("cpu")
BACKENDS = ("first-order", "articulated", "self-appearance")
SMALL = (("weights", "none"), ("width", "4"), ("most", "16"), ("keypoints", "3"), ("resolution", "96"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("thing") / "thing.mp4", Clip((96, 96), Fraction(10), 10))


def make(
    clip: Path, path: Path, backend: str, watcher: Watching | None = None, steps: int = 3, rate: float | None = None
) -> PersonalizeResult:
    if watcher is not None:
        watcher.wants_pictures = False
    options = PersonalizeOptions(
        (str(clip),), str(path), backend, SMALL, LessonOptions(steps, rate=rate), is_half=False, device="cpu",
        driving=(clip,),
    )  # fmt: skip
    return personalize(options, None, None, watcher)


@pytest.mark.parametrize("name", BACKENDS)
def test_the_file_brings_back_what_was_learned_and_is_animated(clip: Path, tmp_path: Path, name: str) -> None:
    path = make(clip, tmp_path / "it.subject", name).path
    saved = load_subject(path)
    backend = choose_origin([], path).open_backend(CPU)
    state = backend.generator.state_dict()  # type: ignore[attr-defined]
    assert set(state) == set(saved.state)
    assert all(torch.equal(state[key], tensor) for key, tensor in saved.state.items())
    assert backend.design() == saved.design  # type: ignore[attr-defined]
    film = animate(AnimateOptions((), clip, str(tmp_path / "film.mp4"), subject=path, device="cpu", size="64"))
    assert (film.size, len(probe(film.path).frames)) == ((64, 64), 10)


def test_stopping_and_going_on_is_as_not_stopping(clip: Path, tmp_path: Path) -> None:
    whole = load_subject(make(clip, tmp_path / "whole", "self-appearance").path)
    with pytest.raises(Interrupted):
        make(clip, tmp_path / "it", "self-appearance", Watching(1))
    result = make(clip, tmp_path / "it", "self-appearance")
    assert 1 <= result.resumed <= 2
    found = load_subject(result.path)
    assert set(found.state) == set(whole.state)
    for name, tensor in whole.state.items():
        assert torch.equal(found.state[name], tensor), name


def test_a_little_is_learned(clip: Path, tmp_path: Path) -> None:
    watcher = Watching()
    make(clip, tmp_path / "it", "first-order", watcher, 30, 2e-3)
    sums = [sum(step.losses["generator"].values()) for step in watcher.steps]
    assert sum(sums[-6:]) < 0.95 * sum(sums[:6])


def test_small_pictures_are_learned_from_too(tmp_path: Path) -> None:
    tiny = make_video(tmp_path / "tiny.mp4", Clip((32, 32), Fraction(10), 3))
    assert make(tiny, tmp_path / "it", "first-order").steps == 3


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"backend": "avatar"}, UsageError, "avatar moves people"),
        ({"backend": "articulated"}, UsageError, "was made for first-order"),
        ({"settings": (("weights", "x"),)}, UsageError, "has weights of its own"),
        ({"settings": (("width", "8"),)}, RetargetError, "width"),
    ],
)
def test_what_a_subject_does_not_go_with(
    clip: Path, tmp_path: Path, changes: dict[str, object], kind: type[RetargetError], text: str
) -> None:
    path = make(clip, tmp_path / "it.subject", "first-order", steps=1).path
    with pytest.raises(kind, match=text) as told:
        animate(AnimateOptions((), clip, str(tmp_path / "o.mp4"), subject=path, device="cpu", **changes))  # type: ignore[arg-type]
    assert "\n" not in told.value.line
    assert not (tmp_path / "o.mp4").exists()
