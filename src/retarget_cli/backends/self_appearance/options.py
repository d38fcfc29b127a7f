"""What can be said about the backends of this family, and the networks' designs that weights carry as words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from retarget_cli.backends.designed import DesignedOptions
from retarget_cli.backends.self_appearance.evolution import SOLVERS, EvolutionOptions, Solver
from retarget_cli.backends.self_appearance.initial_motion import KINDS
from retarget_cli.backends.words import (
    AUTO,
    FULL,
    HALF,
    NO,
    OFF,
    ON,
    YES,
    Words,
    among,
    at_least,
    spoken,
    within,
)
from retarget_cli.core.errors import UsageError

STILL, MOVES = "still", "moves"
KEYPOINTS, WIDTH, MOST, RESOLUTION = "keypoints", "width", "most", "resolution"
JACOBIANS, ALIGN, AVD, BACKGROUND = "jacobian_maps", "align_corners", "avd", "background"
INITIAL, EVOLUTION, CONTEXT, APPEARANCE = "initial", "evolution", "context", "appearance"

SIDES = (32, 1024)
"""Bounds of the network's pictures, pixels."""
PUBLISHED: Words = {KEYPOINTS: "10", WIDTH: "64", MOST: "1024", RESOLUTION: "256"}


@dataclass(frozen=True, slots=True)
class FamilyOptions(DesignedOptions):
    """Options that all backends of the family have."""

    free: ClassVar[tuple[str, ...]] = (RESOLUTION, EVOLUTION)

    resolution: int = 0
    """the network's pictures have about resolution x resolution pixels, 32 to 1024; 0: as the weights have it, 256
    without any"""

    keypoints: int = 0
    """keypoints or regions; 0: as the weights have it, 10 as published without any"""

    width: int = 0
    """channels of the generator at full size; 0: as the weights have it, 64 as published without any"""

    most: int = 0
    """channels at most where pictures are smallest; 0: as the weights have it, 1024 as published without any"""

    adversarial: float = 0.0
    """weight in training of an opponent that is told the keypoints; 0, none, as most published weights"""

    precision: str = FULL
    """in which pictures are made: fp32; bf16, faster where the processor has it, and off by about one of 255 levels.
    Keypoints and motions are always in fp32; training goes its own way"""

    def __post_init__(self) -> None:
        among("precision", self.precision, (FULL, HALF))
        if self.resolution and not SIDES[0] <= self.resolution <= SIDES[1]:
            raise UsageError(
                f"--set resolution={self.resolution}: out of bounds",
                f"{SIDES[0]} to {SIDES[1]}, or 0 for the weights' own",
            )
        for name, value in ((KEYPOINTS, self.keypoints), (WIDTH, self.width), (MOST, self.most)):
            if value < 0 or value > 4096 or (name == WIDTH and value % 2):
                raise UsageError(f"--set {name}={value}: out of bounds", "0, or a number above it; widths are even")
        at_least("adversarial", self.adversarial, 0)

    def said(self) -> dict[str, str]:
        """See `DesignedOptions`."""
        return spoken({
            KEYPOINTS: self.keypoints, WIDTH: self.width, MOST: self.most, RESOLUTION: self.resolution,
        })  # fmt: skip

    def usual(self) -> Words:
        """See `DesignedOptions`: as published."""
        return PUBLISHED


@dataclass(frozen=True, slots=True)
class FirstOrderOptions(FamilyOptions):
    """Options of the first order model."""


@dataclass(frozen=True, slots=True)
class ArticulatedOptions(FamilyOptions):
    """Options of articulated animation."""

    animation: str = AUTO
    """how another's motion is taken over: relative, by each region's movement; avd, by the network that tells pose from
    identity; auto: avd where the weights have it"""

    camera: str = STILL
    """the background: still, as in animations; moves, as the driving clip's does, by the background predictor: for
    reconstruction, where source and driving frames are of one clip"""

    def __post_init__(self) -> None:
        FamilyOptions.__post_init__(self)
        among("animation", self.animation, (AUTO, "relative", AVD))
        among("camera", self.camera, (STILL, MOVES))


@dataclass(frozen=True, slots=True)
class SelfAppearanceOptions(FamilyOptions):
    """Options of self-appearance."""

    initial: str = AUTO
    """the first guess of the motion (eq. 2): displacements, first-order, articulated; auto: as the weights have it,
    displacements without any"""

    evolution: str = AUTO
    """solver of eq. 4: off, euler, midpoint, rk4, dopri5; auto: as the weights have it, rk4 without any"""

    context: str = AUTO
    """beside motion and time F_E sees the features that the first motion was read from: yes; no, eq. 4 to the letter;
    auto: as the weights have it, no without any"""

    evolution_steps: int = 4
    """of a solver with fixed steps, 1 to 64"""

    evolution_tolerance: float = 1e-4
    """relative and absolute, of dopri5"""

    adjoint: bool = False
    """in training, gradients of eq. 4 by the adjoint equation: memory does not grow with the steps"""

    appearance: str = AUTO
    """borrow what the motion leaves missing (eq. 5): on, off; auto: as the weights have it, on without any"""

    references: int = 3
    """further pictures of the source that are used at most (eq. 6), 0 to 7"""

    def __post_init__(self) -> None:
        FamilyOptions.__post_init__(self)
        among(INITIAL, self.initial, (AUTO, *KINDS))
        among(APPEARANCE, self.appearance, (AUTO, ON, OFF))
        among(CONTEXT, self.context, (AUTO, YES, NO))
        among(EVOLUTION, self.evolution, (AUTO, *SOLVERS))
        self.solving(OFF)
        within("references", self.references, 0, 7)

    def said(self) -> dict[str, str]:
        """See `DesignedOptions`."""
        return FamilyOptions.said(self) | spoken({
            INITIAL: self.initial, EVOLUTION: self.evolution, CONTEXT: self.context, APPEARANCE: self.appearance,
        })  # fmt: skip

    def usual(self) -> Words:
        """See `DesignedOptions`."""
        return {**PUBLISHED, INITIAL: KINDS[0], EVOLUTION: "rk4", CONTEXT: NO, APPEARANCE: ON}

    def solving(self, solver: str) -> EvolutionOptions:
        """How eq. 4 is integrated by a solver.

        Raises:
            UsageError: it is unknown, or a number is out of bounds.
        """
        known: Solver | None = next((each for each in SOLVERS if each == solver), None)
        if known is None:
            raise UsageError(f"evolution={solver}: expected one of {', '.join(SOLVERS)}")
        return EvolutionOptions(known, self.evolution_steps, self.evolution_tolerance, self.adjoint)
