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
    PUBLISHED,
    RESOLUTION,
    SIDES,
    WIDTH,
)
from retarget_cli.backends.self_appearance.sampling import ARTICULATED_ALIGN_CORNERS, FIRST_ORDER_ALIGN_CORNERS
from retarget_cli.backends.words import NO, ON, YES, Words, choice, is_so, number, yes_or_no

# Generators have half as many channels at most as hourglasses have.
_SHARE = 2
# Beyond it nothing fits into a machine; a file that tells of more is damaged.
_MOST = 4096


def first_order_design(words: Words) -> tuple[FirstOrderDesign, bool]:
    """The form that words tell, as published where they are silent; and how pictures are read.

    Raises:
        ValueError: they tell nonsense.
    """
    words = {**PUBLISHED, ALIGN: yes_or_no(FIRST_ORDER_ALIGN_CORNERS), **words}
    count = _count(words, KEYPOINTS)
    design = FirstOrderDesign(
        _detector(words, _count(words, JACOBIANS) if JACOBIANS in words else count),
        _motion(words, "first-order"),
        _generator(words),
    )
    return design, _is_aligned(words)


def articulated_design(words: Words) -> tuple[ArticulatedDesign, bool]:
    """As `first_order_design`."""
    usual = {ALIGN: yes_or_no(ARTICULATED_ALIGN_CORNERS), AVD: NO, BACKGROUND: YES}
    words = {**PUBLISHED, **usual, **words}
    design = ArticulatedDesign(
        _detector(words, 0),
        _motion(words, "articulated"),
        _generator(words),
        is_so(words, AVD),
        is_so(words, BACKGROUND),
    )
    return design, _is_aligned(words)


def self_appearance_design(words: Words, evolution: EvolutionOptions) -> tuple[SelfAppearanceDesign, bool]:
    """As `first_order_design`."""
    words = {**PUBLISHED, ALIGN: YES, INITIAL: KINDS[0], CONTEXT: NO, APPEARANCE: ON, **words}
    kind = choice(words, INITIAL, KINDS)
    design = SelfAppearanceDesign(
        _detector(words, _count(words, KEYPOINTS) if kind == "first-order" else 0),
        # The paper has none; the generator of articulated animation needs it.
        _motion(words, kind, has_occlusion=kind == "articulated"),
        _generator(words),
        evolution,
        _appearance(words) if words[APPEARANCE] == ON else None,
        is_so(words, CONTEXT),
    )
    return design, _is_aligned(words)


def _is_aligned(words: Words) -> bool:
    """How pictures are read, of a size that there can be."""
    number(words, RESOLUTION, *SIDES)
    return is_so(words, ALIGN)


def _count(words: Words, name: str) -> int:
    return number(words, name, 1, _MOST)


def _detector(words: Words, jacobians: int) -> DetectorDesign:
    return DetectorDesign(
        _count(words, KEYPOINTS), _count(words, WIDTH) // 2, most=_count(words, MOST), jacobians=jacobians
    )


def _motion(words: Words, kind: Kind, has_occlusion: bool = True) -> MotionDesign:
    return MotionDesign(
        kind, _count(words, KEYPOINTS), _count(words, WIDTH), most=_count(words, MOST), has_occlusion=has_occlusion
    )


def _generator(words: Words) -> GeneratorDesign:
    return GeneratorDesign(_count(words, WIDTH), _count(words, MOST) // _SHARE)


def _appearance(words: Words) -> AppearanceDesign:
    return AppearanceDesign(_count(words, WIDTH) // 2, most=_count(words, MOST) // 4)
