"""A method that is led by pixels and as plain as can be: the source picture is shifted as a bright spot goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from retarget_cli.backends import registry
from retarget_cli.backends.base import Backend, Comparing, Performer, Spec, Window
from retarget_cli.core.footage import Footage
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, Subject
from retarget_cli.perception.pose import PoseEstimator

PLACES = {"shifter": "tests.workflows.shifting_method:Shifter"}
DARK, BRIGHT = (40, 50, 60), (240, 250, 245)


def offer_where_nobody_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The method is among the built-in ones, and whoever looks for a person fails."""
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **PLACES})

    def refuse(*words: object, **more: object) -> None:
        raise AssertionError("somebody was looked for")

    monkeypatch.setattr(PoseEstimator, "__init__", refuse)


def spot(size: tuple[int, int], x: float, y: float, side: float = 0.25) -> Image:
    """A bright square about (x, y), in shares of the sides, before a dark ground."""
    image = np.empty((*size, 3), np.uint8)
    image[:] = DARK
    half = side * min(size) / 2
    left, top = round(x * size[1] - half), round(y * size[0] - half)
    cv2.rectangle(image, (left, top), (left + round(2 * half) - 1, top + round(2 * half) - 1), BRIGHT, -1)
    return image


def place(image: Image) -> FloatArray:
    """(x, y) of the spot's middle, in shares of the sides; the middle of the picture where there is none."""
    rows, columns = np.nonzero(image.min(-1) > 150)
    if not len(rows):
        return np.array([0.5, 0.5], np.float32)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5], np.float32) / np.array(image.shape[1::-1], np.float32)


def extent(image: Image) -> float:
    """How large the spot is, as a share of the picture's area."""
    return float((image.min(-1) > 150).mean())


@dataclass(frozen=True, slots=True)
class ShifterOptions:
    """None."""


class Shifter(Backend):
    """See the module."""

    spec: ClassVar[Spec] = Spec(
        summary="a toy", window=4, paints_background=True, license="Apache-2.0", is_led_by_pixels=True
    )
    options: ClassVar[type] = ShifterOptions

    def prepare(self, subject: Subject) -> Performer:
        return Shifting(subject.primary.image)


class Shifting(Comparing):
    """Of one picture."""

    def __init__(self, picture: Image) -> None:
        self._picture = picture

    def perform(self, driving: Iterator[Window]) -> Iterator[Tensor]:
        for window in driving:
            assert window.footage is not None
            yield torch.stack([self._shifted(each, window.footage) for each in window.footage.pictures])

    def apart(self, footage: Footage) -> list[float]:
        home = place(self._picture)
        return [float(np.linalg.norm(place(each) - home)) for each in footage.pictures]

    def _shifted(self, picture: Image, footage: Footage) -> Tensor:
        home = place(self._picture) if footage.reference is None else place(footage.reference)
        way = place(picture) - home
        if footage.is_scaled and footage.reference is not None:
            way = way * (extent(self._picture) / extent(footage.reference)) ** 0.5
        height, width = self._picture.shape[:2]
        moved = np.roll(self._picture, (round(float(way[1] * height)), round(float(way[0] * width))), (0, 1))
        rgb = torch.from_numpy(moved).permute(2, 0, 1).float() / 255
        return torch.cat([rgb, torch.ones_like(rgb[:1])])
