"""Archives, pickles and files of absurd size in place of a motion, a subject or pairs: one clear line each."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.bomb_maker import archives
from tests.workflows.scenes import motion_of, waving

from retarget_cli.batch.pairs import read_pairs
from retarget_cli.core.errors import InputError, RetargetError
from retarget_cli.perception.motion_file import load_motion, save_motion
from retarget_cli.workflows.subject_file import load_subject


@pytest.fixture(params=list(archives()), ids=lambda each: each[0])
def foreign(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    name, content = request.param
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


def test_no_motion_and_no_subject_is_made_of_it(foreign: Path) -> None:
    with pytest.raises(InputError, match="is not a motion file"):
        load_motion(foreign)
    with pytest.raises(InputError, match="is not a subject file"):
        load_subject(foreign)


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".yaml"])
def test_no_pairs_are_read_from_it(foreign: Path, ending: str) -> None:
    renamed = foreign.rename(foreign.with_suffix(ending))
    with pytest.raises(RetargetError) as caught:
        read_pairs(renamed)
    assert renamed.name in caught.value.line
    assert "\n" not in caught.value.line


@pytest.mark.parametrize(("kind", "gigabytes"), [("retarget-motion", 2), ("retarget-subject", 4)])
def test_a_file_of_holes_is_not_read(kind: str, gigabytes: int, tmp_path: Path) -> None:
    header = json.dumps({"__metadata__": {"format": kind, "version": "1"}}).encode()
    path = tmp_path / "holes"
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate((gigabytes << 30) + 1)
    load = load_motion if kind == "retarget-motion" else load_subject
    with pytest.raises(InputError, match=f"larger than {gigabytes} GB"):
        load(path)


def test_a_motion_that_stands_still_for_years(tmp_path: Path) -> None:
    motion = motion_of(waving(3), (96, 64))
    save_motion(tmp_path / "years.motion", replace(motion, times=(Fraction(0), Fraction(1), Fraction(10**9))), {})
    with pytest.raises(InputError, match="more than 900 s apart"):
        load_motion(tmp_path / "years.motion")
