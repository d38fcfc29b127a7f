"""What a person looks like, apart from the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Color = tuple[int, int, int]
Pattern = Literal["plain", "stripes", "upright", "checks", "dots", "print", "block"]
HairStyle = Literal["bald", "cropped", "short", "long", "bob", "ponytail", "bun"]


@dataclass(frozen=True, slots=True)
class Face:
    """Colours are RGB.

    Attributes:
        skin, hair, iris, lips: colours.
        style: of the hair; `long` reaches the neck, `bob` and `ponytail` hang free.
        brow: thickness, about 1.
        beard: 0 none, 1 stubble, 2 full.
        age: 0 young skin, 1 lines.
        has_glasses: a frame around the eyes.
        forehead: from the eyes up to the hairline, metres of an adult's face.
    """

    skin: Color = (224, 178, 150)
    hair: Color = (58, 40, 32)
    iris: Color = (70, 92, 110)
    lips: Color = (176, 92, 88)
    style: HairStyle = "short"
    brow: float = 1.0
    beard: int = 0
    age: float = 0.0
    has_glasses: bool = False
    forehead: float = 0.056

    @property
    def has_nape(self) -> bool:
        """Whether hair covers the back of the neck."""
        return self.style in {"long", "bob"}


@dataclass(frozen=True, slots=True)
class Outfit:
    """Colours are RGB, lengths are shares.

    Attributes:
        top, top_accent: two colours of the upper garment.
        pattern: how the accent lies on the top.
        sleeve: 0.5 ends half way down the upper arm, 2 at the wrist (1 is the elbow).
        looseness: of top and trousers, about 1.
        bottom, bottom_accent: colours of shorts, trousers or skirt.
        bottom_pattern: of these.
        leg: 0.5 ends half way down the thigh, 2 at the ankle (1 is the knee).
        shoes, sole, socks: colours; no socks are worn where `socks` is None.
        skirt: length as `leg`; 0 is no skirt. Legs under it are covered down to `leg`, if at all.
        flare: how much wider the skirt's hem is than the hips, as a share of its length.
        jacket: colour of an open jacket over the top, or None.
        jacket_sleeve: as `sleeve`.
        scale: of the patterns, about 1.
    """

    top: Color = (236, 236, 228)
    top_accent: Color = (42, 74, 140)
    pattern: Pattern = "stripes"
    sleeve: float = 0.6
    looseness: float = 1.0
    bottom: Color = (60, 66, 78)
    bottom_accent: Color = (48, 54, 66)
    bottom_pattern: Pattern = "plain"
    leg: float = 2.0
    shoes: Color = (228, 228, 224)
    sole: Color = (120, 120, 120)
    socks: Color | None = None
    skirt: float = 0.0
    flare: float = 0.3
    jacket: Color | None = None
    jacket_sleeve: float = 1.95
    scale: float = 1.0


SAILOR_FACE = Face()
SAILOR = Outfit()
RUNNER_FACE = Face(skin=(150, 104, 78), hair=(24, 20, 20), iris=(60, 44, 36), lips=(140, 74, 70))
RUNNER = Outfit(
    top=(204, 62, 52),
    top_accent=(246, 214, 96),
    pattern="print",
    sleeve=0.55,
    bottom=(38, 44, 62),
    leg=0.85,
    shoes=(240, 240, 240),
    sole=(40, 120, 150),
)
