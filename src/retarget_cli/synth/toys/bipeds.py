"""Figures on two legs from the front: robots, plush animals, and thick stick figures. They walk, wave and dance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retarget_cli.synth.toys.flat import Design
from retarget_cli.synth.toys.paint import Coat, Piece
from retarget_cli.synth.toys.palette import Palette, hsv, mixed
from retarget_cli.synth.toys.shapes import Blob, Limb, Outline, Shape, moved
from retarget_cli.synth.toys.sketch import Sketch, bar, draw_coat, eye, lips, painted, plain, smile
from retarget_cli.synth.toys.waves import Channel, beat, wander

CHANNELS: Mapping[str, Channel] = {
    "left_arm": beat(0.0, follows=0.6),
    "right_arm": beat(0.5, follows=0.6),
    "left_elbow": beat(0.2, follows=0.6),
    "right_elbow": beat(0.7, follows=0.6),
    "left_leg": beat(0.0),
    "right_leg": beat(0.5),
    "left_knee": beat(0.25, least=0.0),
    "right_knee": beat(0.75, least=0.0),
    "sway": beat(0.1, follows=0.4),
    "bob": beat(0.3, pace=2.0),
    "head": wander(1.2),
    "walk": wander(0.5),
    "turn": wander(0.6),
    "ear": beat(0.6, follows=0.6),
    "blink": Channel("lid"),
    "mouth": Channel("talk"),
}
_SIDES = (("left", 1.0), ("right", -1.0))


def build_critter(rng: np.random.Generator, palette: Palette) -> Design:
    """A plush animal: round, with ears."""
    coat = draw_coat(rng, palette)
    size, wide = float(rng.uniform(0.15, 0.2)), float(rng.uniform(0.12, 0.19))
    tall = float(rng.uniform(0.15, 0.21))
    body: list[Piece] = [Piece(Blob(0, 0, wide, tall, power=float(rng.uniform(2, 2.8))), coat)]
    body.append(painted(Blob(0, 0.2 * tall, 0.65 * wide, 0.68 * tall), palette.light))
    if rng.random() < 0.4:
        body += [painted(Blob(0, share * tall, 0.02, 0.02), palette.extra) for share in (-0.4, 0.0, 0.4)]
    sketch = _trunk(body, tall)
    thick = float(rng.uniform(0.04, 0.065))
    _limbs(sketch, rng, palette, coat, wide, tall, thick, paws=1.25)
    shape = Blob(0, -0.8 * size, 1.1 * size, size, power=float(rng.uniform(2, 2.6)))
    skull = [Piece(shape, coat), *_muzzle(rng, palette, size)]
    _face(sketch, rng, palette, skull, size, -tall)
    _ears(sketch, rng, palette, coat, size)
    return sketch.design()


def build_robot(rng: np.random.Generator, palette: Palette) -> Design:
    """A robot: boxes, bolts, a dial, an antenna."""
    metal = hsv(float(rng.random()), float(rng.uniform(0.05, 0.6)), float(rng.uniform(0.6, 0.92)))
    coat = Coat(metal, mixed(metal, palette.accent, 0.5), "fade" if rng.random() < 0.5 else "plain", 0.3)
    wide, tall = float(rng.uniform(0.13, 0.19)), float(rng.uniform(0.14, 0.2))
    body: list[Piece] = [Piece(_box(0, 0, wide, tall, 0.03), coat)]
    body.append(painted(_box(0, -0.25 * tall, 0.7 * wide, 0.4 * tall, 0.01), mixed(metal, palette.ink, 0.55)))
    lamps = [hsv(float(rng.random()), 0.85, 1.0) for _ in range(3)]
    body += [painted(Blob((place - 1) * 0.42 * wide, -0.25 * tall, 0.024, 0.024), lamp)
             for place, lamp in enumerate(lamps)]  # fmt: skip
    body.append(painted(Blob(0, 0.5 * tall, 0.3 * wide, 0.3 * wide), (245, 245, 240), has_line=True))
    body.append(painted(Limb((0, 0.5 * tall), (0.18 * wide, 0.36 * tall), 0.007, 0.005), (220, 40, 40)))
    sketch = _trunk(body, tall)
    _limbs(sketch, rng, palette, coat, wide, tall, float(rng.uniform(0.028, 0.045)), paws=1.3)
    size = float(rng.uniform(0.11, 0.15))
    skull = [Piece(_box(0, -size, 1.15 * size, 0.85 * size, 0.03), coat)]
    skull += [painted(Blob(side * 1.0 * size, -0.4 * size, 0.013, 0.013), mixed(metal, palette.ink, 0.6))
              for side in (-1, 1)]  # fmt: skip
    skull.append(painted(_box(0, -1.2 * size, 0.9 * size, 0.4 * size, 0.01), mixed(metal, palette.ink, 0.7)))
    _face(sketch, rng, palette, skull, size, -tall, is_robot=True)
    pole = [Piece(Limb((0, 0), (0, -0.55 * size), 0.012, 0.009), plain(palette.dark)),
            Piece(Blob(0, -0.65 * size, 0.027, 0.027), plain(palette.extra))]  # fmt: skip
    for name, side in _SIDES:
        sketch.part(f"{name}_ear", "head", (side * 0.7 * size, -1.8 * size, 0), pole, 9, mark=(0, -0.6 * size),
                    rest=(0, 0, 0.25 * side), drives=(("ear", "roll", 0.35 * side),))  # fmt: skip
    return sketch.design()


def build_stick_figure(rng: np.random.Generator, palette: Palette) -> Design:
    """Thick lines, a round head, a hat."""
    coat = plain(palette.coat)
    thick, tall = float(rng.uniform(0.026, 0.05)), float(rng.uniform(0.11, 0.17))
    body = [Piece(Limb((0, -tall), (0, tall), 1.2 * thick, 1.3 * thick), draw_coat(rng, palette, 0.05, 0.12))]
    if rng.random() < 0.5:  # a dress
        points = [(-0.03, -0.6 * tall), (0.03, -0.6 * tall), (0.12, 1.2 * tall), (-0.12, 1.2 * tall)]
        body = [Piece(Outline(moved(points, 0, 0), 0.02), draw_coat(rng, palette, 0.05, 0.12))]
    sketch = _trunk(body, tall)
    _limbs(sketch, rng, palette, coat, 1.3 * thick, tall, thick, paws=1.5)
    size = float(rng.uniform(0.1, 0.14))
    skull = [Piece(Blob(0, -0.85 * size, size, size), plain(palette.light))]
    skull += _hat(rng, palette, size)
    _face(sketch, rng, palette, skull, size, -tall - thick)
    for name, side in _SIDES:  # ears, or bunches
        lock = [Piece(Blob(0, 0, *rng.permutation([0.2 * size, 0.28 * size])), plain(palette.dark))]
        sketch.part(f"{name}_ear", "head", (side * 1.02 * size, -0.9 * size, 0), lock, 9,
                    drives=(("ear", "roll", 0.5),))
    return sketch.design()


def _box(x: float, y: float, wide: float, tall: float, corner: float) -> Shape:
    points = [(-wide + corner, -tall + corner), (wide - corner, -tall + corner), (wide - corner, tall - corner),
              (-wide + corner, tall - corner)]  # fmt: skip
    return Outline(moved(points, x, y), corner)


def _trunk(body: list[Piece], tall: float) -> Sketch:
    sketch = Sketch()
    sketch.carrier("root", drives=(("walk", "right", 0.1), ("bob", "down", 0.022), ("turn", "yaw", 0.4)))
    sketch.part("body", "root", (0, 0, 0), body, 10,
                drives=(("sway", "roll", 0.16), ("bob", "tall", -0.04), ("bob", "wide", 0.03)))  # fmt: skip
    return sketch


def _limbs(
    sketch: Sketch, rng: np.random.Generator, palette: Palette, coat: Coat, wide: float, tall: float, thick: float,
    paws: float,
) -> None:  # fmt: skip
    arm, leg = float(rng.uniform(0.09, 0.14)), float(rng.uniform(0.09, 0.15))
    hand, shoe = plain(palette.light), plain(palette.dark)
    spread = float(rng.uniform(0.5, 1.1))
    paw = paws * thick
    for name, side in _SIDES:
        sketch.part(f"{name}_upper_arm", "body", (side * 0.9 * wide, -0.6 * tall, 0),
                    [bar(arm, thick, 0.9 * thick, coat)],
                    12, mark=(0, 0.7 * arm), rest=(0, 0, -spread * side),
                    drives=((f"{name}_arm", "roll", -0.9 * side),))  # fmt: skip
        fore = [bar(arm, 0.9 * thick, 0.8 * thick, coat), Piece(Blob(0, 1.1 * arm, paw, paw), hand)]
        sketch.part(f"{name}_forearm", f"{name}_upper_arm", (0, arm, 0), fore, 13, mark=(0, 1.1 * arm),
                    rest=(0, 0, -0.6 * side), drives=((f"{name}_elbow", "roll", -0.8 * side),))  # fmt: skip
        sketch.part(f"{name}_thigh", "body", (side * 0.5 * wide, 0.85 * tall, 0), [bar(leg, 1.1 * thick, thick, coat)],
                    8, mark=(0, 0.8 * leg), rest=(0, 0, -0.12 * side),
                    drives=((f"{name}_leg", "roll", -0.35 * side), (f"{name}_knee", "tall", -0.3)))  # fmt: skip
        shin = [bar(leg, thick, 0.9 * thick, coat),
                Piece(Blob(0.4 * side * paw, leg + 0.4 * thick, 1.5 * paw, 0.8 * paw), shoe)]  # fmt: skip
        sketch.part(f"{name}_shin", f"{name}_thigh", (0, leg, 0), shin, 7, mark=(0, leg),
                    rest=(0, 0, 0.1 * side), drives=((f"{name}_knee", "roll", 0.7 * side),))  # fmt: skip


def _face(
    sketch: Sketch, rng: np.random.Generator, palette: Palette, skull: list[Piece], size: float, height: float,
    is_robot: bool = False,
) -> None:  # fmt: skip
    sketch.part("head", "body", (0, height, 0), skull, 14, mark=(0, -0.9 * size),
                drives=(("head", "roll", 0.32), ("turn", "right", 0.012)))  # fmt: skip
    kind, apart = int(rng.integers(3)), float(rng.uniform(0.33, 0.5)) * size
    big, up = float(rng.uniform(0.13, 0.22)) * size, (-1.2 if is_robot else float(rng.uniform(-1.15, -0.95))) * size
    glow = hsv(float(rng.random()), 0.7, 1.0)
    for name, side in _SIDES:
        pieces = eye(0, 0, big, kind, palette.extra)
        if is_robot:
            pieces = [Piece(Blob(0, 0, 1.3 * big, 1.3 * big), plain(glow), has_line=False),
                      painted(Blob(0, 0, 0.6 * big, 0.6 * big), (255, 255, 255))]  # fmt: skip
        sketch.part(f"{name}_eye", "head", (side * apart, up, 0), pieces, 16,
                    drives=(("blink", "tall", -0.9), ("turn", "right", 0.18 * size)))  # fmt: skip
    mouth = [Piece(lips(0.26 * size, 0.05 * size), plain((92, 26, 40)), has_line=False),
             painted(Blob(0, 0.05 * size, 0.13 * size, 0.03 * size), (232, 96, 108))]  # fmt: skip
    sketch.part("mouth", "head", (0, -0.42 * size, 0), mouth, 16, rest=(0, 0, 0),
                drives=(("mouth", "tall", 2.2), ("head", "wide", 0.15), ("turn", "right", 0.15 * size)))  # fmt: skip


def _muzzle(rng: np.random.Generator, palette: Palette, size: float) -> list[Piece]:
    wide = float(rng.uniform(0.35, 0.55)) * size
    pieces = [painted(Blob(0, -0.5 * size, wide, 0.38 * size), palette.light)]
    pieces.append(painted(Blob(0, -0.72 * size, 0.14 * size, 0.1 * size), (48, 34, 40)))
    if rng.random() < 0.5:
        pieces += [painted(Blob(side * 0.72 * size, -0.55 * size, 0.16 * size, 0.12 * size), (244, 150, 150))
                   for side in (-1, 1)]  # fmt: skip
    return pieces


def _ears(sketch: Sketch, rng: np.random.Generator, palette: Palette, coat: Coat, size: float) -> None:
    kind, tall = int(rng.integers(3)), float(rng.uniform(0.45, 0.75)) * size
    inner = mixed(palette.light, (244, 140, 150), 0.4)
    for name, side in _SIDES:
        if kind == 0:  # a bear's
            pieces = [Piece(Blob(0, 0, 0.42 * size, 0.42 * size), coat),
                      painted(Blob(0, 0, 0.24 * size, 0.24 * size), inner)]  # fmt: skip
        elif kind == 1:  # a hare's
            pieces = [Piece(Blob(0, -0.8 * tall, 0.24 * size, 1.2 * tall), coat),
                      painted(Blob(0, -0.8 * tall, 0.12 * size, 0.9 * tall), inner)]  # fmt: skip
        else:  # a cat's
            points = [(-0.36 * size, 0.25 * size), (0.0, -tall), (0.36 * size, 0.25 * size)]
            small = [(0.5 * x, 0.5 * y) for x, y in points]
            pieces = [Piece(Outline(moved(points, 0, 0), 0.04 * size), coat),
                      painted(Outline(moved(small, 0, 0)), inner)]
        sketch.part(f"{name}_ear", "head", (side * 0.66 * size, -1.55 * size, 0), pieces, 9, mark=(0, -0.2 * tall),
                    rest=(0, 0, 0.3 * side), drives=(("ear", "roll", 0.25 * side),))  # fmt: skip


def _hat(rng: np.random.Generator, palette: Palette, size: float) -> list[Piece]:
    kind = int(rng.integers(4))
    felt = plain(palette.extra)
    if kind == 0:
        return [smile(0, -0.42 * size, 0.3 * size, palette.ink)]
    if kind == 1:  # a top hat
        return [Piece(_box(0, -1.95 * size, 0.6 * size, 0.4 * size, 0.01), felt),
                Piece(_box(0, -1.55 * size, size, 0.1 * size, 0.01), felt)]  # fmt: skip
    if kind == 2:  # a party hat
        points = [(-0.6 * size, -1.5 * size), (0.0, -2.5 * size), (0.6 * size, -1.5 * size)]
        return [Piece(Outline(moved(points, 0, 0), 0.03 * size), Coat(palette.extra, palette.light, "rings",
                                                                      0.4 * size)),
                Piece(Blob(0, -2.5 * size, 0.16 * size, 0.16 * size), plain(palette.light))]  # fmt: skip
    return [Piece(Limb((-0.6 * size, -1.5 * size), (0.6 * size, -1.5 * size), 0.3 * size, 0.3 * size), felt)]  # a cap
