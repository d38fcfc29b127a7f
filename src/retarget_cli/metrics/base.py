"""What every metric is: values of single frames, or a distance between two sets of frames.

A metric object holds what is costly (networks, detectors) and lives as long as a run. What belongs to one clip (the
frame before, say) lives in the scorer or embedder that `begin` gives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

from torch import Tensor

from retarget_cli.core.motion import FloatArray


class Need(Enum):
    """What frames must bring along for a metric to mean anything."""

    TARGET = "target"
    PERSON = "person"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Info:
    """All that must be said beside a number for it to be believed.

    Attributes:
        key: in files and on the command line, such as `psnr`.
        name: in tables, such as `PSNR`.
        meaning: one line: what is measured, and on which pixels.
        is_higher_better: the direction of better.
        unit: or empty.
        implementation: library and version, or `retarget` and the equation.
        network: key of the weights catalog; empty where nothing is learned.
        sha256: of the weights that were loaded; empty where nothing is learned.
        is_set: a distance between sets of frames, which has no value for a single frame.
    """

    key: str
    name: str
    meaning: str
    is_higher_better: bool
    unit: str = ""
    implementation: str = ""
    network: str = ""
    sha256: str = ""
    is_set: bool = False


@dataclass(frozen=True, slots=True)
class Frames:
    """Some consecutive frames of one clip. All pictures are RGB and of one size.

    Attributes:
        rendered: (T, 3, H, W) uint8.
        target: (T, 3, H, W) uint8 ground truth, or None.
        person: (T, H, W) bool, the person in the target; None where it is not known.
        source: (S, 3, H', W') uint8 pictures of the source person, or None. The same in all windows of a clip.
    """

    rendered: Tensor
    target: Tensor | None = None
    person: Tensor | None = None
    source: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rendered)


class Scorer(ABC):
    """Scores the windows of one clip, in order."""

    @abstractmethod
    def score(self, frames: Frames) -> dict[str, FloatArray]:
        """(T,) float32 by `Info.key`; NaN where a frame has no value, such as the first of a temporal metric."""


class FrameMetric(ABC):
    """Gives each frame a value, or several."""

    infos: tuple[Info, ...]
    needs: frozenset[Need] = frozenset()

    @abstractmethod
    def begin(self) -> Scorer:
        """A scorer for one clip."""


class Embedder(ABC):
    """Turns the pictures of one clip into features, in order."""

    @abstractmethod
    def embed(self, pictures: Tensor) -> Tensor:
        """(N, D) float32 features of pictures (T, 3, H, W) uint8. N may be less than T, even 0: a video network
        takes several frames at once, a face network only those with a face."""


class SetMetric(ABC):
    """Compares two sets of frames by the Frechet distance of their features."""

    info: Info

    @abstractmethod
    def begin(self) -> Embedder:
        """An embedder for one clip."""
