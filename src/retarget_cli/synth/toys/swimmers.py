"""Birds that flap, fish that swim, caterpillars that crawl, octopuses that float."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from retarget_cli.synth.toys.flat import Design
from retarget_cli.synth.toys.paint import Coat, Piece
from retarget_cli.synth.toys.palette import Palette, mixed
from retarget_cli.synth.toys.rig import Drive
from retarget_cli.synth.toys.shapes import Blob, Limb, Outline, moved
from retarget_cli.synth.toys.sketch import Sketch, bar, draw_coat, eye, painted, plain, shaded, smile
from retarget_cli.synth.toys.waves import Channel, beat, wander

QUARTER = np.pi / 2
_ROAM: Mapping[str, Channel] = {
    "side": Channel("side"),
    "across": wander(0.6),
    "height": wander(0.7),
    "lean": wander(0.9),
    "turn": wander(0.6),
    "blink": Channel("lid"),
}
BIRD_CHANNELS: Mapping[str, Channel] = {
    **_ROAM, "flap": beat(0.0, pace=1.5), "tip": beat(-0.2, pace=1.5), "tail": beat(0.3, follows=0.6),
    "beak": Channel("talk"), "step": beat(0.0), "nod": wander(1.5),
}  # fmt: skip
FISH_CHANNELS: Mapping[str, Channel] = {
    **_ROAM, "tail": beat(0.0, pace=1.2), "fin": beat(-0.2, pace=1.2), "flap": beat(0.2, follows=0.5),
    "mouth": Channel("talk"),
}  # fmt: skip
LINKS = 6
WORM_CHANNELS: Mapping[str, Channel] = {
    **_ROAM, **{f"bend_{link}": beat(-0.17 * link, pace=0.8, follows=0.3) for link in range(LINKS)}, "nod": wander(1.4),
}  # fmt: skip
ARMS = 5
OCTOPUS_CHANNELS: Mapping[str, Channel] = {
    **_ROAM, "pump": beat(0.0), **{f"arm_{arm}": beat(0.13 * arm, follows=0.4) for arm in range(ARMS)},
    **{f"curl_{arm}": beat(0.13 * arm - 0.2, follows=0.4) for arm in range(ARMS)},
}  # fmt: skip
_FLOAT: tuple[Drive, ...] = (("across", "right", 0.14), ("height", "down", 0.09), ("lean", "roll", 0.16),
                             ("turn", "yaw", 0.4))
# The channel `side` says whether it looks to the right (-1) or to the left.
_SWIM: tuple[Drive, ...] = (*_FLOAT, ("side", "yaw", QUARTER))


def build_bird(rng: np.random.Generator, palette: Palette) -> Design:
    """From the side, with two wings."""
    sketch, coat = Sketch(), draw_coat(rng, palette, 0.05, 0.12)
    long, stout, size = float(rng.uniform(0.16, 0.24)), float(rng.uniform(0.11, 0.18)), float(rng.uniform(0.08, 0.13))
    sketch.carrier("root", rest=(0, QUARTER, 0), drives=_SWIM)
    body = [Piece(Blob(0, 0, long, stout, turn=0.2), coat),
            painted(Blob(0.1 * long, 0.6 * stout, 0.7 * long, 0.5 * stout, turn=0.2), palette.light)]  # fmt: skip
    sketch.part("body", "root", (0, 0, 0), body, 10, drives=(("flap", "down", 0.015),))
    fan = float(rng.uniform(0.05, 0.1))
    points = [(0.0, 0.0), (-0.16, -fan), (-0.2, 0.0), (-0.16, fan)]
    sketch.part("tail", "body", (-0.85 * long, -0.2 * stout, 0), [Piece(Outline(moved(points, 0, 0), 0.015),
                Coat(palette.accent, palette.dark, "stripes", 0.09))], 8, mark=(-0.14, 0),
                drives=(("tail", "roll", 0.4),))  # fmt: skip
    for name, layer, along in (("near", 14, 0.0), ("far", 5, 0.12)):
        skin = coat if name == "near" else shaded(coat, palette.ink, 0.25)
        span, wide = float(rng.uniform(0.12, 0.13)), float(rng.uniform(0.05, 0.06))
        inner = [Piece(Blob(0, -0.5 * span, wide, 0.62 * span), skin)]
        sketch.part(f"{name}_wing", "body", (along * long, -0.35 * stout, 0), inner, layer, mark=(0, -0.6 * span),
                    rest=(0, 0, -0.5), drives=(("flap", "roll", 0.75),))  # fmt: skip
        outer = [Piece(Outline(moved([(0.6 * wide, 0.0), (-1.5 * wide, -1.4 * span), (-0.9 * wide, 0.0)], 0, 0), 0.02),
                       plain(mixed(palette.dark, skin.color, 0.2)))]  # fmt: skip
        sketch.part(f"{name}_tip", f"{name}_wing", (0, -0.95 * span, 0), outer, layer - 0.3, mark=(-wide, -0.9 * span),
                    rest=(0, 0, -0.4), drives=(("tip", "roll", 0.6),))  # fmt: skip
        leg = [bar(float(rng.uniform(0.06, 0.11)), 0.014, 0.011, plain((230, 150, 40)))]
        sketch.part(f"{name}_leg", "body", (along * long, 0.85 * stout, 0), leg, layer - 5, mark=(0, 0.05),
                    drives=(("step", "roll", 0.5 if name == "near" else -0.5),))  # fmt: skip
    _bird_head(sketch, rng, palette, coat, long, stout, size)
    return sketch.design()


def _bird_head(
    sketch: Sketch, rng: np.random.Generator, palette: Palette, coat: Coat, long: float, stout: float, size: float
) -> None:
    bill = float(rng.uniform(0.6, 1.6)) * size
    yellow = plain((245, 175, 50) if rng.random() < 0.6 else palette.extra)
    sketch.carrier("neck", "body", (0.7 * long, -0.75 * stout, 0), drives=(("nod", "roll", 0.3),))
    for name, side, drop in (("upper_bill", -1, 0.0), ("lower_bill", 1, 0.06)):
        points = [(0.0, side * 0.25 * size), (bill, drop * size), (0.0, 0.0)]
        sketch.part(name, "neck", (0.72 * size, -0.35 * size, 0), [Piece(Outline(moved(points, 0, 0), 0.008), yellow)],
                    11 if side > 0 else 12, mark=(0.7 * bill, 0.0),
                    drives=(("beak", "roll", 0.45 * side),))  # fmt: skip
    crest = [Piece(Blob(-0.25 * size * k - 0.1 * size, -1.35 * size + 0.12 * k * size, 0.12 * size, 0.4 * size,
                        turn=-0.4 * k),
                   plain(palette.extra)) for k in range(3)] if rng.random() < 0.6 else []  # fmt: skip
    skull = [*crest, Piece(Blob(0, -0.4 * size, size, size), coat),
             painted(Blob(0.45 * size, -0.3 * size, 0.5 * size, 0.5 * size), palette.light)]  # fmt: skip
    sketch.part("head", "neck", (0, 0, 0), skull, 13, mark=(0, -0.4 * size))
    beads = eye(0, 0, float(rng.uniform(0.2, 0.32)) * size, int(rng.integers(3)), palette.extra, 0.2)
    sketch.part("eye", "head", (0.3 * size, -0.6 * size, 0), beads, 16, drives=(("blink", "tall", -0.9),))


def build_fish(rng: np.random.Generator, palette: Palette) -> Design:
    """From the side; tail and fins beat."""
    sketch, coat = Sketch(), draw_coat(rng, palette, 0.05, 0.14)
    long, stout = float(rng.uniform(0.2, 0.3)), float(rng.uniform(0.11, 0.22))
    fins = Coat(palette.accent, palette.extra, "stripes" if rng.random() < 0.6 else "plain", 0.05)
    sketch.carrier("root", rest=(0, QUARTER, 0), drives=_SWIM)
    body = [Piece(Blob(0, 0, long, stout), coat),
            painted(Blob(0.1 * long, 0.75 * stout, 0.8 * long, 0.5 * stout), palette.light)]  # fmt: skip
    sketch.part("body", "root", (0, 0, 0), body, 10, drives=(("tail", "roll", -0.06),))
    sketch.part("stem", "body", (-0.75 * long, 0, 0), [Piece(Limb((0, 0), (-0.4 * long, 0), 0.5 * stout, 0.22 * stout),
                coat)], 9, mark=(-0.3 * long, 0), drives=(("tail", "yaw", 0.5), ("tail", "roll", 0.3)))  # fmt: skip
    fork = float(rng.uniform(0.6, 1.1)) * stout
    points = [(0.0, 0.0), (-0.45 * long, -fork), (-0.3 * long, 0.0), (-0.45 * long, fork)]
    sketch.part("tail", "stem", (-0.45 * long, 0, 0), [Piece(Outline(moved(points, 0, 0), 0.02), fins)], 8,
                mark=(-0.25 * long, 0), drives=(("fin", "yaw", 0.7), ("fin", "roll", 0.4)))  # fmt: skip
    sail = float(rng.uniform(0.4, 0.9)) * stout
    points = [(0.3 * long, 0.3 * stout), (-0.1 * long, -sail), (-0.45 * long, -0.6 * sail), (-0.3 * long, 0.3 * stout)]
    sketch.part("back_fin", "body", (0, -0.85 * stout, 0), [Piece(Outline(moved(points, 0, 0), 0.015), fins)], 7,
                mark=(-0.1 * long, -0.5 * sail), drives=(("flap", "roll", 0.12),))  # fmt: skip
    side = [Piece(Blob(-0.2 * long, 0.0, 0.26 * long, 0.25 * stout), fins)]
    sketch.part("side_fin", "body", (0.15 * long, 0.3 * stout, 0), side, 14, mark=(-0.25 * long, 0), rest=(0, 0, -0.4),
                drives=(("flap", "roll", 0.6),))  # fmt: skip
    lips = [Piece(Blob(0, 0, 0.055, 0.024), plain((232, 110, 112))), painted(Blob(0, 0, 0.035, 0.012), (90, 30, 40))]
    sketch.part("mouth", "body", (0.93 * long, 0.2 * stout, 0), lips, 15, drives=(("mouth", "tall", 1.0),))
    beads = eye(0, 0, float(rng.uniform(0.16, 0.26)) * stout, int(rng.integers(1, 3)), palette.extra, 0.2)
    sketch.part("eye", "body", (0.58 * long, -0.28 * stout, 0), beads, 16, drives=(("blink", "tall", -0.9),))
    return sketch.design()


def build_worm(rng: np.random.Generator, palette: Palette) -> Design:
    """A caterpillar of balls that follow each other."""
    sketch = Sketch()
    size, shrink = float(rng.uniform(0.075, 0.105)), float(rng.uniform(0.84, 0.97))
    step = float(rng.uniform(1.0, 1.3)) * size
    sketch.carrier("root", rest=(0, QUARTER, 0), drives=_SWIM)
    coat = draw_coat(rng, palette, 0.04, 0.1)
    other = Coat(palette.accent, palette.light, coat.pattern, coat.scale)
    is_mixed = rng.random() < 0.5
    parent, joint, ball = "root", (0.3, 0.0, 0.0), size
    for link in range(LINKS):
        skin = other if is_mixed and link % 2 else coat
        feet = [Piece(Limb((side * 0.4 * ball, 0.6 * ball), (side * 0.4 * ball, 1.15 * ball), 0.22 * ball, 0.18 * ball),
                      plain(palette.dark)) for side in (-1, 1)]  # fmt: skip
        name = f"link_{link}"
        sketch.part(name, parent, joint, [*feet, Piece(Blob(0, 0, 1.05 * ball, ball), skin)], 10 - link,
                    drives=((f"bend_{link}", "roll", 0.3), (f"bend_{link}", "tall", 0.08)))  # fmt: skip
        parent, joint, ball = name, (-step, 0.0, 0.0), ball * shrink
    head = 1.15 * size
    skull = [Piece(Blob(0, -0.3 * head, head, head), plain(palette.coat)),
             *(painted(Blob(x * head, 0.1 * head, 0.2 * head, 0.14 * head), (244, 140, 140)) for x in (-0.3, 0.8)),
             smile(0.3 * head, 0.15 * head, 0.35 * head, palette.ink)]  # fmt: skip
    sketch.part("head", "link_0", (0.75 * size, -0.5 * size, 0), skull, 14, mark=(0, -0.3 * head),
                drives=(("nod", "roll", 0.3),))  # fmt: skip
    for name, x in (("left_feeler", -0.3), ("right_feeler", 0.4)):
        rod = [Piece(Limb((0, 0), (0, -0.6 * head), 0.012, 0.009), plain(palette.dark)),
               Piece(Blob(0, -0.7 * head, 0.026, 0.026), plain(palette.extra))]  # fmt: skip
        sketch.part(name, "head", (x * head, -1.15 * head, 0), rod, 13, mark=(0, -0.7 * head), rest=(0, 0, 0.6 * x),
                    drives=(("nod", "roll", -0.5),))  # fmt: skip
    kind = int(rng.integers(3))
    for name, x in (("left_eye", -0.1), ("right_eye", 0.6)):
        beads = eye(0, 0, 0.24 * head, kind, palette.extra, 0.2)
        sketch.part(name, "head", (x * head, -0.5 * head, 0), beads, 16, drives=(("blink", "tall", -0.9),))
    return sketch.design()


def build_octopus(rng: np.random.Generator, palette: Palette) -> Design:
    """A head with arms that wave."""
    sketch, coat = Sketch(), draw_coat(rng, palette, 0.05, 0.14)
    size, tall = float(rng.uniform(0.14, 0.2)), float(rng.uniform(0.13, 0.2))
    sketch.carrier("root", drives=_FLOAT)
    thick, long = float(rng.uniform(0.032, 0.048)), float(rng.uniform(0.08, 0.12))
    for arm in range(ARMS):
        spread = 2 * arm / (ARMS - 1) - 1
        skin = coat if arm % 2 == 0 else Coat(mixed(coat.color, palette.ink, 0.16), coat.accent)
        parent, joint, lean = "root", (0.75 * spread * size, 0.75 * tall, 0.0), -0.75 * spread
        for place, share in enumerate((1.0, 0.85, 0.7)):
            name, end = f"arm_{arm}_{place}", 0.7 if place == 2 else 0.85
            piece = [bar(long * share, thick * share, thick * share * end, skin)]
            channel = f"arm_{arm}" if place == 0 else f"curl_{arm}"
            sketch.part(name, parent, joint, piece, 4 + (arm % 2) - 0.1 * place, mark=(0, 0.7 * long * share),
                        rest=(0, 0, lean), drives=((channel, "roll", 0.4 + 0.15 * place),))  # fmt: skip
            parent, joint, lean = name, (0.0, long * share, 0.0), 0.25 * spread
    skull = [Piece(Blob(0, 0, size, tall, power=float(rng.uniform(2, 2.6))), coat),
             *(painted(Blob(x * size, 0.4 * tall, 0.14 * size, 0.1 * tall), (244, 140, 150)) for x in (-0.68, 0.68)),
             smile(0, 0.45 * tall, 0.22 * size, palette.ink)]  # fmt: skip
    sketch.part("head", "root", (0, 0, 0), skull, 10, drives=(("pump", "tall", 0.1), ("pump", "wide", -0.06)))
    kind, big = int(rng.integers(3)), float(rng.uniform(0.14, 0.24)) * size
    for name, side in (("left_eye", 1), ("right_eye", -1)):
        sketch.part(name, "head", (side * 0.36 * size, 0.1 * tall, 0), eye(0, 0, big, kind, palette.extra), 16,
                    drives=(("blink", "tall", -0.9), ("turn", "right", 0.05 * size)))  # fmt: skip
    return sketch.design()
