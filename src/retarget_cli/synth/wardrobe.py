"""Random people and random clothes."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.outfit import Color, Face, HairStyle, Outfit, Pattern
from retarget_cli.synth.phenotype import Phenotype, betas_of

# From light to dark; a person's own skin lies between two neighbours.
SKINS: tuple[Color, ...] = (
    (244, 208, 184), (232, 190, 160), (216, 168, 134), (192, 142, 106), (160, 110, 78), (122, 80, 56), (90, 58, 42),
)  # fmt: skip
HAIRS: tuple[Color, ...] = (
    (26, 22, 22), (44, 32, 28), (70, 48, 34), (104, 70, 42), (150, 106, 58), (198, 162, 102), (142, 66, 34),
)  # fmt: skip
GRAY: Color = (186, 184, 180)
IRISES: tuple[Color, ...] = ((58, 40, 30), (84, 58, 36), (70, 92, 110), (74, 100, 74), (52, 44, 40))
PATTERNS: tuple[Pattern, ...] = ("plain", "stripes", "upright", "checks", "dots", "print", "block")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody: where the body comes from, its betas (27,), and the face."""

    phenotype: Phenotype
    betas: FloatArray
    face: Face


def draw_person(rng: np.random.Generator) -> Person:
    """Children, grown-ups and old people, thin and stout, women and men."""
    sex = "female" if rng.random() < 0.5 else "male"
    youngest, oldest = ((6, 13), (13, 20), (20, 60), (60, 84))[int(rng.choice(4, p=[0.14, 0.12, 0.58, 0.16]))]
    years = float(rng.uniform(youngest, oldest))
    heavy = float(np.clip(rng.normal(0.15, 0.8), -1.0, 2.1 if years > 14 else 1.0))
    phenotype = Phenotype("female" if sex == "female" else "male", years, float(rng.normal(0, 0.9)), heavy)
    noise = rng.standard_normal(27).clip(-2, 2).astype(np.float32)
    return Person(phenotype, betas_of(phenotype, noise), draw_face(rng, phenotype))


def draw_face(rng: np.random.Generator, who: Phenotype) -> Face:
    """Skin, eyes and hair that go with age and sex."""
    tone = float(rng.uniform(0, len(SKINS) - 1))
    skin = _between(SKINS[int(tone)], SKINS[min(int(tone) + 1, len(SKINS) - 1)], tone % 1)
    hair = HAIRS[int(rng.integers(0, len(HAIRS) if tone < 3 else 3))]
    if who.years > 50:
        hair = _between(hair, GRAY, float(np.clip((who.years - 50) / 22 + rng.normal(0, 0.2), 0, 1)))
    iris = IRISES[int(rng.integers(0, len(IRISES) if tone < 3 else 2))]
    is_man = who.sex == "male" and who.years > 17
    red = _between(skin, (186, 74, 74), 0.35)
    return Face(
        skin=skin,
        hair=hair,
        iris=iris,
        lips=_between(red, (176, 40, 58), 0.5) if who.sex == "female" and rng.random() < 0.4 else red,
        style=_style(rng, who),
        brow=float(rng.uniform(0.7, 1.1) + (0.25 if is_man else 0)),
        beard=int(rng.choice(3, p=[0.62, 0.2, 0.18])) if is_man else 0,
        age=float(np.clip((who.years - 35) / 40, 0, 1)),
        forehead=float(rng.uniform(0.046, 0.064) + (0.012 * np.clip((who.years - 30) / 40, 0, 1) if is_man else 0)),
        has_glasses=bool(rng.random() < (0.14 if who.years < 50 else 0.35)),
    )


def _style(rng: np.random.Generator, who: Phenotype) -> HairStyle:
    if who.sex == "female":
        shares: dict[HairStyle, float] = {"bob": 0.34, "ponytail": 0.24, "bun": 0.16, "long": 0.14, "short": 0.12}
    elif who.years > 35:
        shares = {"short": 0.4, "cropped": 0.35, "bald": 0.25}
    else:
        shares = {"short": 0.56, "cropped": 0.3, "long": 0.09, "bald": 0.05 if who.years > 20 else 0.0}
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(shares), p=weights / weights.sum()))]


def draw_outfit(rng: np.random.Generator, who: Person) -> Outfit:
    """Top, trousers, shorts or a skirt, sometimes a jacket, shoes."""
    # Cloth of the skin's colour would look like none.
    top, bottom = (_apart(rng, who.face.skin) for _ in range(2))
    shoes = draw_color(rng)
    accent = _apart(rng, top)
    outfit = Outfit(
        top=top,
        top_accent=accent,
        pattern=PATTERNS[int(rng.integers(0, len(PATTERNS)))],
        sleeve=float(rng.choice([0.3, 0.55, 0.75, 1.35, 1.93], p=[0.12, 0.28, 0.18, 0.1, 0.32])),
        looseness=float(rng.uniform(0.6, 1.5)),
        bottom=bottom if rng.random() < 0.5 else _denim(rng),
        bottom_accent=_apart(rng, bottom),
        bottom_pattern="plain",
        leg=float(rng.choice([0.5, 0.85, 1.2, 1.6, 1.94], p=[0.12, 0.2, 0.08, 0.08, 0.52])),
        shoes=shoes if rng.random() < 0.5 else (232, 230, 226),
        sole=(226, 224, 220) if rng.random() < 0.5 else _apart(rng, shoes),
        socks=(236, 236, 234) if rng.random() < 0.4 else None,
        scale=float(rng.uniform(0.8, 1.6)),
    )
    if rng.random() < 0.25:
        outfit = replace(outfit, bottom_pattern=("upright", "checks", "stripes")[int(rng.integers(0, 3))])
    if who.phenotype.sex == "female" and rng.random() < 0.5:
        outfit = _skirted(rng, outfit)
    if rng.random() < 0.3:
        outfit = replace(outfit, jacket=_apart(rng, top), jacket_sleeve=float(rng.choice([1.3, 1.94], p=[0.2, 0.8])))
    return outfit


def _skirted(rng: np.random.Generator, outfit: Outfit) -> Outfit:
    pattern: Pattern = ("plain", "plain", "checks", "dots", "stripes", "upright")[int(rng.integers(0, 6))]
    under = float(rng.choice([0.3, 1.9], p=[0.75, 0.25]))
    skirted = replace(
        outfit,
        skirt=float(rng.uniform(0.55, 1.55)),
        flare=float(rng.uniform(0.1, 0.9)),
        leg=under,
        bottom_pattern=pattern,
    )
    if rng.random() < 0.3:  # a dress: top and skirt of one cloth
        same: Pattern = outfit.pattern if outfit.pattern not in {"print", "block"} else "plain"
        skirted = replace(
            skirted, bottom=outfit.top, bottom_accent=outfit.top_accent, bottom_pattern=same, pattern=same
        )
    return skirted


def draw_color(rng: np.random.Generator) -> Color:
    """Any colour of cloth: gray ones and loud ones, few that are very dark or very light."""
    saturation = float(rng.beta(1.3, 1.4)) * 0.9
    return _color(float(rng.random()), saturation, float(rng.uniform(0.18, 0.95)))


def _apart(rng: np.random.Generator, other: Color) -> Color:
    """A colour that can be told from another."""
    for _ in range(8):
        color = draw_color(rng)
        if sum(abs(a - b) for a, b in zip(color, other, strict=True)) > 150:
            return color
    return (240, 240, 236) if sum(other) < 380 else (40, 42, 48)


def _denim(rng: np.random.Generator) -> Color:
    return _color(float(rng.uniform(0.58, 0.64)), float(rng.uniform(0.15, 0.5)), float(rng.uniform(0.2, 0.55)))


def _color(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue


def _between(first: Color, second: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
