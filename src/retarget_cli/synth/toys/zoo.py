"""All species, by family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from retarget_cli.synth.light import draw_light
from retarget_cli.synth.toys import beasts, bipeds, heads, machines, plush, swimmers
from retarget_cli.synth.toys.flat import Design, FlatToy
from retarget_cli.synth.toys.paint import draw_style
from retarget_cli.synth.toys.palette import Palette, draw_palette
from retarget_cli.synth.toys.solid import Model, SolidToy
from retarget_cli.synth.toys.toy import Toy
from retarget_cli.synth.toys.waves import Channel

FAMILIES = ("flat", "solid", "face")
# Pixels a unit, until it is known how large a toy is to be.
_COARSE = 48.0


@dataclass(frozen=True, slots=True)
class Species:
    """What toys of a kind have in common: parts, points, and the channels that move them."""

    name: str
    family: str
    channels: Mapping[str, Channel]
    build: Callable[[np.random.Generator], Toy]


def _cut_out(draw: Callable[[np.random.Generator, Palette], Design]) -> Callable[[np.random.Generator], Toy]:
    def build(rng: np.random.Generator) -> Toy:
        palette = draw_palette(rng)
        design = draw(rng, palette)
        return FlatToy(design, draw_style(rng, palette.ink), _COARSE)

    return build


def _carved(draw: Callable[[np.random.Generator, Palette], Model]) -> Callable[[np.random.Generator], Toy]:
    def build(rng: np.random.Generator) -> Toy:
        model = draw(rng, draw_palette(rng))
        return SolidToy(model, draw_light(rng))

    return build


SPECIES = (
    Species("beast", "flat", beasts.CHANNELS, _cut_out(beasts.build_beast)),
    Species("critter", "flat", bipeds.CHANNELS, _cut_out(bipeds.build_critter)),
    Species("robot", "flat", bipeds.CHANNELS, _cut_out(bipeds.build_robot)),
    Species("stick figure", "flat", bipeds.CHANNELS, _cut_out(bipeds.build_stick_figure)),
    Species("bird", "flat", swimmers.BIRD_CHANNELS, _cut_out(swimmers.build_bird)),
    Species("fish", "flat", swimmers.FISH_CHANNELS, _cut_out(swimmers.build_fish)),
    Species("caterpillar", "flat", swimmers.WORM_CHANNELS, _cut_out(swimmers.build_worm)),
    Species("octopus", "flat", swimmers.OCTOPUS_CHANNELS, _cut_out(swimmers.build_octopus)),
    Species("tin robot", "solid", machines.ROBOT_CHANNELS, _carved(machines.build_tin_robot)),
    Species("car", "solid", machines.CAR_CHANNELS, _carved(machines.build_car)),
    Species("plane", "solid", machines.PLANE_CHANNELS, _carved(machines.build_plane)),
    Species("plush beast", "solid", plush.BEAST_CHANNELS, _carved(plush.build_plush_beast)),
    Species("duck", "solid", plush.DUCK_CHANNELS, _carved(plush.build_duck)),
    Species("child's face", "face", heads.CHANNELS, _cut_out(heads.build_kid)),
    Species("animal's face", "face", heads.CHANNELS, _cut_out(heads.build_animal)),
    Species("monster's face", "face", heads.CHANNELS, _cut_out(heads.build_monster)),
)
