"""What is asked of a method, as the papers define it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from retarget_cli.core.errors import UsageError


class Task(Enum):
    """Self-imitation has the driving clip itself as truth; the others need data made for them, or have none."""

    SELF = "self-imitation"
    CROSS = "cross-imitation"
    NOVEL_VIEW = "novel-view"
    APPEARANCE = "appearance-transfer"


class Pick(Enum):
    """Which frames of a clip are the source pictures.

    `VIEWS`: of eight candidates around the person, the frontal one and then evenly around (liquid warping, 4.3);
    `FIRST`: the first frame and then evenly over the clip; `RANDOM`: the first frame and then random ones.
    """

    VIEWS = "views"
    FIRST = "first"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a data set is used.

    Attributes:
        task: what is asked.
        sources: pictures of the source person, 1 to 8.
        pick: which.
        pairs: of different persons in cross-imitation, at most.
        seed: of everything random.
        frames: of each clip, from its first, at most; None is all.
        stride: every `stride`th frame is scored (all are rendered).
        size: the box, (height, width), in which frames are rendered and scored with their aspect kept.
        has_true_motion: synthetic data's own motion drives instead of what is perceived in the clip.
        is_foreground: scored with the background of both pictures blacked out.
    """

    task: Task = Task.SELF
    sources: int = 1
    pick: Pick = Pick.VIEWS
    pairs: int = 200
    seed: int = 0
    frames: int | None = None
    stride: int = 1
    size: tuple[int, int] = (256, 256)
    has_true_motion: bool = False
    is_foreground: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.sources <= 8:
            raise UsageError(f"--sources {self.sources}: out of bounds", "1 to 8")
        if self.stride < 1 or self.pairs < 1 or (self.frames is not None and self.frames < 1):
            raise UsageError("--stride, --pairs and --frames must be 1 or more")

    def data(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "task": self.task.value,
            "sources": self.sources,
            "pick": self.pick.value,
            "pairs": self.pairs,
            "seed": self.seed,
            "frames": self.frames,
            "stride": self.stride,
            "size": list(self.size),
            "true_motion": self.has_true_motion,
            "foreground": self.is_foreground,
        }


@dataclass(frozen=True, slots=True)
class Preset:
    """A paper's protocol: what it fixes, and a line about it."""

    summary: str
    fixes: Mapping[str, Any]


PRESETS: Mapping[str, Preset] = {
    "iper-self": Preset(
        "liquid warping, section 4.3: self-imitation, one of eight candidate views (--sources 2, 4, 8), 512 px",
        {"task": Task.SELF, "pick": Pick.VIEWS, "size": (512, 512)},
    ),
    "iper-cross": Preset(
        "liquid warping, section 4.3: actors imitate others, 512 px",
        {"task": Task.CROSS, "pick": Pick.VIEWS, "size": (512, 512)},
    ),
    "ftbn-iper": Preset(
        "transformable bottleneck, Table 1: three references with different degrees of occlusion, 256 px",
        {"task": Task.SELF, "sources": 3, "pick": Pick.VIEWS, "size": (256, 256)},
    ),
    "ftbn-first": Preset(
        "transformable bottleneck, Table 2: the first frame of a clip is the source, 256 px",
        {"task": Task.SELF, "pick": Pick.FIRST, "size": (256, 256)},
    ),
    "saa-reconstruction": Preset(
        "self-appearance, Table 1: the first frame and three random references, 256 px",
        {"task": Task.SELF, "sources": 4, "pick": Pick.RANDOM, "size": (256, 256)},
    ),
    "saa-animation": Preset(
        "self-appearance, Table 1: 200 random pairs of different persons, 256 px",
        {"task": Task.CROSS, "sources": 4, "pick": Pick.RANDOM, "pairs": 200, "size": (256, 256)},
    ),
    "remot": Preset(
        "REMOT, Tables 1 and 2: the first frame is the source, 256 x 192",
        {"task": Task.SELF, "pick": Pick.FIRST, "size": (256, 192)},
    ),
    "pose2video": Preset(
        "pose2video, Tables 1 and 2: foreground only, 512 x 256",
        {"task": Task.SELF, "pick": Pick.FIRST, "size": (512, 256), "is_foreground": True},
    ),
}


Word = TypeVar("Word", Task, Pick)


def parse_word(option: str, text: str, kind: type[Word]) -> Word:
    """A member of an enumeration by its value.

    Raises:
        UsageError: there is none of it.
    """
    known: dict[str, Word] = {member.value: member for member in kind}
    if text not in known:
        raise UsageError(f"{option} {text}: unknown", f"known: {', '.join(known)}")
    return known[text]


def protocol(preset: str | None, **said: Any) -> Protocol:
    """A protocol by name, with what the user says otherwise; None in `said` means that he says nothing.

    Raises:
        UsageError: an unknown preset, or a value out of bounds.
    """
    if preset is not None and preset not in PRESETS:
        raise UsageError(f"--preset {preset}: unknown", f"known: {', '.join(PRESETS)}")
    fixed = {} if preset is None else dict(PRESETS[preset].fixes)
    fixed.update({name: value for name, value in said.items() if value is not None})
    return Protocol(**fixed)
