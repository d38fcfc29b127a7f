"""Colours that go together."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from retarget_cli.synth.outfit import Color


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a toy.

    Attributes:
        coat, accent: most of it, and its pattern.
        light, dark: belly and muzzle; feet and horns.
        extra: hats, scarfs, buttons.
        ink: outlines.
    """

    coat: Color
    accent: Color
    light: Color
    dark: Color
    extra: Color
    ink: Color


def hsv(hue: float, saturation: float, value: float) -> Color:
    """RGB of a hue in turns."""
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))
    return red, green, blue


def mixed(first: Color, second: Color, share: float) -> Color:
    """A colour between two."""
    red, green, blue = (round((1 - share) * a + share * b) for a, b in zip(first, second, strict=True))
    return red, green, blue


def draw_palette(rng: np.random.Generator) -> Palette:
    """Fur, bright paint or pastel, with a related accent."""
    manner = rng.choice(3, p=(0.35, 0.4, 0.25))
    if manner == 0:  # fur: browns, creams, grays
        hue, saturation, value = rng.uniform(0.03, 0.13), rng.uniform(0.1, 0.65), rng.uniform(0.4, 0.95)
    elif manner == 1:
        hue, saturation, value = rng.random(), rng.uniform(0.6, 0.92), rng.uniform(0.7, 0.98)
    else:
        hue, saturation, value = rng.random(), rng.uniform(0.25, 0.5), rng.uniform(0.85, 1)
    away = rng.choice([0.04, -0.05, 0.33, 0.5, 0.42])
    darker = value > 0.55
    coat = hsv(hue, saturation, value)
    accent = hsv(hue + away, min(1.0, saturation + 0.1), value * 0.6 if darker else min(1.0, value + 0.35))
    return Palette(
        coat,
        accent,
        mixed(coat, (255, 250, 238), float(rng.uniform(0.55, 0.85))),
        mixed(coat, (40, 32, 36), float(rng.uniform(0.4, 0.7))),
        hsv(hue + rng.uniform(0.3, 0.7), rng.uniform(0.6, 0.95), rng.uniform(0.7, 1)),
        mixed(coat, (24, 18, 26), float(rng.uniform(0.7, 0.95))),
    )
