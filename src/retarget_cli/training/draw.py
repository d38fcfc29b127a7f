"""Examples drawn from albums: a pure function of the seed and the number of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.example import Example, Span
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, Subject, View
from retarget_cli.training.album import Album
from retarget_cli.training.courses import around, course_of, passage, targets
from retarget_cli.training.framing import draw_window

# Pictures among which the one that shows another side is taken as the next source.
_CANDIDATES = 3
# `camera_noise` is given for a picture of this side.
_PIXELS_OF = 256


@dataclass(frozen=True, slots=True)
class DrawOptions:
    """How examples are drawn.

    Attributes:
        size: side of the square pictures, pixels.
        batch: examples of a batch.
        max_sources: source views of an example: 1 to so many, the same number in a batch.
        cap: an album counts for at most so many pictures, so that one long clip is not everything.
        zoom: how much of the picture's side a crop may leave out, in [0, 1).
        jitter: largest change of brightness, contrast and each colour's gain, the same in source and target.
        theta_noise: degrees, standard deviation, of every joint of the source views: a fitted body has errors.
        camera_noise: pixels at 256 px, standard deviation, of where the source views' bodies stand.
    """

    size: int = 256
    batch: int = 4
    max_sources: int = 4
    cap: int = 200
    zoom: float = 0.15
    jitter: float = 0.08
    theta_noise: float = 1.0
    camera_noise: float = 0.5

    def __post_init__(self) -> None:
        if self.size < 16 or self.size % 8:
            raise UsageError(f"--size {self.size}: expected a multiple of 8, at least 16", "for example 256")
        if self.batch < 1 or self.max_sources < 1:
            raise UsageError(f"--batch {self.batch}, --sources {self.max_sources}: expected at least 1")
        if not 0 <= self.zoom < 1 or not 0 <= self.jitter < 1:
            raise UsageError(f"zoom {self.zoom} and jitter {self.jitter}: expected 0 or more, less than 1")


class Drawer:
    """Draws the same examples for the same number, whatever was drawn before.

    Args:
        albums: what to draw from; those of a single picture are left out.
        options: how.
        seed: of everything random.
        rank: number of this process among those that learn together; each draws its own.
        span: what of a target's clip is wanted; None: nothing.
        others: (T, 24, 3) each, films of others' postures; without any, these are the other albums'.

    Raises:
        InputError: no album has two pictures, or as many consecutive ones as are wanted.
    """

    def __init__(
        self, albums: Sequence[Album], options: DrawOptions, seed: int, rank: int = 0, span: Span | None = None,
        others: Sequence[FloatArray] = (),
    ) -> None:  # fmt: skip
        self.options, self._key, self._span, self._films = options, (seed, rank), span, others
        found = [(album, targets(album, span or Span())) for album in albums if len(album) > 1]
        self.albums = [album for album, rows in found if len(rows)]
        self._targets = [rows for _, rows in found if len(rows)]
        if not self.albums:
            raise InputError(
                "there is nothing to learn from: no clip shows a person in two frames", "give other --data"
            )
        weights = np.array([min(len(album), options.cap) for album in self.albums], float)
        self._chance = weights / weights.sum()

    def batch(self, number: int) -> list[Example]:
        """The examples of a batch, all with the same number of source views."""
        count = self.sources(number)
        return [self.example(number, place, count) for place in range(self.options.batch)]

    def sources(self, number: int) -> int:
        """How many source views the examples of a batch have."""
        return int(self._stream(number).integers(1, self.options.max_sources + 1))

    def example(self, number: int, place: int, sources: int) -> Example:
        """The example at a place of a batch."""
        rng = self._stream(number, place + 1)
        number_of = int(rng.choice(len(self.albums), p=self._chance))
        album = self.albums[number_of]
        rows, target = draw_rows(rng, album, sources, None if self._span is None else self._targets[number_of])
        seen = (*rows, *range(target, target + (self._span or Span()).shown))
        window = draw_window(
            rng, [album.pose[row] for row in seen], album.size, self.options.size, self.options.zoom
        )
        table = _colours(rng, self.options.jitter)

        def made(row: int) -> View:
            view = window.view(album.view(row))
            return replace(view, image=_recoloured(view.image, table))

        def plate(row: int) -> Image:
            return _recoloured(window.picture(album.plate(row)), table)

        views = tuple(_disturbed(rng, made(row), self.options) for row in rows)
        subject = Subject(views, album.betas, album.body, plate(rows[0]), album.name)
        behind = subject.plate if album.plates == 1 else plate(target)
        course = None
        if self._span is not None:
            others = self._others(rng, album, self._span)
            course = course_of(album, target, self._span, made, window.camera, others)
        return Example(subject, made(target), behind, course)

    def _others(self, rng: np.random.Generator, album: Album, span: Span) -> FloatArray | None:
        """(N, 24, 3): what somebody else does, in a film of others or in another album."""
        if self._films:
            return passage(self._films[int(rng.integers(len(self._films)))], rng, span)
        known = [other for other in self.albums if other is not album]
        if not known:
            return None
        other = known[int(rng.integers(len(known)))]
        return other.theta[around(other, int(rng.integers(len(other))), span)]

    def _stream(self, number: int, place: int = 0) -> np.random.Generator:
        return np.random.default_rng([*self._key, number, place])


def draw_rows(
    rng: np.random.Generator, album: Album, sources: int, targets: NDArray[np.int64] | None = None
) -> tuple[list[int], int]:
    """Source pictures, best-facing first, preferably from different sides; and another one as the target.

    An album with too few pictures gives some sources twice.

    Args:
        rng: of everything random.
        album: of the person.
        sources: how many.
        targets: rows that may be the target; None: all.
    """
    target = int(rng.integers(len(album))) if targets is None else int(rng.choice(targets))
    left = [row for row in range(len(album)) if row != target]
    chosen: list[int] = []
    while len(chosen) < sources:
        if not left:
            left = [row for row in range(len(album)) if row != target]
        some = rng.choice(left, min(_CANDIDATES if chosen else 1, len(left)), replace=False)
        best = int(max(some, key=lambda row: _apart(album.facing, int(row), chosen)))
        chosen.append(best)
        left.remove(best)
    return sorted(chosen, key=lambda row: abs(float(album.facing[row]))), target


def _apart(facing: FloatArray, row: int, chosen: list[int]) -> float:
    """Radians to the nearest of those that are chosen."""
    return min((abs((float(facing[row] - facing[one]) + np.pi) % (2 * np.pi) - np.pi) for one in chosen), default=0.0)


def _colours(rng: np.random.Generator, jitter: float) -> Image:
    """(256, 3): what each value of each channel becomes."""
    gains = 1 + rng.uniform(-jitter, jitter) + rng.uniform(-jitter / 2, jitter / 2, 3)
    offset = 255 * rng.uniform(-jitter, jitter) / 2
    values = (np.arange(256)[:, None] - 127.5) * gains + 127.5 + offset
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _recoloured(picture: Image, table: Image) -> Image:
    return np.stack([table[:, channel][picture[..., channel]] for channel in range(3)], -1)


def _disturbed(rng: np.random.Generator, view: View, options: DrawOptions) -> View:
    """A view whose body is fitted with errors."""
    turned = rng.normal(0, np.radians(options.theta_noise), view.theta.shape)
    pixels = options.camera_noise * options.size / _PIXELS_OF
    # The scale's error moves what is a metre off the hips by about as much.
    moved = rng.normal(0, pixels, 3)
    return replace(
        view, theta=(view.theta + turned).astype(np.float32), camera=(view.camera + moved).astype(np.float32)
    )
