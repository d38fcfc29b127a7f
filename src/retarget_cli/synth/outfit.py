"""What a person looks like, apart from the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Outfit:
    """Colours are RGB, lengths are shares.

    Attributes:
        skin, hair, iris, lips: of the person.
        has_long_hair: down to the neck.
        top, top_accent: two colours of the upper garment.
        pattern: how the accent lies on the top.
        sleeve: 0.5 ends half way down the upper arm, 2 at the wrist (1 is the elbow).
        bottom: colour of shorts or trousers.
        leg: 0.5 ends half way down the thigh, 2 at the ankle (1 is the knee).
        shoes, sole: colours.
    """

    skin: Color = (224, 178, 150)
    hair: Color = (58, 40, 32)
    iris: Color = (70, 92, 110)
    lips: Color = (176, 92, 88)
    has_long_hair: bool = False
    top: Color = (236, 236, 228)
    top_accent: Color = (42, 74, 140)
    pattern: Literal["plain", "stripes", "checks", "print"] = "stripes"
    sleeve: float = 0.6
    bottom: Color = (60, 66, 78)
    leg: float = 2.0
    shoes: Color = (228, 228, 224)
    sole: Color = (120, 120, 120)


SAILOR = Outfit()
RUNNER = Outfit(
    skin=(150, 104, 78),
    hair=(24, 20, 20),
    iris=(60, 44, 36),
    lips=(140, 74, 70),
    top=(204, 62, 52),
    top_accent=(246, 214, 96),
    pattern="print",
    sleeve=0.55,
    bottom=(38, 44, 62),
    leg=0.85,
    shoes=(240, 240, 240),
    sole=(40, 120, 150),
)
