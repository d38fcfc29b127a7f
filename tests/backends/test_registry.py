"""Backends are found by name, with options given as text."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch

from retarget_cli.backends import registry
from retarget_cli.backends.base import Backend, Spec
from retarget_cli.backends.registry import backend_class, known_backends, make_backend, option_help, parse_options
from retarget_cli.core.errors import BackendError, UsageError


@dataclass(frozen=True)
class Options:
    steps: int = 4
    """how many"""

    scale: float = 0.5
    """how much"""

    is_fast: bool = False
    """whether"""

    label: str = "x"
    """what it is called"""


class Fake(Backend):
    spec = Spec("a fake", license="none")
    options = Options

    def prepare(self, subject: object) -> object:  # type: ignore[override]
        raise NotImplementedError


@dataclass
class Point:
    name: str
    value: str


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        Point("fake", f"{__name__}:Fake"),
        Point("gone", "no_such_module_at_all:Thing"),
        Point("hollow", f"{__name__}:Missing"),
        Point("wrong", f"{__name__}:Options"),
        Point("avatar", f"{__name__}:Fake"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "retarget.backends" else [])


def test_the_default_is_there() -> None:
    assert registry.DEFAULT in known_backends()


@pytest.mark.parametrize(("name", "guess"), [("avatr", "avatar"), ("Avatar", "avatar")])
def test_an_unknown_name_lists_the_known_and_the_nearest(name: str, guess: str) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        backend_class(name)
    assert f"did you mean {guess}?" in caught.value.hint
    assert "known: " in caught.value.hint


def test_a_name_like_no_other_gets_no_guess() -> None:
    with pytest.raises(UsageError) as caught:
        backend_class("zzzzzz")
    assert "did you mean" not in caught.value.hint
    assert "avatar" in caught.value.hint


@pytest.mark.usefixtures("plugins")
def test_other_packages_bring_backends_but_do_not_replace_ours() -> None:
    assert backend_class("fake") is Fake
    assert make_backend("fake", {"steps": "9"}, torch.device("cpu")).settings == Options(steps=9)
    assert known_backends()["avatar"] == registry.BUILT_IN["avatar"]


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("name", ["gone", "hollow", "wrong"])
def test_a_broken_plugin_is_named(name: str) -> None:
    with pytest.raises(BackendError, match=name) as caught:
        backend_class(name)
    assert caught.value.hint


def test_listing_names_imports_no_backend() -> None:
    program = (
        "import sys\nfrom retarget_cli.backends.registry import known_backends\nknown_backends()\n"
        "assert not [m for m in sys.modules if m.startswith('retarget_cli.backends.avatar') or m == 'torch']"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_settings_are_parsed_by_type() -> None:
    given = {"steps": "7", "scale": "1e-1", "is_fast": "Yes", "label": "a=b"}
    assert parse_options("fake", Options, given) == Options(7, 0.1, True, "a=b")
    assert parse_options("fake", Options, {}) == Options()


@pytest.mark.parametrize("word", ["true", "TRUE", "yes", "1"])
def test_words_for_true(word: str) -> None:
    assert parse_options("fake", Options, {"is_fast": word}) == Options(is_fast=True)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("steps", "many", "int"),
        ("steps", "1.5", "int"),
        ("scale", "big", "float"),
        ("is_fast", "perhaps", "true or false"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=f"--set {name}={text}: expected {expected}"):
        parse_options("fake", Options, {name: text})


def test_an_unknown_setting_lists_the_known() -> None:
    with pytest.raises(UsageError, match="--set step: fake has no such option") as caught:
        parse_options("fake", Options, {"step": "4"})
    assert "did you mean steps?" in caught.value.hint
    assert "steps, scale, is_fast, label" in caught.value.hint


def test_help_comes_from_the_docstrings_under_the_fields() -> None:
    assert option_help(Options) == {
        "steps": ("4", "how many"),
        "scale": ("0.5", "how much"),
        "is_fast": ("False", "whether"),
        "label": ("x", "what it is called"),
    }


@pytest.mark.parametrize("setting", ["nodes=39", "nodes=1001", "samples=0", "samples=5"])
def test_the_avatars_options_have_bounds(setting: str) -> None:
    name, _, value = setting.partition("=")
    with pytest.raises(UsageError, match=f"--set {setting}: out of bounds"):
        make_backend("avatar", {name: value}, torch.device("cpu"))
