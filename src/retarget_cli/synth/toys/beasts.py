"""Four-legged animals from the side: cats, dogs, cows, elephants, giraffes, and what lies between."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retarget_cli.synth.toys.flat import Design
from retarget_cli.synth.toys.paint import Coat, Piece
from retarget_cli.synth.toys.palette import Palette, mixed
from retarget_cli.synth.toys.shapes import Blob, Limb, Outline, moved
from retarget_cli.synth.toys.sketch import Sketch, bar, draw_coat, eye, painted, plain, smile
from retarget_cli.synth.toys.waves import Channel, beat, wander

CHANNELS: Mapping[str, Channel] = {
    "side": Channel("side"),
    "stride": beat(0.0),
    "counter": beat(0.5),
    "knee": beat(0.3, least=0.0),
    "counter_knee": beat(0.8, least=0.0),
    "bob": beat(0.1, pace=2.0),
    "nod": wander(1.2),
    "tail": beat(0.2, pace=1.0, follows=0.6),
    "tip": beat(0.05, pace=1.0, follows=0.6),
    "ear": wander(2.0),
    "walk": wander(0.5),
    "turn": wander(0.5),
    "blink": Channel("lid"),
    "jaw": Channel("talk"),
}

QUARTER = np.pi / 2


def build_beast(rng: np.random.Generator, palette: Palette) -> Design:
    """One animal; the channel `side` says whether it looks to the right (-1) or to the left."""
    sketch, coat = Sketch(), draw_coat(rng, palette)
    long, stout = float(rng.uniform(0.2, 0.34)), float(rng.uniform(0.13, 0.2))
    legs = float(rng.uniform(0.1, 0.24))
    sketch.carrier("root", rest=(0, QUARTER, 0),
                   drives=(("side", "yaw", QUARTER), ("walk", "right", 0.12), ("bob", "down", 0.018),
                                                       ("turn", "yaw", 0.45)))  # fmt: skip
    belly = painted(Blob(0, 0.75 * stout, 0.8 * long, 0.55 * stout), palette.light)
    body = [Piece(Blob(0, 0, long, stout, power=float(rng.uniform(2, 3))), coat)]
    body += [belly] if rng.random() < 0.6 else []
    sketch.part("body", "root", (0, 0, 0), body, 10, drives=(("bob", "roll", 0.05), ("bob", "tall", -0.05)))
    _legs(sketch, rng, palette, coat, long, stout, legs)
    _tail(sketch, rng, palette, coat, long, stout)
    _head(sketch, rng, palette, coat, long, stout)
    return sketch.design()


def _legs(
    sketch: Sketch, rng: np.random.Generator, palette: Palette, coat: Coat, long: float, stout: float, legs: float
) -> None:
    thick = float(rng.uniform(0.035, 0.065))
    far = Coat(mixed(coat.color, palette.ink, 0.28), mixed(coat.accent, palette.ink, 0.28), coat.pattern, coat.scale)
    paw = float(rng.uniform(0.9, 1.5)) * thick
    places = (
        ("near_front", 0.68, 12, "stride", "knee", coat),
        ("near_hind", -0.68, 12, "counter", "counter_knee", coat),
        ("far_front", 0.52, 4, "counter", "counter_knee", far),
        ("far_hind", -0.52, 4, "stride", "knee", far),
    )
    for name, share, layer, swing, knee, skin in places:
        bend = 1.0 if "hind" in name else -0.9
        upper = [bar(0.55 * legs, 1.25 * thick, thick, skin)]
        sketch.part(f"{name}_thigh", "body", (share * long, 0.55 * stout, 0), upper, layer + 0.2,
                    mark=(0, 0.4 * legs), drives=((swing, "roll", 0.5),))  # fmt: skip
        foot = plain(palette.dark if skin is coat else mixed(palette.dark, palette.ink, 0.4))
        lower = [
            Piece(Blob(0.35 * paw, 0.55 * legs + 0.3 * thick, 1.2 * paw, 0.75 * paw), foot),
            bar(0.55 * legs, thick, 0.85 * thick, skin),
        ]
        sketch.part(f"{name}_foot", f"{name}_thigh", (0, 0.55 * legs, 0), lower, layer, mark=(0, 0.5 * legs),
                    drives=((knee, "roll", bend),))  # fmt: skip


def _tail(
    sketch: Sketch, rng: np.random.Generator, palette: Palette, coat: Coat, long: float, stout: float
) -> None:
    length, thick = float(rng.uniform(0.08, 0.17)), float(rng.uniform(0.018, 0.04))
    lift = float(rng.uniform(0.4, 2.2))
    base = [bar(length, thick, 0.85 * thick, coat)]
    sketch.part("tail", "body", (-0.9 * long, -0.25 * stout, 0), base, 5, mark=(0, 0.7 * length), rest=(0, 0, lift),
                drives=(("tail", "roll", 0.55),))  # fmt: skip
    tip = [bar(0.8 * length, 0.85 * thick, 0.6 * thick, coat)]
    if rng.random() < 0.6:
        tuft = float(rng.uniform(1.2, 2.2)) * thick
        tip.append(Piece(Blob(0, 0.85 * length, tuft, 1.5 * tuft), plain(palette.dark)))
    sketch.part("tail_tip", "tail", (0, length, 0), tip, 4.5, mark=(0, 0.6 * length), rest=(0, 0, 0.3),
                drives=(("tip", "roll", 0.6),))  # fmt: skip


def _head(
    sketch: Sketch, rng: np.random.Generator, palette: Palette, coat: Coat, long: float, stout: float
) -> None:
    reach, lean = float(rng.choice([0.05, 0.1, 0.22])), float(rng.uniform(0.35, 0.9))
    size = float(rng.uniform(0.095, 0.15))
    neck = [Piece(Limb((0, 0.02), (0, -reach), 0.6 * stout, 0.55 * size), coat)]
    sketch.part("neck", "body", (0.75 * long, -0.25 * stout, 0), neck, 9, mark=(0, -0.6 * reach), rest=(0, 0, lean),
                drives=(("nod", "roll", 0.16),))  # fmt: skip
    snout, drop = float(rng.uniform(0.6, 1.25)) * size, float(rng.uniform(0.2, 0.45)) * size
    muzzle = plain(palette.light if rng.random() < 0.6 else palette.coat)
    jaw = [Piece(Limb((0, 0), (0.75 * snout, 0.0), 0.36 * size, 0.26 * size), plain(palette.dark))]
    sketch.carrier("nod", "neck", (0, -reach, 0), rest=(0, 0, -lean), drives=(("nod", "roll", 0.3),))
    sketch.part("jaw", "nod", (0.35 * size, drop + 0.18 * size, 0), jaw, 13, mark=(0.75 * snout, 0.06 * size),
                drives=(("jaw", "roll", 0.5),))  # fmt: skip
    skull = [
        Piece(Blob(0.1 * size, 0, 1.05 * size, size, power=float(rng.uniform(2, 2.8))), coat),
        Piece(Limb((0.4 * size, drop), (0.5 * size + snout, drop), 0.55 * size, 0.4 * size), muzzle),
        painted(Blob(0.75 * size + snout, drop - 0.12 * size, 0.2 * size, 0.16 * size), (42, 30, 34)),
        smile(0.5 * size + 0.5 * snout, drop + 0.3 * size, 0.35 * snout, palette.ink),
    ]
    sketch.part("head", "nod", (0.25 * size, 0, 0), skull, 14, mark=(0.6 * size + snout, drop))
    beads = eye(0, 0, float(rng.uniform(0.17, 0.28)) * size, int(rng.integers(3)), palette.extra, 0.3)
    sketch.part("eye", "head", (0.4 * size, -0.28 * size, 0), beads, 16, drives=(("blink", "tall", -0.9),))
    _ears(sketch, rng, palette, coat, size)


def _ears(sketch: Sketch, rng: np.random.Generator, palette: Palette, coat: Coat, size: float) -> None:
    kind, tall = int(rng.integers(4)), float(rng.uniform(0.5, 1.0)) * size
    inner = mixed(palette.light, (240, 130, 140), 0.4)
    if kind == 0:  # a cat's
        points = [(-0.32 * size, 0.1 * size), (0.0, -tall), (0.32 * size, 0.1 * size)]
        pieces = [Piece(Outline(moved(points, 0, 0), 0.05 * size), coat)]
        pieces.append(painted(Outline(moved([(0.5 * x, 0.6 * y) for x, y in points], 0, 0)), inner))
        rest = 0.0
    elif kind == 1:  # a dog's, that hangs
        pieces, rest = [Piece(Limb((0, 0), (0, tall), 0.22 * size, 0.34 * size), plain(palette.dark))], 0.4
    elif kind == 2:  # an elephant's
        round_one = Blob(0, 0.45 * tall, 0.7 * size, 0.75 * size)
        pieces, rest = [Piece(round_one, coat), painted(Blob(0, 0.45 * tall, 0.45 * size, 0.5 * size), inner)], 0.2
    else:  # a rabbit's
        upright = Blob(0, -0.9 * tall, 0.22 * size, 1.0 * tall)
        pieces, rest = [Piece(upright, coat), painted(Blob(0, -0.9 * tall, 0.11 * size, 0.75 * tall), inner)], -0.2
    sketch.part("ear", "head", (-0.4 * size, -0.55 * size, 0), pieces, 15, mark=(0, -0.3 * tall if kind in (0, 3) else
                0.4 * tall), rest=(0, 0, rest), drives=(("ear", "roll", 0.35),))  # fmt: skip
