"""The renditions of a clip: who performs what, in which clothes, seen how; and their frames, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import stature
from retarget_cli.core.layout import Labels
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.synth.camera import STILL, Stage, View
from retarget_cli.synth.choreography import Given, Steps, excerpt, perform
from retarget_cli.synth.dressing import dress
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.footing import lowest_foot
from retarget_cli.synth.light import Light
from retarget_cli.synth.mesh import Numbers
from retarget_cli.synth.parts import PARSING
from retarget_cli.synth.plan import TURN_VIEWS, Plan, Recipe, stream
from retarget_cli.synth.pose import pose, theta_of, turned
from retarget_cli.synth.posed import Skeleton, pose_figure, skeleton_of
from retarget_cli.synth.render import composed, draw_figure
from retarget_cli.synth.room import FINER, Room, shown, wide_backdrop, with_shadow
from retarget_cli.synth.truth import Origin, confidences, flow_to, origin_of

# A-pose of the source: arms off the trunk, feet apart.
A_POSE = {"lift": 0.62, "bend": 0.12, "spread": 0.1}
SHADOWED = (29, 31, 30, 32)


@dataclass(frozen=True, slots=True)
class Rendition:
    """A person, clothes, a place, and T poses.

    Attributes:
        name: its folder.
        person, outfit: labels of who and what: a, b; a1, a2, b1.
        figure: the dressed person.
        theta: (T, 24, 3); skeleton: what comes of it.
        cameras: (T, 3) of the frames.
        views: of the room behind, one a frame.
        room, light: where.
        flow_to: name of the rendition whose first frame flow leads to.
        floor: (T,) row of the floor under the person in the frames, in pixels.
    """

    name: str
    person: str
    outfit: str
    figure: Figure
    theta: FloatArray
    skeleton: Skeleton
    cameras: FloatArray
    views: tuple[View, ...]
    room: Room
    light: Light
    flow_to: str
    floor: Numbers


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture and what is true of it.

    Attributes:
        image: (H, W, 3) uint8.
        mask: (H, W) uint8, coverage.
        parts, parsing: (H, W) uint8 labels.
        depth: (H, W) float32 metres from the hips; inf off the person.
        flow: (H, W, 2) pixels to the source picture; visible: (H, W) whether it is seen there.
        landmarks: (33, 3): x, y in pixels, confidence.
    """

    image: Image
    mask: NDArray[np.uint8]
    parts: Labels
    parsing: Labels
    depth: FloatArray
    flow: FloatArray
    visible: NDArray[np.bool_]
    landmarks: FloatArray


def renditions(recipe: Recipe, plan: Plan, given: tuple[Given, ...]) -> tuple[list[Rendition], Steps]:
    """All of a clip, those that others' flow leads to before them; and the motion."""
    body = load_body("anny")
    own, changed = (dress(body, plan.person.betas, outfit, plan.person.face) for outfit in (plan.outfit, plan.change))
    other = dress(body, plan.other.betas, plan.other_outfit, plan.other.face)
    times = np.arange(recipe.frames) / recipe.rate
    rng = stream(recipe, plan.number, 9)
    if plan.file >= 0:
        steps = excerpt(given[plan.file], rng, recipe.frames)
    else:
        steps = perform(plan.kind, rng, times, (own, changed, other))
    stage = _stage(recipe, plan, own, other, steps)
    home = (plan.room, plan.light)
    away = (plan.other_room, plan.other_light)
    around = turned(np.repeat(theta_of(pose(**A_POSE)[None]), recipe.views, 0), _azimuths(recipe.views))
    row = min(round(plan.turn * recipe.frames), recipe.frames - 1)
    turn = turned(np.repeat(steps.theta[row : row + 1], TURN_VIEWS, 0), _azimuths(TURN_VIEWS))
    at_home = np.zeros((1, 3))
    lifted = np.array([[0.0, steps.path[row, 1], 0.0]])
    made = [
        _rendition("source", "a", "a1", own, around, at_home, stage, (STILL,), home, "source"),
        _rendition("self", "a", "a1", own, steps.theta, steps.path, stage, plan.views, home, "source"),
    ]
    if "clothes" in recipe.extras:
        made += [
            _rendition("garment", "a", "a2", changed, around, at_home, stage, (STILL,), home, "garment"),
            _rendition("clothes", "a", "a2", changed, steps.theta, steps.path, stage, plan.views, home, "garment"),
        ]
    if "cross" in recipe.extras:
        made.append(
            _rendition("other", "b", "b1", other, steps.theta, steps.path, stage, plan.views, away, "other")
        )
    if "views" in recipe.extras:
        made.append(_rendition("turn", "a", "a1", own, turn, lifted, stage, (STILL,), home, "source"))
        if "cross" in recipe.extras:
            made.append(
                _rendition("turn_other", "b", "b1", other, turn, lifted, stage, (STILL,), away, "turn_other")
            )
    return made, steps


def _azimuths(count: int) -> Numbers:
    return np.arange(count) * (2 * np.pi / count)


def _rendition(
    name: str, person: str, outfit: str, figure: Figure, theta: FloatArray, path: Numbers, stage: Stage,
    views: tuple[View, ...], place: tuple[Room, Light], goal: str,
) -> Rendition:  # fmt: skip
    """Put a figure on the stage; one row of `path` and one view stand for all."""
    count = len(theta)
    path, views = np.resize(path, (count, 3)), views if len(views) == count else views * count
    skeleton = skeleton_of(figure, theta)
    resting = stage.cameras(path, lowest_foot(skeleton), stature(figure.shape))
    cameras = np.stack([view.camera(camera) for view, camera in zip(views, resting, strict=True)])
    lift = path[:, 1] * stature(figure.shape) + lowest_foot(skeleton)
    floor = cameras[:, 0] * lift + cameras[:, 2]
    return Rendition(name, person, outfit, figure, theta, skeleton, cameras, views, *place, goal, floor)


def _stage(recipe: Recipe, plan: Plan, own: Figure, other: Figure, steps: Steps) -> Stage:
    """As large as planned, or as fits: both people stay in the picture all the time."""
    height, width = recipe.size
    floor, talls = plan.floor * height, (stature(own.shape), stature(other.shape))
    unit = Stage(1.0, 0.0, 0.0, plan.far, plan.eye)
    left, right, up, down = np.inf, -np.inf, -np.inf, 0.0
    for figure, tall in zip((own, other), talls, strict=True):
        skeleton = skeleton_of(figure, steps.theta)
        cameras = unit.cameras(steps.path, lowest_foot(skeleton), tall)
        points = skeleton.landmarks[..., :2] * cameras[:, None, :1] + cameras[:, None, 1:]
        left, right = min(left, float(points[..., 0].min())), max(right, float(points[..., 0].max()))
        up, down = max(up, -float(points[..., 1].min()) + 0.1), max(down, float(points[..., 1].max()))
    scale = plan.share * height / max(talls)
    scale = min(scale, 0.97 * floor / up, 0.98 * width / (right - left + 0.1))
    if down > 0.05:
        floor = min(floor, 0.985 * height - scale * down)
    # The middle of the way is the middle of the picture, as far as the motion allows.
    return Stage(scale, width / 2 - scale * (left + right) / 2, floor, plan.far, plan.eye)


def room_of(rendition: Rendition, size: tuple[int, int]) -> Image:
    """(H, W, 3) uint8: what the first frame shows without the person."""
    return np.rint(next(_rooms(rendition, size))).astype(np.uint8)


def frames(rendition: Rendition, origin: Origin, size: tuple[int, int]) -> Iterator[Frame]:
    """All frames, of (height, width); flow leads to `origin`."""
    figure, skeleton = rendition.figure, rendition.skeleton
    for row, room in enumerate(_rooms(rendition, size)):
        camera = rendition.cameras[row]
        drawn = draw_figure(figure, pose_figure(figure, skeleton, row), camera, rendition.light, size)
        scale, right, down = (float(number) for number in camera)
        feet = skeleton.landmarks[row, list(SHADOWED), :2] * scale + (right, down)
        lift = max(0.0, float(rendition.floor[row] - feet[:, 1].max())) / scale
        feet[:, 1] = rendition.floor[row]
        shaded = with_shadow(room, feet, (0.15 + 0.3 * lift) * scale, 0.45 / (1 + 6 * lift))
        flow, visible = flow_to(origin, figure, drawn.surface, rendition.views[row])
        points = skeleton.landmarks[row]
        landmarks = np.column_stack(
            [points[:, :2] * scale + (right, down), confidences(points, camera, drawn.surface)]
        )
        yield Frame(
            composed(drawn, shaded), np.rint(drawn.cover * 255).astype(np.uint8), drawn.parts, PARSING[drawn.parts],
            drawn.surface.depth, flow, visible, landmarks.astype(np.float32),
        )  # fmt: skip


def first_frame(rendition: Rendition, size: tuple[int, int]) -> Origin:
    """What flow to this rendition leads to."""
    points = pose_figure(rendition.figure, rendition.skeleton, 0).points
    return origin_of(rendition.figure, points, rendition.cameras[0], rendition.views[0], size)


def _rooms(rendition: Rendition, size: tuple[int, int]) -> Iterator[FloatArray]:
    """(H, W, 3) of every frame; drawn once where the camera rests."""
    is_still = all(view == STILL for view in rendition.views)
    finer = 1.0 if is_still else FINER
    wide = wide_backdrop(rendition.room, *size, finer)
    resting = shown(wide, STILL, *size, finer) if is_still else None
    for view in rendition.views:
        yield resting if resting is not None else shown(wide, view, *size, finer)
