"""What can be said about the backend, and how the weights' own design takes part in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retarget_cli.backends.liquid_warp.generator import STRATEGIES, Design
from retarget_cli.core.errors import UsageError

# The strategy without a network: the sources' colours, moved.
WARP = "warp"
BASE, NONE = "base", "none"
AUTO = "auto"
CLOTHED = "clothed"
YES, NO = "yes", "no"
STREAM = "background_stream"
_DEFAULTS = {"strategy": "attention", "width": "64", "depth": "6", STREAM: NO}


@dataclass(frozen=True, slots=True)
class LiquidWarpOptions:
    """Options of liquid warping."""

    weights: str = BASE
    """a weights file, a run of `retarget train`, or the name of an imported file; base: those that come along; none:
    untrained"""

    strategy: str = AUTO
    """how source features get into the picture: attention, add, mean, gated-add, gated-mean, texture, concatenation;
    warp: the sources' colours moved, without any network; auto: as the weights have it, attention without any"""

    width: int = 0
    """channels at half resolution; 0: as the weights have it, 64 as published without any"""

    depth: int = 0
    """residual blocks; 0: as the weights have it, 6 as published without any"""

    background: str = "plate"
    """what stands behind the source person: plate, found without a network; network, the background stream"""

    background_stream: str = AUTO
    """whether the generator has a background stream: yes, no; auto: as the weights have it, no without any"""

    resolution: int = 256
    """longer side of the network's pictures, a multiple of 8"""

    flow: str = "body"
    """what moves the sources: body, the fitted body; clothed, the avatar's figure with its clothes and hair"""

    visible_only: bool = False
    """leave out what no source shows (Algorithm 1, line 11)"""

    discriminator_width: int = 64
    """channels after the first layer of each discriminator; 64 as published; nothing but training sees them"""

    personal_sources: int = 2
    """source pictures in a step of personalisation: the most frontal half and the most backward half"""

    def __post_init__(self) -> None:
        _among("strategy", self.strategy, (AUTO, *STRATEGIES, WARP))
        _among("background", self.background, ("plate", "network"))
        _among(STREAM, self.background_stream, (AUTO, YES, NO))
        _among("flow", self.flow, ("body", CLOTHED))
        if self.width < 0 or self.depth < 0:
            raise UsageError(f"--set width={self.width}, depth={self.depth}: must be 1 or more")
        if self.resolution % 8 or not 64 <= self.resolution <= 2048:
            raise UsageError(f"--set resolution={self.resolution}: out of bounds", "a multiple of 8, 64 to 2048")
        if self.discriminator_width < 1:
            raise UsageError(f"--set discriminator_width={self.discriminator_width}: must be 1 or more")
        if not 1 <= self.personal_sources <= 8:
            raise UsageError(f"--set personal_sources={self.personal_sources}: out of bounds", "1 to 8")

    def design(self, known: Mapping[str, str] | None) -> Design:
        """The generator's form: the weights' where there are any, else as said, else as published.

        Args:
            known: the design that lies in a weights file, or None.

        Raises:
            UsageError: an option contradicts the weights.
        """
        options = {
            "strategy": self.strategy, "width": self.width, "depth": self.depth, STREAM: self.background_stream,
        }  # fmt: skip
        said = {name: str(value) for name, value in options.items() if value not in (AUTO, 0)}
        for name, value in said.items():
            if known is not None and known.get(name, value) != value:
                raise UsageError(
                    f"--set {name}={value}: the weights are of {name}={known[name]}",
                    "leave the option out, or train others with `retarget train liquid-warp`",
                )
        chosen = {**_DEFAULTS, **said, **(known or {})}
        if self.background == "network" and chosen[STREAM] != YES:
            raise UsageError(
                "--set background=network: the generator has no background stream",
                f"leave it out: the plate is used; or train others with --set {STREAM}=yes",
            )
        return Design(
            chosen["strategy"],  # type: ignore[arg-type]  # checked by whoever wrote it, and by `Generator`
            int(chosen["width"]),
            int(chosen["depth"]),
            chosen[STREAM] == YES,
        )


def described(design: Design) -> dict[str, str]:
    """A design as weights files hold it."""
    return {
        "strategy": design.strategy,
        "width": str(design.width),
        "depth": str(design.depth),
        STREAM: YES if design.has_background else NO,
    }


def _among(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"--set {name}={value}: unknown", f"one of {', '.join(known)}")
