"""The drawn people are people for a pose estimator too."""

from __future__ import annotations

import numpy as np

from retarget_cli.perception.pose import PoseEstimator
from retarget_cli.synth.plan import Recipe, plan_clip
from retarget_cli.synth.rendition import first_frame, frames, renditions

CLIPS = 8


def test_nine_of_ten_are_found_where_they_are() -> None:
    """The source of eight clips at 256 px, from the front, with the joints within 2.5 % of the stature."""
    recipe = Recipe(frames=1, views=1, extras=(), camera="static")
    found, errors = 0, []
    with PoseEstimator(video=False, with_mask=False) as estimator:
        for number in range(CLIPS):
            made, _ = renditions(recipe, plan_clip(recipe, number), ())
            frame = next(frames(made[0], first_frame(made[0], recipe.size), recipe.size))
            seen = estimator.find(frame.image)
            if seen is None:
                continue
            found += 1
            true = frame.landmarks
            tall = true[[27, 28], 1].mean() - true[0, 1]
            errors.append(np.median(np.linalg.norm(seen.pose[:, :2] - true[:, :2], axis=1)) / tall)
    assert found >= 0.9 * CLIPS
    assert np.median(errors) < 0.025

