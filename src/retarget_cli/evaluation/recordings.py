"""What a data set is made of, whatever its layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stream:
    """Consecutive frames of a clip.

    Attributes:
        path: a clip, an animation or a folder of pictures.
        first: index of the first frame that counts.
        count: how many frames count at most; None is to the end.
    """

    path: Path
    first: int = 0
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: a file, or a frame of a clip."""

    path: Path
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class Masks:
    """Pictures that say where the person is, one a frame.

    Attributes:
        path: a folder.
        least: the least value that means the person: 128 of a coverage, 1 of labels.
    """

    path: Path
    least: int = 128


@dataclass(frozen=True, slots=True)
class Recording:
    """One clip of one person.

    Attributes:
        name: unique in the data set.
        stream: its frames.
        person: who is seen, as far as the layout tells; else the recording's own name.
        masks: of the person; None where there are none.
        views: eight pictures in the order of the view angle (0, 45, ... degrees), where the data set chooses them.
        driving: what this person shall imitate in cross-imitation, where the data set chooses it.
    """

    name: str
    stream: Stream
    person: str
    masks: Masks | None = None
    views: tuple[Shot, ...] = ()
    driving: Stream | None = None


@dataclass(frozen=True, slots=True)
class Turnout:
    """One clip of a synthetic data set: renditions whose truth is known (see docs/synth.md).

    Attributes:
        name: unique in the data set.
        folders: by rendition: self, other, clothes, source, garment, turn, turn_other.
    """

    name: str
    folders: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Clips to be measured on.

    Attributes:
        name: of the folder or file.
        layout: how it is laid out.
        root: where it lies.
        split: which part of it, such as `test`; empty where it has none.
        recordings: in order of their names.
        turnouts: of a synthetic data set.
        has_people: people are seen in it; toys are none.
    """

    name: str
    layout: str
    root: Path
    split: str
    recordings: tuple[Recording, ...]
    turnouts: tuple[Turnout, ...] = field(default=())
    has_people: bool = True
