"""What can be said about the backends of this family, and the networks' designs that weights carry as words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retarget_cli.backends.self_appearance.appearance import AppearanceDesign
from retarget_cli.backends.self_appearance.articulated import ArticulatedDesign
from retarget_cli.backends.self_appearance.dense_motion import MotionDesign
from retarget_cli.backends.self_appearance.evolution import SOLVERS, EvolutionOptions, Solver
from retarget_cli.backends.self_appearance.first_order import FirstOrderDesign
from retarget_cli.backends.self_appearance.generator import GeneratorDesign
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign
from retarget_cli.backends.self_appearance.model import SelfAppearanceDesign
from retarget_cli.backends.self_appearance.sampling import ARTICULATED_ALIGN_CORNERS, FIRST_ORDER_ALIGN_CORNERS
from retarget_cli.core.errors import UsageError, WeightsError

BASE, NONE, AUTO = "base", "none", "auto"
YES, NO = "yes", "no"
LEAST, MOST = 64, 1024
KEYPOINTS, JACOBIANS, ALIGN, AVD, WIDTH = "keypoints", "jacobian_maps", "align_corners", "avd", "width"

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FamilyOptions:
    """Options that all backends of the family have."""

    weights: str = BASE
    """a weights file, a run of `retarget train`, or the name of an imported file; base: those that come along; none:
    untrained"""

    resolution: int = 256
    """the network's pictures have about resolution x resolution pixels, 64 to 1024"""

    def __post_init__(self) -> None:
        if not LEAST <= self.resolution <= MOST:
            raise UsageError(f"--set resolution={self.resolution}: out of bounds", f"{LEAST} to {MOST}")


@dataclass(frozen=True, slots=True)
class FirstOrderOptions(FamilyOptions):
    """Options of the first order model."""


@dataclass(frozen=True, slots=True)
class ArticulatedOptions(FamilyOptions):
    """Options of articulated animation."""

    animation: str = AUTO
    """how another's motion is taken over: relative, by each region's movement; avd, by the network that tells pose from
    identity; auto: avd where the weights have it"""

    def __post_init__(self) -> None:
        FamilyOptions.__post_init__(self)
        if self.animation not in (AUTO, "relative", AVD):
            raise UsageError(f"--set animation={self.animation}: expected auto, relative or avd")


@dataclass(frozen=True, slots=True)
class SelfAppearanceOptions(FamilyOptions):
    """Options of self-appearance."""

    evolution: str = "rk4"
    """solver of eq. 4: off, euler, midpoint, rk4, dopri5"""

    evolution_steps: int = 4
    """of a solver with fixed steps, 1 to 64"""

    appearance: bool = True
    """borrow what the motion leaves missing (eq. 5)"""

    references: int = 3
    """further pictures of the source that are used at most (eq. 6), 0 to 7"""

    def __post_init__(self) -> None:
        FamilyOptions.__post_init__(self)
        self.solving()
        if not 0 <= self.references <= 7:
            raise UsageError(f"--set references={self.references}: out of bounds", "0 to 7")

    def solving(self) -> EvolutionOptions:
        """How eq. 4 is integrated."""
        solver: Solver | None = next((each for each in SOLVERS if each == self.evolution), None)
        if solver is None:
            raise UsageError(f"--set evolution={self.evolution}: expected one of {', '.join(SOLVERS)}")
        return EvolutionOptions(solver, self.evolution_steps)


def first_order_design(words: Words) -> tuple[FirstOrderDesign, bool]:
    """The form that a label tells, as published where it is silent; and how pictures are read.

    Raises:
        WeightsError: it tells nonsense.
    """
    count, width = _number(words, KEYPOINTS, 10), _number(words, WIDTH, 64)
    jacobians = _number(words, JACOBIANS, count)
    design = FirstOrderDesign(
        DetectorDesign(count, width // 2, jacobians=jacobians),
        MotionDesign(count=count, width=width),
        GeneratorDesign(width),
    )
    return design, _is_so(words, ALIGN, FIRST_ORDER_ALIGN_CORNERS)


def articulated_design(words: Words) -> tuple[ArticulatedDesign, bool]:
    """As `first_order_design`."""
    count, width = _number(words, KEYPOINTS, 10), _number(words, WIDTH, 64)
    design = ArticulatedDesign(
        DetectorDesign(count, width // 2, jacobians=0),
        MotionDesign("articulated", count, width),
        GeneratorDesign(width),
        _is_so(words, AVD, False),
    )
    return design, _is_so(words, ALIGN, ARTICULATED_ALIGN_CORNERS)


def self_appearance_design(words: Words, options: SelfAppearanceOptions) -> tuple[SelfAppearanceDesign, bool]:
    """As `first_order_design`; what options leave out is not used, though weights have it."""
    count, width = _number(words, KEYPOINTS, 10), _number(words, WIDTH, 64)
    design = SelfAppearanceDesign(
        DetectorDesign(count, width // 2, jacobians=0),
        MotionDesign("displacements", count, width, has_occlusion=False),
        GeneratorDesign(width),
        options.solving(),
        AppearanceDesign(width // 2) if options.appearance else None,
    )
    return design, _is_so(words, ALIGN, True)


def _number(words: Words, name: str, usual: int) -> int:
    text = words.get(name, str(usual))
    if not text.isdecimal() or not 0 <= int(text) <= 4096:
        raise WeightsError(f"the weights' design has {name}={text}, expected a number", "make them again")
    return int(text)


def _is_so(words: Words, name: str, usual: bool) -> bool:
    text = words.get(name, YES if usual else NO)
    if text not in (YES, NO):
        raise WeightsError(f"the weights' design has {name}={text}, expected yes or no", "make them again")
    return text == YES
