"""TCM and the warping error: cases by hand, and the right direction."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.metrics import scenery
from torch import Tensor

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.metrics.base import Frames
from retarget_cli.metrics.temporal import STILL, TemporalMetrics, change, consistency
from retarget_cli.perception.optical_flow import LEAST_SIDE, OpticalFlow, targets, warp

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


class Drawn(OpticalFlow):
    """Says the flows that it is given, first there, then back."""

    def __init__(self, *flows: FloatArray) -> None:
        self._flows = list(flows)

    def between(self, here: Image, there: Image) -> FloatArray:
        return self._flows.pop(0)


def test_what_is_believed_by_hand() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    forth, back = np.zeros((40, 40, 2), np.float32), np.zeros((40, 40, 2), np.float32)
    forth[10, 10], back[10, 30] = (20, 0), (-20, 0)  # there and back
    forth[20, 10], back[20, 30] = (20, 0), (-19, 0)  # a pixel aside of 20: within the share
    forth[22, 10], back[22, 30] = (20, 0), (-15, 0)  # not any more
    forth[30, 10] = (0, -5)  # does not return: covered in the frame before
    forth[35, 39] = (0.5, 0)  # would be within the slack, but lies outside
    _, believed = Drawn(forth, back).believed(picture, picture)
    expected = np.ones((40, 40), bool)
    for row, column in ((22, 10), (30, 10), (35, 39)):
        expected[row, column] = False
    expected[[10, 20, 22], 30] = False  # stands still, but what was there goes elsewhere
    assert np.array_equal(believed, expected)


def test_uncovered_background_is_not_believed() -> None:
    """A square glides 8 pixels to the right: what it hid is new."""
    background, square = scenery.landscape(128, 128, 1), scenery.landscape(48, 48, 2)
    before, now = background.copy(), background.copy()
    before[40:88, 30:78], now[40:88, 38:86] = square, square
    _, believed = OpticalFlow().believed(now, before)
    assert believed[44:84, 31:36].mean() < 0.3
    assert believed[48:80, 48:80].mean() > 0.95
    assert believed[:, 100:].mean() > 0.95


def dimmed(count: int, step: float = 2.0) -> Tensor:
    """The gliding scene with room above and below its brightness."""
    return scenery.gliding(step, count) // 2 + 60


def brighter(clip: Tensor, levels: int) -> Tensor:
    """The second of two frames."""
    return torch.stack([clip[0], clip[1] + levels])


def test_tcm_of_two_frames_of_a_known_shift_by_hand() -> None:
    """The scene glides by 2 pixels, and along its way the target gains 10 grey levels, the rendered frame 12.

    E rendered / E target = 12**2 / 10**2, so TCM = exp(-0.44).
    """
    clip = dimmed(2)
    found = scored(brighter(clip, 12), brighter(clip, 10))["tcm"]
    assert found[1] == pytest.approx(math.exp(-0.44), abs=0.02)


def test_tcm_follows_the_targets_flow_by_hand() -> None:
    """The rendered scene stands still where the target's glides by 2 pixels: it differs by just that shift."""
    clip = dimmed(2)
    frozen = clip[:1].repeat(2, 1, 1, 1)
    unit = frozen[0].double() / 255
    shift = float(((unit[..., :-2] - unit[..., 2:]) ** 2).mean())
    levels = round(255 * math.sqrt(shift / 1.5))
    found = scored(frozen, brighter(clip, levels))["tcm"]
    expected = math.exp(-abs(shift / (levels / 255) ** 2 - 1))
    assert 0.5 < expected < 0.7
    assert found[1] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("size", [(1, 1), (8, 300), (11, 11), (31, 100), (100, 31), (LEAST_SIDE - 1, 512)])
def test_pictures_too_small_for_optical_flow_have_no_value(size: tuple[int, int]) -> None:
    """OpenCV would raise on some of these and crash on others."""
    clip = torch.zeros(2, 3, *size, dtype=torch.uint8)
    assert all(np.isnan(values).all() for values in scored_bare(clip).values())


def test_the_smallest_picture_has_values() -> None:
    clip = scenery.gliding(1.0, 2, (LEAST_SIDE, LEAST_SIDE))
    assert all(np.isfinite(values[1]) for values in scored_bare(clip).values())


def scored_bare(clip: Tensor) -> dict[str, FloatArray]:
    return TemporalMetrics(KEYS).begin().score(Frames(clip, clip))


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
