"""Solid animals: four-legged ones that walk, and ducks on wheels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retarget_cli.synth.toys.block import Block
from retarget_cli.synth.toys.carving import Carving
from retarget_cli.synth.toys.machines import RUBBER, STAND
from retarget_cli.synth.toys.paint import Coat
from retarget_cli.synth.toys.palette import Palette, mixed
from retarget_cli.synth.toys.sketch import draw_coat, plain
from retarget_cli.synth.toys.solid import Model
from retarget_cli.synth.toys.waves import Channel, beat, wander

BEAST_CHANNELS: Mapping[str, Channel] = {
    **STAND, "stride": beat(0.0), "counter": beat(0.5), "knee": beat(0.3, least=0.0),
    "counter_knee": beat(0.8, least=0.0), "bob": beat(0.1, pace=2.0), "nod": wander(1.2), "look": wander(0.9),
    "tail": beat(0.2, pace=1.5, follows=0.5), "ear": wander(1.6), "jaw": Channel("talk"),
}  # fmt: skip
DUCK_CHANNELS: Mapping[str, Channel] = {
    **STAND, "wheels": Channel("roll", pace=0.6), "flap": beat(0.0, pace=1.5, follows=0.4),
                                        "nod": beat(0.2, follows=0.6),
    "look": wander(0.9), "beak": Channel("talk"), "rock": beat(0.4), "tail": beat(0.1, pace=2.0),
}  # fmt: skip
_SIDES = (("left", 1.0), ("right", -1.0))
_SOFT = 0.08
_BEAD = (26, 22, 26)


def build_plush_beast(rng: np.random.Generator, palette: Palette) -> Model:
    """It looks to the viewer, more or less, and walks."""
    carving = Carving(0.3, 1.1)
    coat = draw_coat(rng, palette, 0.05, 0.14)
    long, stout = float(rng.uniform(0.16, 0.26)), float(rng.uniform(0.1, 0.15))
    square = float(rng.uniform(2, 4))
    body = [Block((0.85 * stout, stout, long), coat, square=square, flat=square, gloss=_SOFT)]
    carving.part("body", "turn", (0, 0, 0), body, mark=(0, -stout, 0),
                 drives=(("bob", "down", 0.014), ("bob", "pitch", 0.03)))  # fmt: skip
    _beast_legs(carving, rng, palette, coat, long, stout)
    length, thick = float(rng.uniform(0.07, 0.14)), float(rng.uniform(0.018, 0.03))
    tail = [Block((thick, length, thick), coat, (0, -length, 0), gloss=_SOFT),
            Block((1.6 * thick,) * 3, plain(palette.dark), (0, -2 * length, 0), gloss=_SOFT)]  # fmt: skip
    carving.part("tail", "body", (0, -0.4 * stout, 0.92 * long), tail, mark=(0, -2 * length, 0),
                 rest=(-float(rng.uniform(0.3, 1.2)), 0, 0), drives=(("tail", "roll", 0.6),))  # fmt: skip
    _beast_head(carving, rng, palette, coat, long, stout)
    return carving.model()


def _beast_legs(
    carving: Carving, rng: np.random.Generator, palette: Palette, coat: Coat, long: float, stout: float
) -> None:
    leg, thick = float(rng.uniform(0.08, 0.13)), float(rng.uniform(0.034, 0.05))
    for name, side in _SIDES:
        for end, along in (("front", -0.6), ("hind", 0.6)):
            is_first = (side > 0) == (end == "front")
            swing, knee = ("stride", "knee") if is_first else ("counter", "counter_knee")
            upper = [Block((thick, 0.62 * leg, thick), coat, (0, 0.4 * leg, 0), flat=3, gloss=_SOFT)]
            carving.part(f"{name}_{end}_thigh", "body", (side * 0.55 * stout, 0.6 * stout, along * long), upper,
                         mark=(side * thick, 0.3 * leg, 0), drives=((swing, "pitch", 0.5),))  # fmt: skip
            lower = [Block((0.9 * thick, 0.6 * leg, 0.9 * thick), coat, (0, 0.45 * leg, 0), flat=3, gloss=_SOFT),
                     Block((1.15 * thick, 0.6 * thick, 1.4 * thick), plain(palette.dark),
                           (0, 0.95 * leg, -0.3 * thick))]
            bend = -0.8 if end == "front" else 0.7
            carving.part(f"{name}_{end}_foot", f"{name}_{end}_thigh", (0, 0.9 * leg, 0), lower,
                         mark=(0, 0.95 * leg, -1.6 * thick), drives=((knee, "pitch", bend),))  # fmt: skip


def _beast_head(
    carving: Carving, rng: np.random.Generator, palette: Palette, coat: Coat, long: float, stout: float
) -> None:
    size, neck = float(rng.uniform(0.1, 0.14)), float(rng.choice([0.03, 0.08, 0.2]))
    stalk = [Block((0.5 * size, 0.5 * neck + 0.3 * size, 0.5 * size), coat, (0, -0.5 * neck, 0), gloss=_SOFT)]
    carving.part("neck", "body", (0, -0.5 * stout, -0.8 * long), stalk, mark=(0, -0.5 * neck, -0.5 * size),
                 rest=(0.35, 0, 0), drives=(("nod", "pitch", 0.2),))  # fmt: skip
    snout, drop = float(rng.uniform(0.4, 1.0)) * size, float(rng.uniform(0.15, 0.35)) * size
    light = plain(palette.light)
    head = [Block((size, 0.95 * size, size), coat, gloss=_SOFT),
            Block((0.55 * size, 0.42 * size, 0.5 * size + 0.5 * snout), light, (0, drop, -0.5 * size - 0.5 * snout),
                  gloss=_SOFT),
            Block((0.17 * size,) * 3, plain((44, 32, 38)), (0, drop - 0.25 * size, -0.95 * size - snout),
                  gloss=0.8)]  # fmt: skip
    for _, side in _SIDES:
        head.append(Block((0.17 * size,) * 3, plain(_BEAD), (side * 0.45 * size, -0.3 * size, -0.82 * size),
                          gloss=0.95))
    carving.part("head", "neck", (0, -neck - 0.4 * size, -0.1 * size), head, mark=(0, drop, -size - snout),
                 rest=(-0.35, 0, 0), drives=(("look", "yaw", 0.5), ("nod", "pitch", 0.25)))  # fmt: skip
    jaw = [Block((0.4 * size, 0.12 * size, 0.4 * size + 0.4 * snout), plain(palette.dark),
                 (0, 0.06 * size, -0.4 * size - 0.4 * snout),
                 gloss=_SOFT)]  # fmt: skip
    carving.part("jaw", "head", (0, drop + 0.33 * size, -0.15 * size), jaw,
                 mark=(0, 0.08 * size, -0.75 * size - 0.8 * snout),
                 drives=(("jaw", "pitch", 0.4),))  # fmt: skip
    long_ear, kind = float(rng.uniform(0.35, 0.9)) * size, int(rng.integers(3))
    half = ((0.3 * size, long_ear, 0.12 * size), (0.4 * size, 0.4 * size, 0.14 * size),
            (0.3 * size, long_ear, 0.12 * size))[kind]
    lift = -0.7 * half[1] if kind < 2 else 0.6 * half[1]
    for name, side in _SIDES:
        ear = [Block(half, coat, (0, lift, 0), gloss=_SOFT),
               Block((0.6 * half[0], 0.7 * half[1], half[2]), plain(mixed(palette.light, (240, 130, 140), 0.4)),
                     (0, lift, -0.4 * half[2]), gloss=_SOFT)]  # fmt: skip
        carving.part(f"{name}_ear", "head", (side * 0.68 * size, -0.62 * size, 0), ear, mark=(0, 1.4 * lift, -half[2]),
                     rest=(0, 0, (0.35 if kind < 2 else -0.3) * side),
                     drives=(("ear", "roll", 0.3 * side),))  # fmt: skip


def build_duck(rng: np.random.Generator, palette: Palette) -> Model:
    """A duck to be pulled: on wheels, with wings that flap."""
    carving = Carving(0.28, 1.2)
    coat = draw_coat(rng, palette, 0.05, 0.14)
    long, stout, size = (float(rng.uniform(*pair)) for pair in ((0.16, 0.23), (0.1, 0.14), (0.08, 0.115)))
    body = [Block((0.85 * stout, stout, long), coat), Block((0.6 * stout, 0.6 * stout, 0.4 * long), coat,
            (0, -0.1 * stout, -0.7 * long))]  # fmt: skip
    carving.part("body", "turn", (0, 0, 0), body, mark=(0, 0, -long),
                 drives=(("rock", "pitch", 0.12), ("rock", "down", 0.01)))  # fmt: skip
    brush = [Block((0.5 * stout, 0.03, 0.07), plain(palette.accent), (0, 0, 0.05))]
    carving.part("tail", "body", (0, -0.45 * stout, 0.8 * long), brush, mark=(0, 0, 0.1), rest=(0.5, 0, 0),
                 drives=(("tail", "yaw", 0.4),))  # fmt: skip
    plank = [Block((0.8 * stout, 0.02, 0.9 * long), plain((206, 164, 110)), square=6, flat=6, gloss=0.15)]
    carving.part("board", "turn", (0, 1.15 * stout, 0), plank, mark=(0, 0, -0.88 * long))
    for name, side in _SIDES:
        wing = [Block((0.03, 0.55 * stout, 0.5 * long), plain(palette.accent), (0.01 * side, 0.35 * stout, 0.1 * long))]
        carving.part(f"{name}_wing", "body", (side * 0.8 * stout, -0.35 * stout, 0), wing,
                     mark=(0.03 * side, 0.7 * stout, 0.1 * long), rest=(0, 0, -0.45 * side),
                     drives=(("flap", "roll", -0.5 * side),))  # fmt: skip
        for end, along in (("front", -0.6), ("hind", 0.6)):
            tilt = (0.0, 0.0, np.pi / 2)
            wheel = [Block((0.055, 0.022, 0.055), plain(palette.extra), tilt=tilt, flat=6),
                     *(Block((0.026, 0.045, 0.008), plain(RUBBER), tilt=(turn, 0, 0), square=3, flat=3)
                       for turn in (0.0, np.pi / 2))]  # fmt: skip
            carving.part(f"{name}_{end}_wheel", "turn", (side * 0.95 * stout, 1.2 * stout, along * long), wheel,
                         mark=(0.03 * side, 0, 0), drives=(("wheels", "pitch", 1.0),))  # fmt: skip
    _duck_head(carving, rng, palette, coat, long, stout, size)
    return carving.model()


def _duck_head(
    carving: Carving, rng: np.random.Generator, palette: Palette, coat: Coat, long: float, stout: float, size: float
) -> None:
    stalk = [Block((0.55 * size, 0.9 * size, 0.55 * size), coat, (0, -0.4 * size, 0))]
    carving.part("neck", "body", (0, -0.55 * stout, -0.7 * long), stalk, mark=(0, -0.4 * size, -0.5 * size),
                 drives=(("nod", "pitch", 0.2),))  # fmt: skip
    skull = [Block((size, size, size), coat)]
    for _, side in _SIDES:
        skull.append(Block((0.2 * size,) * 3, plain((250, 250, 246)), (side * 0.5 * size, -0.3 * size, -0.75 * size)))
        skull.append(Block((0.13 * size,) * 3, plain(_BEAD), (side * 0.53 * size, -0.3 * size, -0.88 * size),
                           gloss=0.9))
    if rng.random() < 0.5:
        skull.append(Block((0.12 * size, 0.4 * size, 0.2 * size), plain(palette.extra), (0, -1.2 * size, 0)))
    carving.part("head", "neck", (0, -1.35 * size, -0.15 * size), skull, mark=(0, 0, -size),
                 drives=(("look", "yaw", 0.6), ("nod", "pitch", 0.2)))  # fmt: skip
    bill = float(rng.uniform(0.5, 0.8)) * size
    orange = plain((244, 158, 40))
    for name, side, tall in (("upper_bill", -1.0, 0.14), ("lower_bill", 1.0, 0.1)):
        half = [Block((0.5 * size, tall * size, bill), orange, (0, 0, -0.7 * bill))]
        carving.part(name, "head", (0, (0.22 + 0.09 * side) * size, -0.75 * size), half,
                     mark=(0, side * 0.1 * size, -1.5 * bill),
                     drives=(("beak", "pitch", 0.35 * side),))  # fmt: skip
