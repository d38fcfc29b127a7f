"""A flat toy while it is being thought up: parts are added one by one, each with its layer and its point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retarget_cli.synth.outfit import Color
from retarget_cli.synth.toys.flat import Design
from retarget_cli.synth.toys.paint import PATTERNS, Coat, Pattern, Piece
from retarget_cli.synth.toys.palette import Palette, mixed
from retarget_cli.synth.toys.rig import Drive, Place
from retarget_cli.synth.toys.shapes import Blob, Crescent, Limb, Outline, Point, Shape
from retarget_cli.synth.toys.skeleton import Skeleton
from retarget_cli.synth.toys.toy import Mark


class Sketch(Skeleton):
    """Collects parts; `design` is what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: dict[str, Sequence[Piece]] = {}
        self._layers: dict[str, float] = {}

    def part(
        self, name: str, parent: str, joint: Place, pieces: Sequence[Piece], layer: float, *,
        mark: Point = (0, 0), rest: Place = (0, 0, 0), drives: tuple[Drive, ...] = (),
    ) -> None:  # fmt: skip
        """A bone with pieces; a higher layer is nearer. `mark` is the point that bears its name."""
        self.carrier(name, parent, joint, rest, drives)
        self._pieces[name], self._layers[name] = pieces, layer
        self._marks.append(Mark(name, name, (*mark, 0.0)))

    def design(self) -> Design:
        """All of it."""
        order = tuple(sorted(self._layers, key=self._layers.__getitem__))
        return Design(tuple(self._bones), dict(self._pieces), order, tuple(self._marks))


def plain(color: Color) -> Coat:
    """One colour."""
    return Coat(color, color)


def painted(shape: Shape, color: Color, *, has_line: bool = False) -> Piece:
    """A detail on what is there."""
    return Piece(shape, plain(color), is_inside=True, has_line=has_line)


def shaded(coat: Coat, ink: Color, share: float) -> Coat:
    """The same without its pattern, in the shade: for limbs on the far side."""
    return Coat(mixed(coat.color, ink, share), mixed(coat.accent, ink, share))


def draw_coat(rng: np.random.Generator, palette: Palette, small: float = 0.07, large: float = 0.2) -> Coat:
    """The palette's coat in some pattern, often none."""
    pattern: Pattern = "plain" if rng.random() < 0.3 else PATTERNS[int(rng.integers(1, len(PATTERNS)))]
    return Coat(palette.coat, palette.accent, pattern, float(rng.uniform(small, large)), int(rng.integers(1000)))


def bar(length: float, first: float, last: float, coat: Coat) -> Piece:
    """A limb that hangs down from its joint."""
    return Piece(Limb((0, 0), (0, length), first, last), coat)


def eye(x: float, y: float, size: float, kind: int, iris: Color, look: float = 0.0) -> list[Piece]:
    """An eye: 0 a bead, 1 a white with a pupil, 2 a white with an iris."""
    shine = Piece(Blob(x - 0.3 * size, y - 0.35 * size, 0.3 * size, 0.3 * size), plain((255, 255, 255)), True, False)
    if kind == 0:
        return [Piece(Blob(x, y, 0.8 * size, size), plain((28, 22, 26)), has_line=False), shine]
    white = Piece(Blob(x, y, size, 1.15 * size), plain((252, 252, 248)))
    dot = painted(Blob(x + look * size, y + 0.1 * size, 0.48 * size, 0.55 * size), (22, 20, 26))
    ring = painted(Blob(x + look * size, y + 0.1 * size, 0.68 * size, 0.75 * size), iris)
    return [white, *([ring] if kind == 2 else []), dot, shine]


def smile(x: float, y: float, wide: float, ink: Color, rise: float = 0.4) -> Piece:
    """A line that smiles."""
    return painted(Crescent(x, y, wide, rise * wide, 0.13 * wide), ink)


def lips(wide: float, thin: float) -> Shape:
    """A mouth that is a smiling line when it is shut, and a wide laugh when it is made taller."""
    across = np.linspace(-1, 1, 9)
    above = [(float(x) * wide, float(-1.1 * thin * x**2)) for x in across]
    below = [(float(x) * wide, float(thin * (1.4 - 2.5 * x**2))) for x in across[::-1][1:-1]]
    return Outline((*above, *below), 0.15 * thin)
