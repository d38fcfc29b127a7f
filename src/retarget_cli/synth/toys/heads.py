"""Cartoon heads that turn, nod, look, blink and talk; features lie on a ball, so that they pass over it rightly."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retarget_cli.synth.outfit import Color
from retarget_cli.synth.toys.flat import Design
from retarget_cli.synth.toys.paint import Coat, Piece
from retarget_cli.synth.toys.palette import Palette, hsv, mixed
from retarget_cli.synth.toys.rig import Place
from retarget_cli.synth.toys.shapes import Blob, Crescent, Limb, Outline, moved
from retarget_cli.synth.toys.sketch import Sketch, draw_coat, lips, painted, plain
from retarget_cli.synth.toys.waves import Channel, wander

CHANNELS: Mapping[str, Channel] = {
    "yaw": wander(0.9),
    "pitch": wander(0.9),
    "roll": wander(0.7),
    "across": wander(0.5),
    "look": wander(1.3),
    "glance": wander(1.0),
    "blink": Channel("lid"),
    "talk": Channel("talk"),
    "smile": wander(0.8),
    "brow": wander(1.0),
    "ear": wander(1.6),
}
_SIDES = (("left", 1.0), ("right", -1.0))
SKINS: tuple[Color, ...] = ((255, 224, 196), (241, 194, 154), (214, 160, 116), (166, 112, 76), (110, 72, 50))
_TURN, _NOD = 0.55, 0.35


def build_kid(rng: np.random.Generator, palette: Palette) -> Design:
    """A child, with hair."""
    skin = SKINS[int(rng.integers(len(SKINS)))]
    hair = hsv(float(rng.choice([0.05, 0.08, 0.1, 0.0, rng.random()])), float(rng.uniform(0.3, 0.8)),
               float(rng.uniform(0.12, 0.85)))  # fmt: skip
    wide, tall = float(rng.uniform(0.25, 0.31)), float(rng.uniform(0.29, 0.34))
    face = Piece(Blob(0, 0, wide, tall, power=float(rng.uniform(2, 2.5))), plain(skin))
    sketch = _ball(palette, [face], wide, tall, rng)
    lobe = [Piece(Blob(0, 0, 0.055, 0.075), plain(mixed(skin, (200, 90, 80), 0.12)))]
    long = float(rng.choice([0.0, 0.0, rng.uniform(0.3, 0.9)]))
    mop = [Piece(Blob(0, 0, 1.1 * wide, 0.96 * tall, power=2.3), plain(hair))]
    if long:
        mop.insert(0, Piece(Blob(0, long * tall, 1.12 * wide, tall, power=3), plain(hair)))
    sketch.part("hair", "skull", (0, -0.16 * tall, 0), mop, 0.5, mark=(0, -0.9 * tall),
                drives=(("yaw", "right", -0.02),))
    for name, side in _SIDES:
        sketch.part(f"{name}_ear", "turn", (side * 0.98 * wide, 0.05 * tall, 0.02), lobe, 6)
    _features(sketch, rng, skin, hair, wide, tall, nose=0.06)
    _fringe(sketch, rng, hair, wide, tall)
    return sketch.design()


def build_animal(rng: np.random.Generator, palette: Palette) -> Design:
    """A bear, cat, hare or pig."""
    coat = draw_coat(rng, palette, 0.08, 0.2)
    wide, tall = float(rng.uniform(0.27, 0.34)), float(rng.uniform(0.25, 0.31))
    face = Piece(Blob(0, 0, wide, tall, power=float(rng.uniform(2, 2.6))), coat)
    sketch = _ball(palette, [face], wide, tall, rng)
    kind, long = int(rng.integers(4)), float(rng.uniform(0.13, 0.26))
    pink = mixed(palette.light, (244, 130, 140), 0.45)
    for name, side in _SIDES:
        pieces = _ear(kind, long, side, coat, pink)
        joint = (side * 0.72 * wide, -0.72 * tall, 0.05)
        sketch.part(f"{name}_ear", "turn", joint, pieces, 3, mark=(0, -0.3 * long), rest=(0, 0, 0.35 * side),
                    drives=(("ear", "roll", 0.2 * side),))  # fmt: skip
    muzzle = [Piece(Blob(0, 0, 0.5 * wide, 0.36 * tall), plain(palette.light), has_line=False)]
    sketch.part("muzzle", "turn", (0, 0.38 * tall, -0.88 * wide), muzzle, 11)
    _features(sketch, rng, palette.light, palette.dark, wide, tall, nose=0.085, snout=(46, 32, 40))
    return sketch.design()


def build_monster(rng: np.random.Generator, palette: Palette) -> Design:
    """Fluffy or scaly, with horns, and teeth."""
    coat = draw_coat(rng, palette, 0.06, 0.16)
    wide, tall = float(rng.uniform(0.25, 0.34)), float(rng.uniform(0.26, 0.34))
    bumps = int(rng.integers(9, 20))
    fluff = [Piece(Blob(np.cos(a) * wide * 0.94, np.sin(a) * tall * 0.94, 0.07, 0.07), plain(palette.coat))
             for a in np.arange(bumps) * 2 * np.pi / bumps] if rng.random() < 0.6 else []  # fmt: skip
    face = Piece(Blob(0, 0, wide, tall, power=float(rng.uniform(2, 3.2))), coat)
    sketch = _ball(palette, [*fluff, face], wide, tall, rng)
    long = float(rng.uniform(0.1, 0.2))
    for name, side in _SIDES:
        points = [(-0.06, 0.06), (side * 0.06, -long), (0.06, 0.06)]
        horn = [Piece(Outline(moved(points, 0, 0), 0.012), Coat(palette.light, palette.dark, "rings", 0.06))]
        sketch.part(f"{name}_ear", "turn", (side * 0.62 * wide, -0.85 * tall, 0.05), horn, 3, mark=(0, -0.3 * long),
                    rest=(0, 0, 0.3 * side), drives=(("ear", "roll", 0.12 * side),))  # fmt: skip
    _features(sketch, rng, palette.light, palette.dark, wide, tall, nose=0.045, has_teeth=True)
    return sketch.design()


def _ball(palette: Palette, face: list[Piece], wide: float, tall: float, rng: np.random.Generator) -> Sketch:
    """Shoulders, a head that rolls, and in it the invisible ball that turns."""
    sketch = Sketch()
    sketch.carrier("root", drives=(("across", "right", 0.03),))
    cloth = draw_coat(rng, palette, 0.06, 0.14)
    shirt = Coat(palette.extra, palette.light, cloth.pattern, cloth.scale)
    points = [(-0.13, 0.0), (0.13, 0.0), (0.3, 0.1), (0.34, 0.3), (-0.34, 0.3), (-0.3, 0.1)]
    body = [Piece(Outline(moved(points, 0, 0), 0.04), shirt)]
    sketch.part("shoulders", "root", (0, 0.95 * tall, 0), body, 1, mark=(0, 0.15), drives=(("roll", "roll", 0.05),))
    sketch.part("skull", "root", (0, 0, 0), face, 8, drives=(("roll", "roll", 0.22), ("pitch", "down", 0.025),
                                                           ("talk", "tall", 0.03)))  # fmt: skip
    sketch.carrier("turn", "skull", drives=(("yaw", "yaw", _TURN), ("pitch", "pitch", _NOD)))
    return sketch


def _on_ball(right: float, down: float, wide: float, tall: float) -> tuple[Place, Place]:
    """Where a feature is that is seen there from the front, and how it is turned."""
    depth = -float(np.sqrt(max(1 - (right / wide) ** 2 - (down / tall) ** 2, 0.05))) * wide * 0.85
    return (right, down, depth), (0.35 * down / tall, -float(np.arcsin(np.clip(right / wide, -1, 1))) * 0.7, 0)


def _features(
    sketch: Sketch, rng: np.random.Generator, light: Color, hair: Color, wide: float, tall: float, *, nose: float,
    snout: Color | None = None, has_teeth: bool = False,
) -> None:  # fmt: skip
    apart, up = float(rng.uniform(0.34, 0.46)) * wide, float(rng.uniform(-0.25, -0.08)) * tall
    size, kind = float(rng.uniform(0.05, 0.08)), int(rng.integers(3))
    iris = hsv(float(rng.choice([0.08, 0.3, 0.57, 0.6])), 0.6, 0.6)
    for name, side in _SIDES:
        place, rest = _on_ball(side * apart, up, wide, tall)
        white = [Piece(Blob(0, 0, size, 1.2 * size), plain((252, 252, 248)))]
        sketch.part(f"{name}_eye", "turn", place, white, 12, rest=rest, drives=(("blink", "tall", -0.93),))
        pupil = [Piece(Blob(0, 0, 0.55 * size, 0.62 * size), plain(iris if kind else (30, 24, 28)), has_line=False),
                 painted(Blob(0, 0, 0.33 * size, 0.38 * size), (20, 18, 24)),
                 painted(Blob(-0.2 * size, -0.25 * size, 0.16 * size, 0.16 * size), (255, 255, 255))]  # fmt: skip
        sketch.part(f"{name}_pupil", f"{name}_eye", (0, 0, 0), pupil, 13,
                    drives=(("blink", "tall", -0.93), ("look", "right", 0.36 * size),
                            ("glance", "down", 0.3 * size)))  # fmt: skip
        place, rest = _on_ball(side * apart, up - 1.75 * size, wide, tall)
        brow = [Piece(Crescent(0, 0, 0.055, -0.014, 0.011), plain(hair), has_line=False)]
        sketch.part(f"{name}_brow", "turn", place, brow, 14, rest=rest,
                    drives=(("brow", "down", -0.028), ("brow", "roll", 0.16 * side)))  # fmt: skip
        place, rest = _on_ball(side * 0.62 * wide, 0.32 * tall, wide, tall)
        cheek = [Piece(Blob(0, 0, 0.05, 0.034), plain(mixed(light, (246, 110, 110), 0.45)), has_line=False)]
        sketch.part(f"{name}_cheek", "turn", place, cheek, 10, rest=rest, drives=(("smile", "down", -0.012),))
    tip = plain(snout if snout is not None else mixed(light, (190, 70, 60), 0.22))
    sketch.part("nose", "turn", (0, 0.2 * tall, -1.05 * wide), [Piece(Blob(0, 0, 0.6 * nose, 0.45 * nose), tip)], 16)
    _mouth(sketch, rng, wide, tall, has_teeth)


def _mouth(sketch: Sketch, rng: np.random.Generator, wide: float, tall: float, has_teeth: bool) -> None:
    broad = float(rng.uniform(0.24, 0.36)) * wide
    inside = [Piece(lips(broad, 0.016), plain((100, 28, 42)), has_line=False),
              painted(Blob(0, 0.018, 0.5 * broad, 0.009), (236, 104, 112))]  # fmt: skip
    if has_teeth:
        inside += [painted(Outline(moved([(-0.015, -0.016), (0.015, -0.016), (0.0, 0.004)], x * broad, 0)),
                           (250, 250, 240))
                   for x in (-0.5, 0.0, 0.5)]  # fmt: skip
    else:
        inside.append(painted(Limb((-0.5 * broad, -0.002), (0.5 * broad, -0.002), 0.005, 0.005), (250, 250, 246)))
    place, rest = _on_ball(0, 0.52 * tall, wide, tall)
    sketch.part("mouth", "turn", place, inside, 15, rest=rest,
                drives=(("talk", "tall", 2.6), ("smile", "wide", 0.3), ("talk", "wide", -0.15)))  # fmt: skip


def _ear(kind: int, long: float, side: float, coat: Coat, pink: Color) -> list[Piece]:
    if kind == 0:
        return [Piece(Blob(0, -0.02, 0.1, 0.1), coat), painted(Blob(0, -0.02, 0.06, 0.06), pink)]
    if kind == 1:
        points = [(-0.09, 0.06), (side * 0.02, -0.75 * long), (0.09, 0.06)]
        small = [(0.55 * x, 0.55 * y) for x, y in points]
        return [Piece(Outline(moved(points, 0, 0), 0.012), coat), painted(Outline(moved(small, 0, 0)), pink)]
    if kind == 2:
        return [Piece(Blob(0, -0.7 * long, 0.065, long), coat), painted(Blob(0, -0.7 * long, 0.035, 0.75 * long), pink)]
    return [Piece(Limb((0, 0), (side * 0.08, long), 0.07, 0.085), coat)]


def _fringe(sketch: Sketch, rng: np.random.Generator, hair: Color, wide: float, tall: float) -> None:
    locks = int(rng.integers(2, 6))
    width = 0.8 * wide / locks + 0.03
    pieces = [Piece(Blob((2 * (k + 0.5) / locks - 1) * 0.66 * wide, -0.02 * tall, width,
                         float(rng.uniform(0.24, 0.36)) * tall,
                         turn=float(rng.uniform(-0.3, 0.3))), plain(hair), has_line=False)
              for k in range(locks)]  # fmt: skip
    pieces.insert(0, Piece(Blob(0, -0.1 * tall, 0.8 * wide, 0.24 * tall), plain(hair), has_line=False))
    place, rest = _on_ball(0, -0.78 * tall, wide, tall)
    sketch.part("fringe", "turn", place, pieces, 15.5, rest=(0.5 * rest[0], 0, 0))
