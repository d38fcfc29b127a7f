"""REMOT from end to end, tiny and untrained: a clip, in segments, a subject file, a training that is gone on with.

What it shows is nobody yet; that frames come, where, how many and of what, depends on no weights.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.media_maker import probe
from tests.workflows.conftest import COUNT, PHOTO, Scene
from tests.workflows.impatience import Impatient, assert_same_when_stopped

from retarget_cli.backends.registry import make_backend
from retarget_cli.core.progress import Silence
from retarget_cli.perception.cache import Cache
from retarget_cli.training.draw import DrawOptions
from retarget_cli.training.loop import FitOptions
from retarget_cli.weights.checkpoints import read_weights
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.lesson import LessonOptions
from retarget_cli.workflows.personalize import PersonalizeOptions, personalize
from retarget_cli.workflows.subject_file import load_subject
from retarget_cli.workflows.synth import SynthOptions, synthesize
from retarget_cli.workflows.train import train
from retarget_cli.workflows.train_options import TrainOptions

FORM = {"resolution": "64", "width": "2", "texture": "off"}
SMALL = (("weights", "none"), *FORM.items(), ("discriminator_width", "2"))


def frames(path: Path) -> list[np.ndarray]:  # type: ignore[type-arg]
    found = probe(path)
    assert (len(found.frames), found.size) == (COUNT, PHOTO)
    return found.frames


def test_a_subject_file_is_animated_and_segments_change_nothing(scene: Scene, tmp_path: Path) -> None:
    saved = tmp_path / "me.subject"
    # A few steps, or frames would be too grey to differ.
    lesson = LessonOptions(12, rate=0.01, variations=1)
    options = PersonalizeOptions((str(scene.photo),), str(saved), "remot", settings=SMALL, lesson=lesson, device="cpu")
    result = personalize(options, scene.cache)
    assert (result.steps, result.views) == (12, 1)
    kept = load_subject(saved)
    assert FORM.items() <= kept.design.items()
    made = AnimateOptions((), scene.clip, str(tmp_path / "out.mkv"), subject=saved, device="cpu", codec="ffv1")
    animate(made, scene.cache)
    animate(replace(made, output=str(tmp_path / "again.mkv"), is_resumed=True), scene.cache)
    one, other = frames(tmp_path / "out.mkv"), frames(tmp_path / "again.mkv")
    assert all(np.array_equal(left, right) for left, right in zip(one, other, strict=True))
    assert np.abs(one[0].astype(int) - one[COUNT // 2]).max() > 0


@pytest.mark.slow
def test_stopped_between_stages_and_resumed_is_the_same_as_not_stopped(tmp_path: Path) -> None:
    folder, cache = tmp_path / "people", Cache(tmp_path / "albums", 10**9)
    synthesize(folder, SynthOptions(clips=1, frames=4, size=(64, 64), views=2, workers=1))
    whole = TrainOptions(
        "remot", (folder,), tmp_path / "whole", FitOptions(3, ema=0.9), DrawOptions(64, batch=2, max_sources=1),
        settings={**FORM, "discriminator_width": "2"}, workers=1, device="cpu",
    )  # fmt: skip
    result = train(whole, cache, Silence(), Impatient())
    assert set(result.losses["discriminator"]) == {"whole_told_apart", "face_told_apart"}
    assert_same_when_stopped(whole, result, tmp_path / "parts", cache)
    lines = (tmp_path / "whole" / "losses.csv").read_text("utf-8").splitlines()
    learned = {number: {line.split(",")[1] for line in lines if line.startswith(f"{number},")} for number in (1, 2, 3)}
    assert [any("layout" in name for name in learned[number]) for number in (1, 2, 3)] == [True, False, False]
    assert [any("region" in name for name in learned[number]) for number in (1, 2, 3)] == [False, True, False]
    # What was learned is a method, with the form that it was given.
    _, label = read_weights(result.weights, "remot")
    assert FORM.items() <= label.design.items()
    assert make_backend("remot", {"weights": str(tmp_path / "whole")}, torch.device("cpu")).design() == label.design  # type: ignore[attr-defined]
