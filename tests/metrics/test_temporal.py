"""TCM and the warping error: cases by hand, and the right direction."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.metrics import scenery
from torch import Tensor

from retarget_cli.core.motion import FloatArray
from retarget_cli.metrics.optical_flow import OpticalFlow, targets, warp
from retarget_cli.metrics.temporal import STILL, TemporalMetrics, change, consistency

KEYS = ("tcm", "warp-error")


def scored(rendered: Tensor, target: Tensor | None) -> dict[str, FloatArray]:
    return TemporalMetrics(KEYS).begin().score(scenery.frames(rendered, target))


def test_flow_points_to_where_the_scene_was() -> None:
    """The scene glides left by 2 pixels a frame: what is at x now was at x + 2 before."""
    clip = scenery.gliding(2.0)
    now, before = (clip[t].permute(1, 2, 0).contiguous().numpy() for t in (1, 0))
    flow, believed = OpticalFlow().believed(now, before)
    assert np.median(flow[believed], 0) == pytest.approx([2, 0], abs=0.1)
    assert believed[:, :-4].mean() > 0.9
    assert not believed[:, -1].any()  # came into sight: it was nowhere before


def test_warp_by_hand() -> None:
    picture = np.arange(12, dtype=np.float32).reshape(3, 4)
    flow = np.zeros((3, 4, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1, 0.5
    x, y = targets(flow)
    assert (x[0, 0], y[0, 0], x[2, 3], y[2, 3]) == (1, 0.5, 4, 2.5)
    assert warp(picture, flow)[0, 0] == (picture[0, 1] + picture[1, 1]) / 2


def test_tcm_by_hand() -> None:
    """Yao et al.: equal changes give 1; twice the change gives exp(-1), and so does none where there should be."""
    assert consistency(0.02, 0.02) == 1
    assert consistency(0.02 + STILL + 0.02, 0.02) == pytest.approx(math.exp(-1))
    assert consistency(0.0, 1e3) == pytest.approx(math.exp(-1), abs=1e-6)
    assert consistency(0.0, 0.0) == 1


def test_change_by_hand() -> None:
    """Two grey frames, 51 of 255 apart in one of the two pixels that are believed."""
    now, before = np.full((2, 2, 3), 100, np.uint8), np.full((2, 2, 3), 100, np.uint8)
    now[0, 0] = 151
    believed = np.array([[True, True], [False, False]])
    assert change(now, before, np.zeros((2, 2, 2), np.float32), believed) == pytest.approx(0.02, rel=1e-4)


def test_the_truth_is_as_steady_as_itself() -> None:
    clip = scenery.gliding()
    found = scored(clip, clip)
    assert np.isnan(found["tcm"][0])
    assert np.isnan(found["warp-error"][0])
    assert found["tcm"][1:] == pytest.approx([1] * (len(clip) - 1))
    assert (found["warp-error"][1:] < 0.01).all()


@pytest.mark.parametrize("spoil", [scenery.noised, scenery.flickering])
def test_unsteady_clips_are_worse(spoil: object) -> None:
    clip = scenery.gliding()
    good, bad = scored(clip, clip), scored(spoil(clip), clip)  # type: ignore[operator]
    assert np.nanmean(bad["tcm"]) < 0.7 * np.nanmean(good["tcm"])
    assert np.nanmean(bad["warp-error"]) > 2 * np.nanmean(good["warp-error"])


def test_a_steady_shift_stays_steady() -> None:
    clip = scenery.gliding()
    assert np.nanmean(scored(scenery.shifted(clip), clip)["warp-error"]) < 0.01


def test_windows_do_not_matter() -> None:
    target = scenery.gliding()
    rendered = scenery.noised(target)
    whole = scored(rendered, target)
    scorer = TemporalMetrics(KEYS).begin()
    parts = [scorer.score(scenery.frames(rendered[a:b], target[a:b])) for a, b in ((0, 1), (1, 4), (4, 6))]
    for key in KEYS:
        assert np.concatenate([part[key] for part in parts]) == pytest.approx(whole[key], nan_ok=True)


def test_a_new_clip_knows_nothing_of_the_last() -> None:
    metric = TemporalMetrics(KEYS)
    clip = scenery.gliding()
    metric.begin().score(scenery.frames(clip, clip))
    assert np.isnan(metric.begin().score(scenery.frames(clip, clip))["tcm"][0])


def test_without_truth_only_the_clips_own_flow_counts() -> None:
    found = scored(scenery.gliding(), None)
    assert np.isnan(found["tcm"]).all()
    assert np.isfinite(found["warp-error"][1:]).all()


def test_a_still_scene_is_no_division_by_nothing() -> None:
    still = scenery.gliding()[:1].repeat(3, 1, 1, 1)
    assert scored(still, still)["tcm"][1:] == pytest.approx([1, 1])
    assert scored(scenery.flickering(still), still)["tcm"][1] == pytest.approx(0, abs=1e-6)
    assert torch.equal(still[0], still[1])
