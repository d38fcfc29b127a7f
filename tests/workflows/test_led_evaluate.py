"""Protocols on toys by methods that are led by pixels: nobody is looked for, and measures of people are left out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.workflows.shifting_method import offer_where_nobody_is_looked_for

from retarget_cli.core.errors import UsageError
from retarget_cli.evaluation.cases import plan
from retarget_cli.evaluation.datasets import open_dataset
from retarget_cli.evaluation.protocols import Pick, Protocol, Task
from retarget_cli.media.images import read_picture
from retarget_cli.workflows.evaluate import EvaluateOptions, Evaluation, evaluate
from retarget_cli.workflows.synth_toys import ToyOptions, synthesize_toys

SIZE = (64, 64)
FRAMES = 5
TINY = "weights=none,width=8,most=16,keypoints=3,resolution=64"


@pytest.fixture(autouse=True)
def nobody_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    offer_where_nobody_is_looked_for(monkeypatch)


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toys")
    synthesize_toys(
        folder, ToyOptions(2, FRAMES, SIZE, 3, Fraction(10), views=4, camera="static", families=("flat",), workers=1)
    )
    return folder


def run(toys: Path, output: Path, methods: tuple[str, ...], metrics: tuple[str, ...], **protocol: Any) -> Evaluation:
    wanted = Protocol(**{"size": SIZE, **protocol})
    return evaluate(EvaluateOptions(toys, output, methods, wanted, metrics=metrics, device="cpu"))


@pytest.mark.parametrize("backend", ["self-appearance", "first-order", "articulated"])
def test_reconstruction_starts_from_the_first_frame(toys: Path, tmp_path: Path, backend: str) -> None:
    found = run(toys, tmp_path / "run", (f"{backend}:{TINY}",), ("l1", "psnr", "ssim", "akd", "face-cs"))
    assert (found.failed, found.total) == (0, 2)
    assert [missing.key for missing in found.report.missing] == ["akd", "face-cs"]
    assert all("this data set shows none" in missing.reason for missing in found.report.missing)
    for clip in found.report.clips:
        (scored,) = clip.methods.values()
        assert len(clip.source) == 1
        first = read_picture(toys / "clips" / clip.name / "self" / "frames" / "000000.png").rgb
        assert np.array_equal(read_picture(tmp_path / "run" / clip.source[0]).rgb, first)
        for values in scored.frames.values():
            assert values[0] is None  # the source picture itself
            assert all(value is not None for value in values[1:])


def test_a_picture_s_own_clip_by_its_own_motion_and_a_still_one(toys: Path, tmp_path: Path) -> None:
    """Where there is no spot the shifter stands still, exactly as the baseline does."""
    found = run(toys, tmp_path / "run", ("shifter",), ("l1",))
    (l1,) = (found.report.overall["shifter"]["l1"].mean,)
    assert l1 is not None
    assert 0 < l1 < 0.2


def test_animation_by_another_toy_has_a_truth(toys: Path, tmp_path: Path) -> None:
    found = run(toys, tmp_path / "run", (f"self-appearance:{TINY}",), ("pixels",), task=Task.CROSS, sources=3)
    assert found.failed == 0
    for clip in found.report.clips:
        assert len(clip.source) == 3
        (scored,) = clip.methods.values()
        assert len(scored.frames["mask-psnr"]) == FRAMES


def test_what_is_asked_for_is_what_is_taken(toys: Path) -> None:
    dataset = open_dataset(toys)
    assert not dataset.has_people
    own, first = (plan(dataset, Protocol(pick=pick, sources=2)) for pick in (Pick.VIEWS, Pick.FIRST))
    assert [len(case.views) for case in own] == [2, 2]
    assert [case.views for case in first] == [(), ()]


def test_the_foreground_alone_is_refused(toys: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--foreground: shifter is led by pixels"):
        run(toys, tmp_path / "run", ("shifter",), ("l1",), is_foreground=True)
    assert not (tmp_path / "run").exists()
