"""Names of results with places for what went in."""

from __future__ import annotations

from pathlib import Path

import pytest

from retarget_cli.core.errors import UsageError
from retarget_cli.workflows.output_name import output_path, plain


def filled(template: str, source: str = "me", driving: str = "dance", backend: str = "avatar") -> Path:
    return output_path(template, source, driving, backend)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("out.mp4", "out.mp4"),
        ("{source}_{driving}.mp4", "me_dance.mp4"),
        ("a/{backend}/{source}.webm", "a/avatar/me.webm"),
        ("{{source}}.mp4", "{source}.mp4"),
        ("{source:>4}.mp4", "  me.mp4"),
        ("{source!s}.mp4", "me.mp4"),
    ],
)
def test_places_are_filled(template: str, expected: str) -> None:
    assert filled(template) == Path(expected)


def test_index_is_the_first_free_number(tmp_path: Path) -> None:
    template = str(tmp_path / "{source}_{index:03d}.mp4")
    assert filled(template).name == "me_001.mp4"
    (tmp_path / "me_001.mp4").touch()
    (tmp_path / "me_003.mp4").touch()
    assert filled(template).name == "me_002.mp4"
    (tmp_path / "me_002.mp4").mkdir()
    assert filled(template).name == "me_004.mp4"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..\\..\\x", "C:x", "..", ".", "", "a\0b"])
def test_names_that_are_filled_in_lead_nowhere_else(name: str) -> None:
    path = filled("out/{driving}.mp4", driving=name)
    assert path.parent == Path("out")
    assert ".." not in path.parts
    assert "\0" not in str(path)
    folder = filled("out/{driving}", driving=name)
    assert folder.parent == Path("out")
    assert folder.name not in {"", ".", ".."}


def test_what_the_user_wrote_himself_is_his_own_affair() -> None:
    assert filled("../x/{source}.mp4") == Path("../x/me.mp4")


def test_braces_in_names_are_data() -> None:
    assert filled("{driving}.mp4", driving="{source}{0}") == Path("{source}{0}.mp4")


@pytest.mark.parametrize(
    "template",
    ["{name}.mp4", "{}.mp4", "{0}.mp4", "{source.__class__}.mp4", "{source[0]}.mp4", "{source", "a}b.mp4",
     "{index:q}.mp4", "{source:{name}}.mp4", "{source:d}.mp4", "{source!x}.mp4", "{index"],
)  # fmt: skip
def test_impossible_templates_are_usage_errors(template: str) -> None:
    with pytest.raises(UsageError, match="--output"):
        filled(template)


def test_an_index_that_has_no_effect_does_not_count_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(UsageError, match="taken"):
        filled(str(tmp_path / "a{index!s:.0}.mp4"))


def test_a_name_that_is_too_long_is_left_to_the_writer() -> None:
    assert filled("x" * 300 + "{index}.mp4").name.endswith("x1.mp4")


def test_plain_keeps_ordinary_names() -> None:
    assert plain("Grüße 2 (final).v3") == "Grüße 2 (final).v3"
