"""Solid machines: wind-up robots, cars, aeroplanes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retarget_cli.synth.outfit import Color
from retarget_cli.synth.toys.block import Block
from retarget_cli.synth.toys.carving import Carving
from retarget_cli.synth.toys.paint import Coat
from retarget_cli.synth.toys.palette import Palette, hsv, mixed
from retarget_cli.synth.toys.rig import Drive
from retarget_cli.synth.toys.sketch import draw_coat, plain
from retarget_cli.synth.toys.solid import Model
from retarget_cli.synth.toys.waves import Channel, beat, wander

STAND: Mapping[str, Channel] = {
    "bearing": Channel("hold"),
    "turn": wander(0.6),
    "across": wander(0.5),
}
ROBOT_CHANNELS: Mapping[str, Channel] = {
    **STAND, "left_arm": beat(0.5, follows=0.4), "right_arm": beat(0.0, follows=0.4), "left_leg": beat(0.0),
    "right_leg": beat(0.5), "left_lift": wander(0.6), "right_lift": wander(0.6), "head": wander(0.9),
    "sway": beat(0.25), "bob": beat(0.1, pace=2.0), "key": Channel("roll", pace=0.5),
}  # fmt: skip
CAR_CHANNELS: Mapping[str, Channel] = {
    **STAND, "wheels": Channel("roll", pace=0.8), "steer": wander(0.8), "bounce": beat(0.0, pace=2.0, follows=0.5),
    "lean": wander(1.2), "driver": wander(1.0),
}  # fmt: skip
PLANE_CHANNELS: Mapping[str, Channel] = {
    **STAND, "propeller": Channel("roll", pace=1.4), "bank": wander(0.9), "climb": wander(0.8), "height": wander(0.7),
    "rudder": wander(1.0),
}  # fmt: skip
STEEL, GLASS, RUBBER = (196, 200, 208), (150, 196, 226), (44, 44, 50)
_SIDES = (("left", 1.0), ("right", -1.0))


def build_tin_robot(rng: np.random.Generator, palette: Palette) -> Model:
    """It walks; the key in its back turns."""
    carving = Carving(0.22, 0.7)
    coat, wide, tall, deep = draw_coat(rng, palette, 0.05, 0.12), *_sizes(rng, (0.12, 0.17), (0.13, 0.19), (0.08, 0.12))
    body = [Block((wide, tall, deep), coat, square=6, flat=7),
            Block((0.7 * wide, 0.4 * tall, 0.02), plain(mixed(palette.dark, (30, 30, 40), 0.4)),
                  (0, -0.2 * tall, -deep),
                  square=6, flat=6)]  # fmt: skip
    for place in range(3):
        lamp = plain(hsv(float(rng.random()), 0.85, 1.0))
        body.append(Block((0.026, 0.026, 0.022), lamp, ((place - 1) * 0.42 * wide, -0.2 * tall, -deep - 0.015)))
    carving.part("body", "turn", (0, 0, 0), body, mark=(0, 0, -deep),
                 drives=(("sway", "roll", 0.08), ("bob", "down", 0.012)))  # fmt: skip
    brass = plain((222, 178, 74))
    key = [Block((0.012, 0.012, 0.06), brass, (0, 0, 0.05), square=2, flat=6),
           *(Block((0.05, 0.032, 0.012), brass, (side * 0.05, 0, 0.11)) for side in (-1, 1))]  # fmt: skip
    carving.part("key", "body", (0, -0.1 * tall, deep), key, mark=(0, 0, 0.1), drives=(("key", "roll", 1.0),))
    _tin_head(carving, rng, palette, coat, tall)
    arm, leg, thick = float(rng.uniform(0.15, 0.2)), float(rng.uniform(0.12, 0.17)), float(rng.uniform(0.026, 0.04))
    metal, shoe = plain(STEEL), plain(palette.dark)
    for name, side in _SIDES:
        hand = [Block((thick, 0.5 * arm, thick), metal, (0, 0.5 * arm, 0), flat=6),
                Block((1.5 * thick, 1.5 * thick, 1.5 * thick), plain(palette.extra), (0, 1.05 * arm, 0), square=4,
                      flat=4)]
        carving.part(f"{name}_arm", "body", (side * (wide + thick), -0.55 * tall, 0), hand, mark=(0, arm, 0),
                     drives=((f"{name}_arm", "pitch", 0.9), (f"{name}_lift", "roll", -0.5 * side)),
                     rest=(0, 0, -0.35 * side))  # fmt: skip
        foot = [Block((1.1 * thick, 0.5 * leg, 1.1 * thick), metal, (0, 0.5 * leg, 0), flat=6),
                Block((1.9 * thick, 0.9 * thick, 3 * thick), shoe, (0, leg, -thick), square=4, flat=5)]  # fmt: skip
        carving.part(f"{name}_leg", "body", (side * 0.5 * wide, 0.9 * tall, 0), foot, mark=(0, leg, -2 * thick),
                     drives=((f"{name}_leg", "pitch", 0.55),))  # fmt: skip
    return carving.model()


def _sizes(rng: np.random.Generator, *ranges: tuple[float, float]) -> list[float]:
    return [float(rng.uniform(low, high)) for low, high in ranges]


def _tin_head(carving: Carving, rng: np.random.Generator, palette: Palette, coat: Coat, tall: float) -> None:
    wide, high, deep = _sizes(rng, (0.09, 0.13), (0.07, 0.1), (0.07, 0.1))
    square = float(rng.choice([2.0, 6.0]))
    glow = plain(hsv(float(rng.random()), 0.6, 1.0))
    skull = [Block((wide, high, deep), coat, (0, -high, 0), square=square, flat=6),
             Block((0.6 * wide, 0.012, 0.015), plain(palette.dark), (0, -0.5 * high, -deep), square=4, flat=4),
             Block((0.008, 0.05, 0.008), plain(STEEL), (0, -2 * high - 0.04, 0), flat=4),
             Block((0.024, 0.024, 0.024), plain(palette.extra), (0, -2 * high - 0.1, 0))]  # fmt: skip
    eye = float(rng.uniform(0.022, 0.034))
    for _, side in _SIDES:
        skull.append(Block((eye, eye, eye), plain((250, 250, 246)), (side * 0.42 * wide, -1.25 * high, -0.93 * deep)))
        skull.append(Block((0.6 * eye, 0.6 * eye, 0.6 * eye), glow, (side * 0.42 * wide, -1.25 * high,
                                                                     -0.93 * deep - 0.6 * eye)))
    skull += [Block((0.016, 0.024, 0.024), plain(STEEL), (side * wide, -high, 0)) for _, side in _SIDES]
    carving.part("head", "body", (0, -tall - 0.01, 0), skull, mark=(0, -high, -deep), drives=(("head", "yaw", 0.6),))


def build_car(rng: np.random.Generator, palette: Palette) -> Model:
    """It drives on the spot; its wheels turn and steer."""
    carving = Carving(0.3, 1.2)
    long, wide, high = _sizes(rng, (0.24, 0.32), (0.12, 0.16), (0.05, 0.08))
    paint = draw_coat(rng, palette, 0.06, 0.16)
    rounded = float(rng.uniform(3, 7))
    cabin, set_back, roof = (float(rng.uniform(*pair)) for pair in ((0.45, 0.65), (-0.05, 0.35), (0.07, 0.11)))
    body = [Block((wide, high, long), paint, square=rounded, flat=rounded, gloss=0.6),
            Block((0.85 * wide, roof, cabin * long), plain(GLASS), (0, -high - 0.5 * roof, set_back * long),
                  square=rounded, flat=rounded, gloss=0.9),
            Block((0.86 * wide, 0.25 * roof, 0.9 * cabin * long), paint, (0, -high - 1.35 * roof, set_back * long),
                  square=rounded, flat=rounded, gloss=0.6)]  # fmt: skip
    lamp = float(rng.uniform(0.022, 0.036))
    for _, side in _SIDES:
        body.append(Block((lamp, lamp, lamp), plain((255, 246, 190)), (side * 0.62 * wide, -0.1 * high, -0.97 * long)))
        body.append(Block((lamp, 0.6 * lamp, 0.6 * lamp), plain((226, 40, 40)),
                          (side * 0.62 * wide, -0.1 * high, 0.98 * long)))
    body += [Block((wide, 0.02, 0.025), plain(STEEL), (0, 0.7 * high, place * long), square=4, flat=4)
             for place in (-1, 1)]  # fmt: skip
    if rng.random() < 0.5:
        body.append(Block((0.3 * wide, 0.018, 0.95 * long), plain(palette.light), (0, -0.93 * high, 0), square=5,
                          flat=5))
    carving.part("body", "turn", (0, 0, 0), body, mark=(0, 0, -long),
                 drives=(("bounce", "down", 0.012), ("lean", "roll", 0.06), ("bounce", "pitch", 0.025)))  # fmt: skip
    _driver(carving, rng, palette, -high - 1.5 * roof, set_back * long)
    size, thick = float(rng.uniform(0.065, 0.1)), float(rng.uniform(0.028, 0.045))
    hub = palette.extra if rng.random() < 0.5 else STEEL
    for name, side in _SIDES:
        for end, along in (("front", -0.62), ("hind", 0.62)):
            steers: tuple[Drive, ...] = (("steer", "yaw", 0.45),) if end == "front" else ()
            carving.carrier(f"{name}_{end}_axle", "turn", (side * wide, 0.9 * high, along * long), drives=steers)
            carving.part(f"{name}_{end}_wheel", f"{name}_{end}_axle", (0, 0, 0), _wheel(size, thick, hub),
                         mark=(side * thick, 0, 0), drives=(("wheels", "pitch", 1.0),))  # fmt: skip
    return carving.model()


def _driver(carving: Carving, rng: np.random.Generator, palette: Palette, up: float, along: float) -> None:
    """A head that looks out of the roof."""
    size = float(rng.uniform(0.05, 0.075))
    skin = plain(palette.light)
    head = [Block((size, size, size), skin, (0, -0.7 * size, 0), gloss=0.1),
            Block((1.08 * size, 0.6 * size, 1.08 * size), plain(palette.extra),
                  (0, -1.15 * size, 0.1 * size))]  # fmt: skip
    head += [Block((0.16 * size,) * 3, plain((30, 26, 30)), (side * 0.35 * size, -0.65 * size, -0.93 * size))
             for _, side in _SIDES]  # fmt: skip
    carving.part("driver", "body", (0, up, along), head, mark=(0, -0.7 * size, -size), drives=(("driver", "yaw", 0.8),))


def _wheel(size: float, thick: float, hub: Color) -> list[Block]:
    """Its axle is to the right; spokes show that it turns."""
    side = (0.0, 0.0, np.pi / 2)
    blocks = [Block((size, thick, size), plain(RUBBER), tilt=side, flat=6, gloss=0.1),
              Block((0.6 * size, 1.08 * thick, 0.6 * size), plain(hub), tilt=side, flat=6)]  # fmt: skip
    dark = plain(mixed(hub, (20, 20, 24), 0.65))
    blocks += [Block((1.14 * thick, 0.5 * size, 0.09 * size), dark, tilt=(turn, 0, 0), square=4, flat=4)
               for turn in (0.0, np.pi / 2)]  # fmt: skip
    return blocks


def build_plane(rng: np.random.Generator, palette: Palette) -> Model:
    """It banks and climbs; the propeller turns."""
    carving = Carving(0.35, 1.1)
    long, thick, span = _sizes(rng, (0.24, 0.3), (0.06, 0.09), (0.26, 0.36))
    paint = draw_coat(rng, palette, 0.06, 0.14)
    wing = Coat(palette.extra, palette.light, "stripes" if rng.random() < 0.5 else "plain", 0.13)
    chord = float(rng.uniform(0.06, 0.09))
    body = [Block((thick, thick, long), paint, tilt=(0.04, 0, 0), square=2.4, flat=2.4, gloss=0.5),
            Block((0.6 * thick, 0.6 * thick, 0.3 * long), plain(GLASS), (0, -0.75 * thick, -0.1 * long), gloss=0.9),
            Block((0.35 * span, 0.012, 0.6 * chord), wing, (0, -0.1 * thick, 0.85 * long), square=4,
                  flat=4)]  # fmt: skip
    decks = (-1.2, 0.6) if rng.random() < 0.4 else (0.2,)
    body += [Block((span, 0.015, chord), wing, (0, deck * thick, -0.25 * long), square=5, flat=5) for deck in decks]
    if len(decks) == 2:
        body += [Block((0.009, 0.95 * thick, 0.009), plain(STEEL), (side * 0.7 * span, -0.3 * thick, -0.25 * long),
                       flat=4)
                 for side in (-1, 1)]  # fmt: skip
    carving.part("body", "turn", (0, 0, 0), body, mark=(0, 0, -0.9 * long), drives=(
        ("bank", "roll", 0.45), ("climb", "pitch", 0.3), ("height", "down", 0.07)))  # fmt: skip
    for name, side in _SIDES:  # the ends of the wings, which can be seen to bank
        tip = [Block((0.05, 0.02, 1.05 * chord), plain(palette.coat), square=3, flat=3)]
        carving.part(f"{name}_tip", "body", (side * span, decks[-1] * thick, -0.25 * long), tip)
    fin = [Block((0.012, 0.09, 0.4 * chord), wing, (0, -0.09, 0), square=4, flat=4)]
    carving.part("rudder", "body", (0, -0.3 * thick, 0.92 * long), fin, mark=(0, -0.15, 0),
                 drives=(("rudder", "yaw", 0.6),))
    blade = float(rng.uniform(0.1, 0.15))
    screw = [Block((blade, 0.018, 0.008), plain((120, 82, 50)), square=3, flat=3),
             Block((0.03, 0.03, 0.045), plain(palette.extra))]  # fmt: skip
    carving.part("propeller", "body", (0, 0, -long), screw, mark=(0.8 * blade, 0, 0),
                 drives=(("propeller", "roll", 1.0),))
    _landing_gear(carving, thick, long)
    return carving.model()


def _landing_gear(carving: Carving, thick: float, long: float) -> None:
    for name, side in _SIDES:
        gear = [Block((0.01, 0.06, 0.01), plain(STEEL), (0, 0.03, 0), flat=4),
                Block((0.036, 0.02, 0.036), plain(RUBBER), (0, 0.08, 0), (0, 0, np.pi / 2), flat=5,
                      gloss=0.1)]  # fmt: skip
        carving.part(f"{name}_wheel", "body", (side * 0.9 * thick, 0.85 * thick, -0.35 * long), gear, mark=(0, 0.08, 0),
                     rest=(0, 0, -0.25 * side))  # fmt: skip
