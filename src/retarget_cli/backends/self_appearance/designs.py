"""The networks' forms, from the words that weights carry about them."""

from __future__ import annotations

from retarget_cli.backends.self_appearance.appearance import AppearanceDesign
from retarget_cli.backends.self_appearance.articulated import ArticulatedDesign
from retarget_cli.backends.self_appearance.dense_motion import MotionDesign
from retarget_cli.backends.self_appearance.evolution import EvolutionOptions
from retarget_cli.backends.self_appearance.first_order import FirstOrderDesign
from retarget_cli.backends.self_appearance.generator import GeneratorDesign
from retarget_cli.backends.self_appearance.initial_motion import KINDS, Kind
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign
from retarget_cli.backends.self_appearance.model import SelfAppearanceDesign
from retarget_cli.backends.self_appearance.options import (
    ALIGN,
    APPEARANCE,
    AVD,
    BACKGROUND,
    CONTEXT,
    INITIAL,
    JACOBIANS,
    KEYPOINTS,
    MOST,
    NO,
    ON,
    WIDTH,
    YES,
    Words,
)
from retarget_cli.backends.self_appearance.sampling import ARTICULATED_ALIGN_CORNERS, FIRST_ORDER_ALIGN_CORNERS

# Generators have half as many channels at most as hourglasses have.
_SHARE = 2


def first_order_design(words: Words) -> tuple[FirstOrderDesign, bool]:
    """The form that words tell, as published where they are silent; and how pictures are read.

    Raises:
        ValueError: they tell nonsense.
    """
    count = _number(words, KEYPOINTS, 10)
    design = FirstOrderDesign(
        _detector(words, _number(words, JACOBIANS, count)), _motion(words, "first-order"), _generator(words)
    )
    return design, _is_so(words, ALIGN, FIRST_ORDER_ALIGN_CORNERS)


def articulated_design(words: Words) -> tuple[ArticulatedDesign, bool]:
    """As `first_order_design`."""
    design = ArticulatedDesign(
        _detector(words, 0),
        _motion(words, "articulated"),
        _generator(words),
        _is_so(words, AVD, False),
        _is_so(words, BACKGROUND, True),
    )
    return design, _is_so(words, ALIGN, ARTICULATED_ALIGN_CORNERS)


def self_appearance_design(words: Words, evolution: EvolutionOptions) -> tuple[SelfAppearanceDesign, bool]:
    """As `first_order_design`."""
    kind: Kind | None = next((each for each in KINDS if each == words.get(INITIAL, KINDS[0])), None)
    if kind is None:
        raise ValueError(f"{INITIAL}={words[INITIAL]}, expected one of {', '.join(KINDS)}")
    count = _number(words, KEYPOINTS, 10)
    most = _number(words, MOST, 1024) // 4
    design = SelfAppearanceDesign(
        _detector(words, count if kind == "first-order" else 0),
        # The paper has none; the generator of articulated animation needs it.
        _motion(words, kind, has_occlusion=kind == "articulated"),
        _generator(words),
        evolution,
        AppearanceDesign(_number(words, WIDTH, 64) // 2, most=most) if words.get(APPEARANCE, ON) == ON else None,
        _is_so(words, CONTEXT, False),
    )
    return design, _is_so(words, ALIGN, True)


def _detector(words: Words, jacobians: int) -> DetectorDesign:
    count, width = _number(words, KEYPOINTS, 10), _number(words, WIDTH, 64)
    return DetectorDesign(count, width // 2, most=_number(words, MOST, 1024), jacobians=jacobians)


def _motion(words: Words, kind: Kind, has_occlusion: bool = True) -> MotionDesign:
    count, width = _number(words, KEYPOINTS, 10), _number(words, WIDTH, 64)
    return MotionDesign(kind, count, width, most=_number(words, MOST, 1024), has_occlusion=has_occlusion)


def _generator(words: Words) -> GeneratorDesign:
    return GeneratorDesign(_number(words, WIDTH, 64), _number(words, MOST, 1024) // _SHARE)


def _number(words: Words, name: str, usual: int) -> int:
    text = words.get(name, str(usual))
    if not text.isdecimal() or not 0 < int(text) <= 4096:
        raise ValueError(f"{name}={text[:20]}, expected a number")
    return int(text)


def _is_so(words: Words, name: str, usual: bool) -> bool:
    text = words.get(name, YES if usual else NO)
    if text not in (YES, NO):
        raise ValueError(f"{name}={text[:20]}, expected yes or no")
    return text == YES
