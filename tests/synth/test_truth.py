"""Flow, occlusion, depth and labels, in cases whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest

from retarget_cli.body.catalog import load_body
from retarget_cli.synth.camera import STILL, View
from retarget_cli.synth.dressing import dress
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.light import Light
from retarget_cli.synth.outfit import Face, Outfit
from retarget_cli.synth.parts import Part
from retarget_cli.synth.plan import Recipe, plan_clip
from retarget_cli.synth.pose import pose, theta_of
from retarget_cli.synth.posed import pose_figure, skeleton_of
from retarget_cli.synth.render import Drawn, draw_figure
from retarget_cli.synth.rendition import first_frame, frames, renditions
from retarget_cli.synth.shadow import shadow_map
from retarget_cli.synth.skirt import COLUMNS, RINGS, pushed_out
from retarget_cli.synth.truth import flow_to, origin_of

SIZE = (128, 128)
CAMERA = np.array([62.0, 64.0, 62.0], np.float32)
EVEN = Light(ambient=1.0, strength=0.0)


@lru_cache(maxsize=1)
def somebody() -> Figure:
    outfit = Outfit(jacket=(60, 90, 140), skirt=0.8, leg=0.3)
    return dress(load_body("anny"), np.zeros(27, np.float32), outfit, Face(style="bob"))


def drawn(view: View = STILL, **angles: float) -> tuple[Drawn, np.ndarray]:
    figure = somebody()
    skeleton = skeleton_of(figure, theta_of(pose(**angles)[None]))
    posed = pose_figure(figure, skeleton, 0)
    return draw_figure(figure, posed, view.camera(CAMERA), EVEN, SIZE), posed.points


def visible_after(source: dict[str, float], frame: dict[str, float]) -> tuple[Drawn, np.ndarray]:
    """What of a frame is seen in a source."""
    origin = origin_of(somebody(), drawn(**source)[1], CAMERA, STILL, SIZE)
    shown, _ = drawn(**frame)
    return shown, flow_to(origin, somebody(), shown.surface, STILL)[1]


def test_flow_brings_the_source_onto_the_frame() -> None:
    """Backward sampling of the evenly lit source gives the frame's colours back.

    Not exactly: both pictures hold means over pixels, so edges between colours differ. Half of the visible person
    is within 3 levels, and on average it is within 9; against the sign it is out by three times as much.
    """
    recipe = Recipe(frames=6, size=(160, 160), views=1, camera="moving", extras=(), kinds=("dance",), rate=8)
    for number in (1, 4):
        plan = plan_clip(recipe, number)
        made, _ = renditions(recipe, replace(plan, light=EVEN), ())
        origin = first_frame(made[0], recipe.size)
        source = next(frames(made[0], origin, recipe.size))
        for row, frame in enumerate(frames(made[1], origin, recipe.size)):
            where = frame.visible & (frame.mask == 255)
            assert where.mean() > 0.03
            right, wrong = (_difference(source.image, frame, sign)[where] for sign in (1, -1))
            assert np.median(right) <= 3, (number, row)
            assert right.mean() < 9
            assert wrong.mean() > 2.5 * right.mean()
            # The room, away from the shadow at the feet, which moves.
            room = frame.visible & (frame.mask == 0)
            room[120:] = False
            assert _difference(source.image, frame, 1)[room].mean() < 6


def _difference(source: np.ndarray, frame: object, sign: int) -> np.ndarray:
    height, width = source.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    # OpenCV has pixels' middles at whole numbers, as the grid here: the halves cancel.
    there = np.stack([x, y], -1) + sign * frame.flow  # type: ignore[attr-defined]
    warped = cv2.remap(source, there[..., 0], there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.abs(warped.astype(float) - frame.image).mean(-1)  # type: ignore[attr-defined]


def test_everything_is_seen_from_the_same_side_and_nothing_from_behind() -> None:
    shown, visible = visible_after({}, {})
    person = shown.parts > 0
    assert visible[person].mean() > 0.995
    shown, visible = visible_after({"yaw": np.pi}, {})
    assert visible[shown.parts > 0].mean() < 0.02
    # The room is hidden where the source's person stands, and only there.
    assert visible[:, :20].all()


def forearms(shown: Drawn) -> np.ndarray:
    """(H, W): where forearms and hands are seen, in sleeves or not."""
    figure, hit = somebody(), shown.surface.face_index >= 0
    first = figure.fields[figure.faces[shown.surface.face_index[hit], 0]]
    out = np.zeros(SIZE, bool)
    out[hit] = (first[:, 3] > 1) | (first[:, 6] > 0.5)
    return out


def test_an_arm_before_the_chest_hides_the_chest() -> None:
    aside, before = {"lift": 0.9}, {"lift": 0.5, "swing_l": 0.5, "twist_l": -0.5, "bend_l": 1.7}
    shown, visible = visible_after(before, aside)
    arm = forearms(drawn(**before)[0])
    chest = np.isin(shown.parts, (Part.TOP, Part.JACKET)) & (shown.surface.depth < -0.05) & ~forearms(shown)
    assert (arm & chest).sum() > 15
    assert visible[arm & chest].mean() < 0.1
    away = cv2.dilate(arm.astype(np.uint8), np.ones((9, 9))) == 0
    clear = chest & away & (np.abs(np.arange(128) - 64) < 8)
    assert clear.sum() > 50
    assert visible[clear].mean() > 0.95


def test_flow_of_the_room_is_the_cameras_own() -> None:
    view = View(1.1, -7.0, 3.0)
    origin = origin_of(somebody(), drawn()[1], CAMERA, STILL, SIZE)
    shown, _ = drawn(view)
    flow, _ = flow_to(origin, somebody(), shown.surface, view)
    y, x = np.mgrid[:128, :128] + 0.5
    expected = np.stack([(x + 7) / 1.1 - x, (y - 3) / 1.1 - y], -1)
    # On the person too, who stands still in this room; corners of triangles are rounded to 1/256 pixel.
    assert np.allclose(flow, expected, atol=0.02)
    still, _ = flow_to(origin, somebody(), drawn()[0].surface, STILL)
    assert np.allclose(still, 0, atol=0.02)


def test_what_is_nearer_has_less_depth() -> None:
    shown, _ = drawn(swing_l=1.5, bend_l=0.1)
    depth, parts = shown.surface.depth, shown.parts
    hand, top = depth[parts == Part.LEFT_HAND], depth[parts == Part.TOP]
    assert hand.max() < top.min() - 0.1
    behind, _ = drawn(yaw=np.pi, swing_l=1.5, bend_l=0.1)
    back = np.isfinite(behind.surface.depth)
    assert behind.surface.depth[back & (behind.parts == Part.LEFT_HAND)].size == 0 or (
        behind.surface.depth[behind.parts == Part.LEFT_HAND].min() > 0.1
    )


@pytest.mark.parametrize(("part", "side"), [("HAND", 1), ("SHOE", 1), ("CALF", 1), ("LOWER_ARM", 0)])
def test_left_is_the_persons_left(part: str, side: int) -> None:
    figure = dress(load_body("anny"), np.zeros(27, np.float32), Outfit(leg=0.5), Face())
    skeleton = skeleton_of(figure, theta_of(pose(lift=0.8)[None]))
    parts = draw_figure(figure, pose_figure(figure, skeleton, 0), CAMERA, EVEN, SIZE).parts
    left, right = (np.argwhere(parts == Part[f"{name}_{part}"])[:, 1] for name in ("LEFT", "RIGHT"))
    assert left.min() > 64 > right.max()


def test_no_thigh_comes_through_a_skirt() -> None:
    thighs = (Part.LEFT_THIGH, Part.RIGHT_THIGH, Part.LEFT_TROUSER, Part.RIGHT_TROUSER)
    for angles in ({}, {"step_l": 1.1, "knee_l": 1.3}, {"step": 0.8, "knee": 1.6}, {"step_l": 0.5, "yaw": 1.2}):
        shown, _ = drawn(**angles)
        outer = (shown.parts == Part.SKIRT) & ~somebody().is_inside[shown.surface.face_index]
        below = np.flip(np.maximum.accumulate(np.flip(outer, 0), 0), 0)
        above = np.maximum.accumulate(outer, 0)
        assert outer.sum() > 150
        assert (np.isin(shown.parts, thighs) & above & below).sum() <= 3, angles


def test_the_legs_push_the_skirt_away() -> None:
    figure = somebody()
    joints = skeleton_of(figure, theta_of(pose(step_l=0.8)[None])).joints[0]
    hip, knee = joints[1], joints[4]
    share = np.linspace(0.5, 0.95, RINGS)[:, None, None]
    angle = np.arange(COLUMNS) / COLUMNS * 2 * np.pi
    tight = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], 1) * 0.04  # a tube inside the thigh
    points = (hip + share * (knee - hip) + tight).reshape(-1, 3).astype(np.float32)
    moved = pushed_out(points, joints, figure.leg_radii)
    along = (moved - hip) @ (knee - hip) / ((knee - hip) @ (knee - hip))
    away = np.linalg.norm(moved - hip - along[:, None] * (knee - hip), axis=1)
    radius = figure.leg_radii[0, 0] + along * (figure.leg_radii[0, 1] - figure.leg_radii[0, 0])
    inner = along < 0.9
    assert (away - radius)[inner].min() > 0
    far = points + np.array([0, 0, 3], np.float32)
    assert np.allclose(pushed_out(far, joints, figure.leg_radii), far)


def test_what_is_behind_an_arm_is_in_its_shadow() -> None:
    """A small square half a metre before a large one, the lamp straight ahead, then aside."""
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
    points = np.concatenate([square, 0.3 * square - np.array([0, 0, 0.5], np.float32)])
    faces = np.array([[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]], np.int32)
    asked = np.array([[0, 0, 0], [0.2, 0.2, 0], [0.8, 0, 0], [0, -0.8, 0], [0, 0, -0.5]], np.float32)
    assert shadow_map(points, faces, (0, 0, -1)).lit(asked).tolist() == [0, 0, 1, 1, 1]
    slanting = (-np.sqrt(0.5), 0.0, -np.sqrt(0.5))  # from the viewer's left: the shadow falls half a metre to the right
    there = np.array([[0, 0, 0], [0.5, 0, 0], [0.9, 0, 0]], np.float32)
    assert shadow_map(points, faces, slanting).lit(there).tolist() == [1, 0, 1]
