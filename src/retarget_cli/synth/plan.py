"""What a clip shows: a pure function of the data set's seed and the clip's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import stature
from retarget_cli.synth.camera import STILL, View, draw_views
from retarget_cli.synth.choreography import KINDS
from retarget_cli.synth.light import Light, draw_light
from retarget_cli.synth.outfit import Outfit
from retarget_cli.synth.room import Room, draw_room
from retarget_cli.synth.wardrobe import Person, draw_outfit, draw_person

CameraKind = Literal["static", "moving", "both"]
EXTRAS = ("cross", "views", "clothes")
TURN_VIEWS = 12
# Of two people who perform the same motion, the smaller one is at least this share of the larger.
ALIKE = 0.74
# Of the motions, so many come out of files where files are given.
_FILES = 0.5


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a data set is to be: everything that the pixels depend on but the number of clips.

    Attributes:
        seed: of everything random.
        frames: of each motion.
        size: (height, width) pixels.
        rate: frames a second.
        views: azimuths of the source.
        camera: whether it moves.
        extras: which optional renditions there are, of EXTRAS.
        kinds: of generated motion, of KINDS.
        motions: names of the motions out of files.
        pictures: files of backgrounds.
    """

    seed: int = 0
    frames: int = 60
    size: tuple[int, int] = (256, 256)
    rate: float = 25.0
    views: int = 8
    camera: CameraKind = "both"
    extras: tuple[str, ...] = EXTRAS
    kinds: tuple[str, ...] = tuple(KINDS)
    motions: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """One clip: two people, three outfits, two places.

    Attributes:
        number: of the clip.
        kind: of the motion; `file` for one out of `file`.
        file: index into the recipe's motions, or -1.
        person, other: who performs.
        outfit, change, other_outfit: of the person, of the person in other clothes, of the other.
        room, other_room, light, other_light: where.
        floor: row of the feet, a share of the height; share: of the picture's height that the person takes up.
        far, eye: of the camera; see `camera.Stage`.
        views: (T) of the frames.
        turn: the frame whose pose is shown from all sides, a share of the clip.
    """

    number: int
    kind: str
    file: int
    person: Person
    other: Person
    outfit: Outfit
    change: Outfit
    other_outfit: Outfit
    room: Room
    other_room: Room
    light: Light
    other_light: Light
    floor: float
    share: float
    far: float
    eye: float
    views: tuple[View, ...]
    turn: float


def stream(recipe: Recipe, number: int, noun: int) -> np.random.Generator:
    """Random numbers of one thing in one clip, which do not depend on how many others are drawn."""
    return np.random.default_rng([recipe.seed, number, noun])


def plan_clip(recipe: Recipe, number: int) -> Plan:
    """All that is drawn for a clip but the motion itself."""
    stage = stream(recipe, number, 0)
    floor, share = float(stage.uniform(0.86, 0.94)), float(stage.uniform(0.68, 0.84))
    far, eye = float(stage.uniform(6, 10)), float(stage.uniform(0.5, 0.95))
    is_moving = recipe.camera == "moving" or (recipe.camera == "both" and bool(stage.random() < 0.5))
    seconds = recipe.frames / recipe.rate
    views = (STILL,) * recipe.frames
    if is_moving:
        views = draw_views(stream(recipe, number, 1), recipe.frames, seconds, recipe.size)
    person = draw_person(stream(recipe, number, 2))
    other = _companion(stream(recipe, number, 3), person)
    clothes = stream(recipe, number, 4)
    outfit, change = (draw_outfit(clothes, person) for _ in range(2))
    other_outfit = draw_outfit(stream(recipe, number, 5), other)
    places, aspect = stream(recipe, number, 6), recipe.size[1] / recipe.size[0]
    room, other_room = (draw_room(places, floor, aspect, recipe.pictures) for _ in range(2))
    lamps = stream(recipe, number, 7)
    light, other_light = draw_light(lamps), draw_light(lamps)
    kind, file = _motion(recipe, number)
    return Plan(
        number, kind, file, person, other, outfit, change, other_outfit, room, other_room, light, other_light, floor,
        share, far, eye, views, float(stage.uniform(0.3, 0.95)),
    )  # fmt: skip


def _motion(recipe: Recipe, number: int) -> tuple[str, int]:
    """The kind, and which file."""
    rng = stream(recipe, number, 8)
    from_file, kind = rng.random(), recipe.kinds[int(rng.integers(0, len(recipe.kinds)))]
    if recipe.motions and from_file < _FILES:
        return "file", int(rng.integers(0, len(recipe.motions)))
    return kind, -1


def _companion(rng: np.random.Generator, person: Person) -> Person:
    """Somebody of another shape who still fits into the same picture."""
    tall = tall_of(person)
    for _ in range(40):
        other = draw_person(rng)
        if ALIKE < tall_of(other) / tall < 1 / ALIKE:
            return other
    return other


def tall_of(person: Person) -> float:
    """Metres."""
    return stature(load_body("anny").shaped(torch.from_numpy(person.betas)))
