"""The liquid warping method, as small as it goes, tuned to one person: the file brings back what was learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.workflows.conftest import Scene
from tests.workflows.test_personalize import Watching

from retarget_cli.core.errors import Interrupted, RetargetError, UsageError
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.origin import choose_origin
from retarget_cli.workflows.personalize import PersonalizeOptions, PersonalizeResult, personalize
from retarget_cli.workflows.subject_file import load_subject

CPU = torch.device("cpu")
SMALL = (("weights", "none"), ("width", "4"), ("depth", "1"), ("resolution", "64"))


def make(scene: Scene, path: Path, watcher: Watching | None = None, steps: int = 4) -> PersonalizeResult:
    options = PersonalizeOptions(
        (str(scene.photo),), str(path), "liquid-warp", SMALL, LessonOptions(steps), is_half=False, device="cpu"
    )
    return personalize(options, scene.cache, None, watcher)


def test_stopping_and_going_on_is_as_not_stopping(scene: Scene, tmp_path: Path) -> None:
    whole = load_subject(make(scene, tmp_path / "whole").path)
    with pytest.raises(Interrupted):
        make(scene, tmp_path / "me", Watching(1))
    result = make(scene, tmp_path / "me")
    assert 1 <= result.resumed <= 3
    found = load_subject(result.path)
    assert set(found.state) == set(whole.state)
    for name, tensor in whole.state.items():
        assert torch.equal(found.state[name], tensor), name


def test_the_file_brings_back_what_was_learned(scene: Scene, tmp_path: Path) -> None:
    path = make(scene, tmp_path / "me").path
    saved = load_subject(path)
    assert saved.settings == {"width": "4", "depth": "1", "resolution": "64"}
    backend = choose_origin([], path).open_backend(CPU)
    state = backend.generator.state_dict()  # type: ignore[attr-defined]
    assert set(state) == set(saved.state)
    assert all(torch.equal(state[name], tensor) for name, tensor in saved.state.items())
    assert backend.design() == saved.design  # type: ignore[attr-defined]


def test_a_little_is_learned(scene: Scene, tmp_path: Path) -> None:
    watcher = Watching()
    make(scene, tmp_path / "me", watcher, 24)
    sums = [sum(step.losses["generator"].values()) for step in watcher.steps]
    assert sum(sums[-4:]) < 0.95 * sum(sums[:4])
    assert watcher.pictures == {}


@pytest.mark.parametrize(
    "changes", [{"width": "5"}, {"width": "1000000000"}, {"depth": "1000000000"}, {"width": "x"}, {"strategy": "x"}]
)
def test_a_design_that_the_weights_are_not_of_costs_nothing(
    scene: Scene, tmp_path: Path, changes: dict[str, str]
) -> None:
    path = make(scene, tmp_path / "me", steps=1).path
    saved = load_subject(path)
    origin = choose_origin([], path)
    backend = origin.open_backend(CPU)
    with pytest.raises(RetargetError) as told:
        backend.adopt(saved.state, {**saved.design, **changes}, "me.subject")  # type: ignore[attr-defined]
    assert "\n" not in told.value.line


def test_another_strategy_than_learned_is_refused(scene: Scene, tmp_path: Path) -> None:
    path = make(scene, tmp_path / "me", steps=1).path
    with pytest.raises((UsageError, RetargetError), match="strategy"):
        choose_origin([], path, settings={"strategy": "add"}).open_backend(CPU)
