"""One clip of a synthetic data set, from its number to its files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from retarget_cli.synth.camera import STILL
from retarget_cli.synth.choreography import Given, Steps
from retarget_cli.synth.plan import Plan, Recipe, plan_clip
from retarget_cli.synth.rendition import Rendition, first_frame, frames, renditions, room_of
from retarget_cli.workflows.synth_files import (
    Clip,
    appear,
    begun,
    make_folders,
    write_film,
    write_frame,
    write_json,
    write_png,
    write_truth,
)


def make_clip(recipe: Recipe, number: int, given: tuple[Given, ...], clip: Clip) -> int:
    """Draw a clip and write it; its folder appears when all is there.

    Returns:
        The number of frames.

    Raises:
        OutputError: it can't be written.
    """
    scratch = begun(clip)
    plan = plan_clip(recipe, number)
    made, steps = renditions(recipe, plan, given)
    origins = {goal: first_frame(one, recipe.size) for one in made if (goal := one.name) == one.flow_to}
    for one in made:
        folder = scratch / one.name
        make_folders(folder)
        landmarks = []
        for row, frame in enumerate(frames(one, origins[one.flow_to], recipe.size)):
            write_frame(folder, row, frame)
            landmarks.append(frame.landmarks)
        write_truth(folder, one, np.stack(landmarks), clip, recipe.size)
        write_png(folder / "plate.png", room_of(one, recipe.size))
        if clip.has_video:
            write_film(folder, clip, recipe.size)
    write_json(scratch / "clip.json", _told(plan, steps, made))
    appear(clip)
    return sum(len(one.theta) for one in made)


def _told(plan: Plan, steps: Steps, made: list[Rendition]) -> dict[str, Any]:
    """What `clip.json` says."""
    drawn = asdict(plan)
    for place in ("room", "other_room"):
        drawn[place]["picture"] = Path(drawn[place]["picture"]).name if drawn[place]["picture"] else ""
    drawn["views"] = [] if all(view == STILL for view in plan.views) else drawn["views"]
    return {
        "motion": {"kind": plan.kind, "file": plan.file, "clearance": round(steps.clearance, 4)},
        "camera": "moving" if drawn["views"] else "static",
        "renditions": {
            one.name: {
                "person": one.person,
                "outfit": one.outfit,
                "frames": len(one.theta),
                "flow_to": f"{one.flow_to}/000000",
            }
            for one in made
        },
        "drawn": _plain(drawn),
    }


def _plain(value: Any) -> Any:
    """The same without arrays, for JSON."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return [round(float(number), 6) for number in value.ravel()]
    return value
