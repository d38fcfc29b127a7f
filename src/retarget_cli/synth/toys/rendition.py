"""Draw the renditions of a clip of toys, with what is true about every frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.synth.camera import STILL, View
from retarget_cli.synth.room import FINER, shown
from retarget_cli.synth.toys.plan import ToyPlan, ToyRecipe, stream
from retarget_cli.synth.toys.scenery import wide_scenery
from retarget_cli.synth.toys.toy import Drawn, Toy
from retarget_cli.synth.toys.waves import Performance

# Instances: where their random numbers come from.
_TOYS = {"a": 5, "b": 6}
SEEN, HIDDEN, OUTSIDE = 1.0, 0.35, 0.0


@dataclass(frozen=True, slots=True)
class ToyFrame:
    """A picture and its truth.

    Attributes:
        image: (H, W, 3) RGB.
        mask: (H, W) coverage, 0 to 255.
        parts: (H, W) labels.
        flow: (H, W, 2) from each pixel's middle to the same point in the picture that flow leads to.
        visible: (H, W) whether it is seen there.
        points: (K, 3) of the marks: x, y, and whether seen (1), hidden (0.35) or outside the picture (0).
    """

    image: Image
    mask: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    flow: FloatArray
    visible: NDArray[np.bool_]
    points: FloatArray


@dataclass(frozen=True, slots=True)
class ToyRendition:
    """One way to show a clip.

    Attributes:
        name: of it.
        instance: `a` or `b`.
        toy: the instance.
        motion: what it performs.
        places: (T, P, 3, 4) of its bones, to pixels of the resting picture.
        views: (T) of the camera.
        wide: the scenery with its margins.
        flow_to: name of the rendition whose first frame flow leads to.
    """

    name: str
    instance: str
    toy: Toy
    motion: Performance
    places: FloatArray
    views: tuple[View, ...]
    wide: FloatArray
    flow_to: str


def toy_renditions(recipe: ToyRecipe, plan: ToyPlan) -> list[ToyRendition]:
    """`source` first, for flow leads there."""
    toy, places, others = _staged(recipe, plan, "a")
    wide = wide_scenery(plan.scenery, *recipe.size)
    still = (STILL,) * len(others)
    made = [
        ToyRendition("source", "a", toy, plan.others, others, still, wide, "source"),
        ToyRendition("self", "a", toy, plan.motion, places, plan.views, wide, "source"),
    ]
    if recipe.has_cross:
        toy, places, _ = _staged(recipe, plan, "b")
        wide = wide_scenery(plan.other_scenery, *recipe.size)
        made.append(ToyRendition("other", "b", toy, plan.motion, places, plan.views, wide, "other"))
    return made


def _staged(recipe: ToyRecipe, plan: ToyPlan, instance: str) -> tuple[Toy, FloatArray, FloatArray]:
    """An instance so large and so placed that it stays in the picture in all its poses; its bones in pixels."""
    toy = plan.species.build(stream(recipe, plan.number, _TOYS[instance]))
    motion, others = toy.placed(plan.motion), toy.placed(plan.others)
    low, high = toy.bounds(np.concatenate([motion, others]))
    height, width = recipe.size
    scale = plan.share * float(min(width / (high[0] - low[0]), height / (high[1] - low[1])))
    right, down = np.array([width, height]) / 2 - scale * (low + high) / 2
    toy = toy.sharpened(scale)
    first, second = (toy.onto(each, scale, float(right), float(down)) for each in (motion, others))
    return toy, first, second


def toy_frames(rendition: ToyRendition, origin: ToyRendition, size: tuple[int, int]) -> Iterator[ToyFrame]:
    """Every frame; flow leads to the first one of `origin`, which shows the same instance."""
    home = seen_by(origin.places[0], origin.views[0])
    known = origin.toy.draw(home, size)
    backdrop, of_view = None, None
    for places, view in zip(rendition.places, rendition.views, strict=True):
        if backdrop is None or view != of_view:
            backdrop, of_view = _backdrop(rendition.wide, view, size), view
        now = seen_by(places, view)
        drawn = rendition.toy.draw(now, size)
        mask = np.rint(255 * drawn.cover.clip(0, 1)).astype(np.uint8)
        flow, visible = _flow(drawn, view, known, home, origin.views[0], rendition.toy.near)
        yield ToyFrame(_composed(drawn, backdrop), mask, drawn.parts, flow, visible, _points(rendition.toy, now, drawn))


def _backdrop(wide: FloatArray, view: View, size: tuple[int, int]) -> Image:
    """(H, W, 3) of the scenery as the camera shows it."""
    return np.rint(shown(wide, view, *size, FINER)).clip(0, 255).astype(np.uint8)


def _composed(drawn: Drawn, backdrop: Image) -> Image:
    """The toy before its backdrop; only where it is there is anything to be mixed."""
    image = backdrop.copy()
    rows, columns = np.flatnonzero(drawn.cover.any(1)), np.flatnonzero(drawn.cover.any(0))
    if len(rows):
        window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        mixed = drawn.color[window] + backdrop[window] * (1 - drawn.cover[window])[..., None]
        image[window] = np.rint(mixed).clip(0, 255)
    return image


def plate_of(rendition: ToyRendition, size: tuple[int, int]) -> Image:
    """(H, W, 3): the first frame without the toy."""
    return _backdrop(rendition.wide, rendition.views[0], size)


def seen_by(places: FloatArray, view: View) -> FloatArray:
    """Bones (P, 3, 4) that lead to pixels of a frame instead of the resting picture."""
    if view == STILL:
        return places
    out = places.copy()
    out[:, :2] *= np.float32(view.zoom)
    out[:, :2, 3] += np.array([view.right, view.down], np.float32)
    return out


def _flow(
    drawn: Drawn, view: View, known: Drawn, home: FloatArray, home_view: View, near: float
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(H, W, 2) to where the same point is in the known picture, and (H, W) whether it is seen there."""
    height, width = drawn.parts.shape
    # What is behind the toy moves with the camera alone: columns with columns, rows with rows.
    zoom = home_view.zoom / view.zoom
    column, row = np.arange(width) + 0.5, np.arange(height) + 0.5
    right = (column - view.right) * zoom + home_view.right
    down = (row - view.down) * zoom + home_view.down
    flow = np.empty((height, width, 2), np.float32)
    flow[..., 0], flow[..., 1] = (right - column)[None], (down - row)[:, None]
    inside = ((right >= 0) & (right < width))[None] & ((down >= 0) & (down < height))[:, None]
    across, along = (way.clip(0, side - 1).astype(np.int64) for way, side in ((right, width), (down, height)))
    visible = inside & np.isinf(known.depth[np.ix_(along, across)])
    y, x = np.nonzero(drawn.parts)
    ways, local = home[drawn.parts[y, x] - 1], drawn.local[y, x]
    points = ways[:, :, 3].copy()
    for axis in range(3):
        points += ways[:, :, axis] * local[:, axis, None]
    flow[y, x] = points[:, :2] - np.stack([x, y], 1).astype(np.float32) - np.float32(0.5)
    is_inside = (points[:, :2] >= 0).all(1) & (points[:, 0] < width) & (points[:, 1] < height)
    there = points[:, :2].clip(0, (width - 1, height - 1)).astype(np.int64)
    visible[y, x] = is_inside & (points[:, 2] <= known.depth[there[:, 1], there[:, 0]] + near)
    return flow, visible


def _points(toy: Toy, places: FloatArray, drawn: Drawn) -> FloatArray:
    """(K, 3) of the marks."""
    found = toy.mark_places(places)
    height, width = drawn.parts.shape
    inside = (found[:, :2] >= 0).all(1) & (found[:, 0] < width) & (found[:, 1] < height)
    column, row = (found[:, axis].clip(0, side - 1).astype(np.int64) for axis, side in ((0, width), (1, height)))
    labels = [toy.part_names.index(mark.part) + 1 for mark in toy.marks]
    # A point is the part's where the part itself is seen; what is deeper lies on the side away from the viewer.
    seen = (drawn.parts[row, column] == labels) & (found[:, 2] <= drawn.depth[row, column] + toy.deep)
    out = found.copy()
    out[:, 2] = np.select([~inside, ~seen], [OUTSIDE, HIDDEN], SEEN)
    return out
