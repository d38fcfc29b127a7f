"""Subject files: what goes in comes out, and what strangers may have made of them does no harm."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, safe_open, save_file
from tests.workflows.full_disk import disk_of
from tests.workflows.scenes import motion_of, subject, waving
from torch import Tensor

from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.core.subject import Subject
from retarget_cli.media.images import write_png
from retarget_cli.perception.motion_file import save_motion
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.subject_file import SavedSubject, halved, is_subject_file, load_subject, save_subject
from retarget_cli.workflows.subject_size import resized_subject

SIZE = (96, 64)


def weights() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {
        "a.weight": torch.randn(4, 3, 3, 3),
        "a.bias": torch.randn(4),
        "tiny.weight": torch.randn(4, 4) * 1e-9,
        "huge.weight": torch.randn(4, 4) * 1e9,
        "count": torch.tensor(7),
    }


@pytest.fixture
def saved() -> SavedSubject:
    return SavedSubject(
        subject(SIZE, 1.0), "toy", {"tint": "0.5"}, {"width": "4"}, weights(), {"steps": "3", "base": "§"}
    )


@pytest.fixture
def path(tmp_path: Path, saved: SavedSubject) -> Path:
    save_subject(tmp_path / "me.subject", saved)
    return tmp_path / "me.subject"


def assert_same(one: Subject, other: Subject) -> None:
    assert (one.body, one.name, len(one.views)) == (other.body, other.name, len(other.views))
    pairs = [(one.betas, other.betas), (one.plate, other.plate)]
    names = ("image", "mask", "pose", "world", "theta", "camera")
    for mine, yours in zip(one.views, other.views, strict=True):
        pairs += [(getattr(mine, name), getattr(yours, name)) for name in names]
    for mine, yours in pairs:
        assert mine.dtype == yours.dtype
        assert np.array_equal(mine, yours)


def test_in_full_precision_everything_comes_back_exactly(tmp_path: Path, saved: SavedSubject) -> None:
    save_subject(tmp_path / "me", saved, is_half=False)
    found = load_subject(tmp_path / "me")
    assert_same(found.subject, saved.subject)
    assert (found.backend, found.settings, found.design) == (saved.backend, saved.settings, saved.design)
    assert found.provenance == saved.provenance
    assert set(found.state) == set(saved.state)
    for name, tensor in saved.state.items():
        assert found.state[name].dtype == tensor.dtype
        assert torch.equal(found.state[name], tensor), name
    assert [each.name for each in tmp_path.iterdir()] == ["me"]


def test_half_precision_is_only_where_it_does_not_matter(path: Path, saved: SavedSubject) -> None:
    found = load_subject(path)
    assert_same(found.subject, saved.subject)
    kinds = {name: tensor.dtype for name, tensor in found.state.items()}
    single = torch.float32
    assert kinds == {
        "a.weight": torch.float16, "a.bias": single, "tiny.weight": single, "huge.weight": single, "count": torch.int64
    }  # fmt: skip
    lost = (found.state["a.weight"].float() - saved.state["a.weight"]).abs() / saved.state["a.weight"].abs()
    assert 0 < lost.max() < 1e-3
    assert all(torch.equal(halved(found.state)[name], tensor) for name, tensor in found.state.items())


def test_a_subject_file_is_known_by_its_content(path: Path, tmp_path: Path) -> None:
    assert is_subject_file(path)
    save_motion(tmp_path / "a.subject", motion_of(waving(2), SIZE), {})
    assert not is_subject_file(tmp_path / "a.subject")
    assert not is_subject_file(tmp_path / "none")


def test_what_is_no_subject_file(path: Path, tmp_path: Path) -> None:
    save_motion(tmp_path / "motion", motion_of(waving(2), SIZE), {})
    write_png(tmp_path / "picture", np.zeros((8, 8, 3), np.uint8))
    torch.save({"a": torch.zeros(2)}, tmp_path / "pickle")
    save_file({"a": torch.zeros(2)}, tmp_path / "bare")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "deep").write_bytes((20_000).to_bytes(8, "little") + b"[" * 20_000)
    for name in ("motion", "picture", "pickle", "bare", "empty", "deep"):
        with pytest.raises(InputError, match="is not a subject file") as told:
            load_subject(tmp_path / name)
        assert "retarget personalize" in told.value.hint
        assert "\n" not in told.value.line
    with pytest.raises(InputError, match="retarget-motion"):
        load_subject(tmp_path / "motion")
    for name in ("none", ".", "x" * 300, "a\0b"):
        with pytest.raises(InputError, match="cannot read"):
            load_subject(tmp_path / name)


def test_a_truncated_file_is_told_in_a_line(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    for length in (9, 100, len(content) // 2, len(content) - 1):
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(InputError, match=r"damaged|not a subject") as told:
            load_subject(tmp_path / "cut")
        assert "\n" not in told.value.line


def changed(path: Path, **changes: object) -> Path:
    """The file with other tensors (None: without) or words (as strings)."""
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        words = dict(file.metadata())
    for key, value in changes.items():
        name = key.replace("__", ".")
        if isinstance(value, str):
            words[name] = value
        elif value is None:
            tensors.pop(name, None)
            words.pop(name, None)
        else:
            tensors[name] = value  # type: ignore[assignment]
    target = path.with_name("changed")
    save_file(tensors, target, words)
    return target


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"version": "2"}, "knows up to 1"),
        ({"version": "x"}, "its version"),
        ({"settings": '{"weights": "/etc/passwd"}'}, "names other weights"),
        ({"settings": "[]"}, "no table"),
        ({"settings": "{"}, "damaged"),
        ({"design": None}, "design is missing"),
        ({"views__mask": None}, "views.mask is missing"),
        ({"views__image": torch.zeros(9, 96, 64, 3, dtype=torch.uint8)}, "9 views"),
        ({"views__image": torch.zeros(0, 96, 64, 3, dtype=torch.uint8)}, "0 views"),
        ({"views__image": torch.zeros(2, 96, 64, 3)}, "expected uint8"),
        ({"views__image": torch.zeros(2, 4, 4, 3, dtype=torch.uint8)}, "pictures are of 4x4"),
        ({"views__mask": torch.full((2, 96, 64), 2.0)}, "not within 0 and 1"),
        ({"views__theta": torch.full((2, 24, 3), torch.nan)}, "not finite"),
        ({"views__theta": torch.zeros(2, 23, 3)}, r"expected float32 \(2, 24, 3\)"),
        ({"views__pose": torch.zeros(2, 33, 3)}, "shows nobody"),
        ({"views__camera": torch.zeros(2, 3)}, "scale"),
        ({"betas": torch.zeros(100_000)}, "proportions"),
        ({"plate": torch.zeros(2, 2, 3, dtype=torch.uint8)}, "background"),
        ({"weights__a__bias": torch.full((4,), torch.inf)}, "not finite"),
    ],
)
def test_what_is_wrong_inside_is_told(path: Path, changes: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text) as told:
        load_subject(changed(path, **changes))
    assert "\n" not in told.value.line


def test_a_file_without_weights(path: Path) -> None:
    names = {name.replace(".", "__"): None for name in load_file(path) if name.startswith("weights.")}
    with pytest.raises(InputError, match="no weights"):
        load_subject(changed(path, **names))


def test_a_disk_that_is_full(tmp_path: Path, saved: SavedSubject, path: Path) -> None:
    before = path.read_bytes()
    with disk_of(10_000), pytest.raises(OutputError, match="can't write") as told:
        save_subject(path, saved)
    assert "make room" in told.value.hint
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["me.subject"]


def test_others_may_read_it_as_any_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    assert path.stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_folder_that_is_a_file(path: Path, saved: SavedSubject) -> None:
    with pytest.raises(OutputError, match="can't write"):
        save_subject(path / "me.subject", saved)


def test_provenance_is_readable_by_others(path: Path) -> None:
    with safe_open(path, "pt") as file:
        words = file.metadata()
    assert (words["format"], words["version"], words["backend"]) == ("retarget-subject", "1", "toy")
    assert json.loads(words["provenance"]) == {"steps": "3", "base": "§"}


@pytest.mark.parametrize(("text", "size"), [("48", (48, 32)), ("192", (192, 128)), ("80x60", (60, 80))])
def test_on_another_canvas_the_body_stays_on_the_picture(text: str, size: tuple[int, int]) -> None:
    person = subject(SIZE, 0.8)
    found = resized_subject(person, parse_size(text))
    assert found.size == found.plate.shape[:2] == size
    for old, new in zip(person.views, found.views, strict=True):
        assert new.image.shape == (*size, 3)
        assert new.mask.shape == size
        assert new.pose.shape == old.pose.shape
        # A point of the body, by its camera: it must lie where the landmark does, as before.
        gap_before = old.pose[:, :2] - (old.world[:, :2] * old.camera[0] + old.camera[1:])
        gap = new.pose[:, :2] - (new.world[:, :2] * new.camera[0] + new.camera[1:])
        assert np.abs(gap_before).max() < 1e-3
        assert np.abs(gap).max() < 0.02
        rows, columns = np.nonzero(new.mask > 0.5)
        assert abs(columns.mean() - new.pose[:, 0].mean()) < 0.1 * size[0]
        assert abs(rows.mean() - new.pose[:, 1].mean()) < 0.2 * size[0]


def test_without_a_size_a_subject_keeps_its_own() -> None:
    person = replace(subject(SIZE), name="x")
    assert resized_subject(person, parse_size(None)) is person
    assert resized_subject(person, parse_size("64x96")) is person
    assert np.array_equal(resized_subject(person, parse_size("96")).primary.image, person.primary.image)


def test_a_file_of_the_first_days_is_read(tmp_path: Path) -> None:
    """As it was laid down in docs/personalize.md before there were subjects in which nobody was looked for."""
    person = subject(SIZE, 0.8)
    names = ("image", "mask", "pose", "world", "theta", "camera")
    arrays = {f"views.{name}": np.stack([getattr(view, name) for view in person.views]) for name in names}
    arrays |= {"betas": person.betas, "plate": person.plate}
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    words = {"format": "retarget-subject", "version": "1", "backend": "toy", "settings": "{}", "design": "{}"}
    words |= {"provenance": "{}", "body": "anny", "name": "drawn"}
    save_file({**tensors, "weights.a": torch.ones(2)}, tmp_path / "old", words)
    found = load_subject(tmp_path / "old")
    assert_same(found.subject, person)
    assert not found.subject.is_unperceived
    assert torch.equal(found.state["a"], torch.ones(2))
