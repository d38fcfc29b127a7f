"""What a clip of toys shows: a pure function of the data set's seed and the clip's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from retarget_cli.synth.camera import STILL, View, draw_views
from retarget_cli.synth.toys.scenery import Scenery, draw_scenery
from retarget_cli.synth.toys.waves import Performance, perform
from retarget_cli.synth.toys.zoo import FAMILIES, SPECIES, Species

CameraKind = Literal["static", "moving", "both"]


@dataclass(frozen=True, slots=True)
class ToyRecipe:
    """What a data set of toys is to be: everything that the pixels depend on but the number of clips.

    Attributes:
        seed: of everything random.
        frames: of each motion.
        size: (height, width) pixels.
        rate: frames a second.
        views: reference pictures, the first of which is the motion's first frame.
        camera: whether it moves.
        has_cross: whether another instance performs the motion too.
        families: to choose from, of `zoo.FAMILIES`.
        pictures: files of backgrounds.
    """

    seed: int = 0
    frames: int = 60
    size: tuple[int, int] = (256, 256)
    rate: float = 25.0
    views: int = 8
    camera: CameraKind = "both"
    has_cross: bool = True
    families: tuple[str, ...] = FAMILIES
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToyPlan:
    """One clip: two instances of a species, in the same motion, in two places.

    Attributes:
        number: of the clip.
        species: of both.
        motion: that both perform.
        others: the poses of the reference pictures, the motion's first before all.
        views: (T) of the frames.
        scenery, other_scenery: behind them.
        share: of the picture that the motion takes up.
    """

    number: int
    species: Species
    motion: Performance
    others: Performance
    views: tuple[View, ...]
    scenery: Scenery
    other_scenery: Scenery
    share: float


def stream(recipe: ToyRecipe, number: int, noun: int) -> np.random.Generator:
    """Random numbers of one thing in one clip, which do not depend on how many others are drawn."""
    return np.random.default_rng([recipe.seed, number, noun])


def plan_toys(recipe: ToyRecipe, number: int) -> ToyPlan:
    """All that is drawn for a clip but the two instances themselves."""
    stage = stream(recipe, number, 0)
    # Families take turns, so that a small set has all of them.
    family = recipe.families[number % len(recipe.families)]
    kinds = [species for species in SPECIES if species.family == family]
    species = kinds[int(stage.integers(len(kinds)))]
    is_moving = recipe.camera == "moving" or (recipe.camera == "both" and bool(stage.random() < 0.4))
    share = float(stage.uniform(0.72, 0.92))
    seconds = recipe.frames / recipe.rate
    views = (STILL,) * recipe.frames
    if is_moving:
        views = draw_views(stream(recipe, number, 1), recipe.frames, seconds, recipe.size)
    motion = perform(species.channels, recipe.frames, recipe.rate, stream(recipe, number, 2))
    places, aspect = stream(recipe, number, 3), recipe.size[1] / recipe.size[0]
    scenery, other = (draw_scenery(places, float(places.uniform(0.7, 0.9)), aspect, recipe.pictures) for _ in range(2))
    return ToyPlan(number, species, motion, _others(recipe, number, species, motion), views, scenery, other, share)


def _others(recipe: ToyRecipe, number: int, species: Species, motion: Performance) -> Performance:
    """Poses of another motion, a second apart."""
    apart = max(1, round(recipe.rate))
    drawn = perform(species.channels, apart * recipe.views, recipe.rate, stream(recipe, number, 4), like=motion)
    rows = drawn.values[::apart][1 : recipe.views]
    return Performance(motion.names, np.concatenate([motion.values[:1], rows]))
