"""Pictures or a subject file: who is to move, and by which method."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.media_maker import probe
from tests.workflows.conftest import Make, Scene
from tests.workflows.scenes import subject
from tests.workflows.toy_method import PLACES, Toy

from retarget_cli.backends import registry
from retarget_cli.body.catalog import load_body
from retarget_cli.core.errors import InputError, RetargetError, UsageError
from retarget_cli.core.progress import Silence
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.origin import Origin, choose_origin
from retarget_cli.workflows.subject_file import SavedSubject, save_subject

SIZE = (96, 64)
CPU = torch.device("cpu")
GREEN = (20, 200, 40)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **PLACES})


def painter(width: int = 4) -> dict[str, torch.Tensor]:
    """Weights with which the toy paints everything green."""
    toy = Toy(Toy.options(width=width), CPU)
    state = {name: torch.zeros_like(tensor) for name, tensor in toy.generator.state_dict().items()}
    state["2.bias"] = torch.tensor(GREEN) / 255
    return state


def saved(backend: str = "toy", **changes: object) -> SavedSubject:
    words = {"settings": {}, "design": {"width": "4"}, "state": painter(), **changes}
    return SavedSubject(subject(SIZE, 1.0), backend, **words)  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_subject(tmp_path / "me.subject", saved())
    return tmp_path / "me.subject"


def opened(origin: Origin, size: str | None = None) -> object:
    body = load_body(origin.body)
    return origin.open_subject(parse_size(size), "largest", body, None, Silence())


def test_pictures_and_the_default_method(tmp_path: Path, scene: Scene) -> None:
    found = choose_origin([str(scene.photo)])
    assert (found.name, found.backend, found.body, found.files) == ("me", "avatar", "anny", (scene.photo,))
    assert choose_origin([str(scene.photo)], backend="still", body="smpl").body == "smpl"


def test_a_subject_file_brings_its_method_and_options(tmp_path: Path) -> None:
    save_subject(tmp_path / "me.subject", saved(settings={"tint": "0.1"}))
    found = choose_origin([], tmp_path / "me.subject", settings={"width": "4"})
    assert (found.name, found.backend, found.body) == ("drawn", "toy", "anny")
    assert found.settings == {"tint": "0.1", "width": "4", "weights": "none"}
    assert choose_origin([], tmp_path / "me.subject", settings={"tint": "0.3"}).settings["tint"] == "0.3"
    backend = found.open_backend(CPU)
    assert isinstance(backend, Toy)
    assert backend.said.tint == 0.1
    person = opened(found)
    assert person.size == SIZE  # type: ignore[attr-defined]
    made = backend.shown(person)  # type: ignore[arg-type]
    assert torch.allclose(made, (torch.tensor(GREEN) / 255 + 0.1)[:, None, None].expand_as(made), atol=1e-6)
    assert opened(found, "48").size == (48, 32)  # type: ignore[attr-defined]


def test_animate_a_subject(make: Make, file: Path) -> None:
    result = make(sources=(), subject=file, size="48x72", excerpt=Excerpt(max_frames=4))
    film = probe(result.path)
    assert (film.size, len(film.frames), result.frames) == ((72, 48), 4, 4)
    assert np.abs(np.stack(film.frames).astype(int) - GREEN).max() < 24


def test_the_output_is_named_after_the_person_and_the_method(make: Make, file: Path) -> None:
    said = {"sources": (), "subject": file, "excerpt": Excerpt(max_frames=2), "fps": Fraction(5)}
    assert make("{source}_{driving}_{backend}.mp4", **said).path.name == "drawn_dance_toy.mp4"


def test_a_method_that_learns_nothing_takes_the_pictures(make: Make, file: Path) -> None:
    result = make(sources=(), subject=file, backend="still", excerpt=Excerpt(max_frames=2))
    shown = probe(result.path).frames[0].astype(int)
    assert np.abs(shown - subject(SIZE).primary.image).mean() < 4


@pytest.mark.parametrize(
    ("words", "kind", "text"),
    [
        ({"sources": ["a.png"]}, UsageError, "exclude each other"),
        ({"backend": "other-toy"}, UsageError, "--backend other-toy: .* was made for toy"),
        ({"backend": "none"}, UsageError, "unknown"),
        ({"settings": {"weights": "x"}}, UsageError, "has weights of its own"),
    ],
)
def test_what_does_not_go_together(file: Path, words: dict[str, object], kind: type[RetargetError], text: str) -> None:
    with pytest.raises(kind, match=text) as told:
        choose_origin(**{"sources": [], "subject_file": file, **words})  # type: ignore[arg-type]
    assert told.value.hint


def test_a_subject_file_among_the_pictures(file: Path, scene: Scene) -> None:
    with pytest.raises(UsageError, match="is a subject file") as told:
        choose_origin([str(scene.photo), str(file)])
    assert "--subject" in told.value.hint


def test_neither_pictures_nor_a_file() -> None:
    with pytest.raises(UsageError, match="no --source"):
        choose_origin([])


def test_a_file_of_an_unknown_method(tmp_path: Path) -> None:
    save_subject(tmp_path / "a", saved("strange-method"))
    with pytest.raises(InputError, match="'strange-method', which is not installed") as told:
        choose_origin([], tmp_path / "a")
    assert "toy" in told.value.hint


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({"design": {"width": "5"}}, {}),
        ({"state": painter(5)}, {}),
        ({"state": {**painter(), "more": torch.zeros(1)}}, {}),
        ({}, {"width": "8"}),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, changes: dict[str, object], settings: dict[str, str]) -> None:
    save_subject(tmp_path / "a", saved(**changes))
    with pytest.raises((InputError, UsageError)) as told:
        choose_origin([], tmp_path / "a", settings=settings).open_backend(CPU)
    assert str(tmp_path / "a") in told.value.message
    assert "\n" not in told.value.line


def test_options_from_a_file_are_options_and_nothing_else(tmp_path: Path) -> None:
    save_subject(tmp_path / "a", saved(settings={"__class__": "x"}))
    with pytest.raises(RetargetError, match="no such option"):
        choose_origin([], tmp_path / "a").open_backend(CPU)


def test_a_file_of_another_body(tmp_path: Path) -> None:
    person = subject(SIZE)
    changed = type(person)(person.views, person.betas[:3], "anny", person.plate, "x")
    save_subject(tmp_path / "a", SavedSubject(changed, "toy", {}, {"width": "4"}, painter()))
    with pytest.raises(InputError, match="3 proportions"):
        opened(choose_origin([], tmp_path / "a"))
