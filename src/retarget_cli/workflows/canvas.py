"""The size of the result, and how the source picture is laid into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from retarget_cli.core.errors import UsageError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.reading import read_sides
from retarget_cli.core.subject import Image
from retarget_cli.perception.pose import PoseFinding
from retarget_cli.workflows.cropping import Box, spanned

DEFAULT_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class CanvasSize:
    """What the user asked for.

    Attributes:
        longest: the longer side, in pixels, when the source's aspect is kept.
        exact: (height, width), or None.
        may_enlarge: whether a small picture is enlarged to `longest`.
    """

    longest: int = DEFAULT_LONGEST
    exact: tuple[int, int] | None = None
    may_enlarge: bool = False


def parse_size(text: str | None) -> CanvasSize:
    """`None`: the source's size, 1024 at most; `720`: the longer side; `1280x720`: width x height.

    Raises:
        UsageError: none of these, or out of bounds.
    """
    if text is None:
        return CanvasSize()
    try:
        sides = read_sides(text)
    except UsageError as error:
        raise UsageError(f"--size {error.message}", error.hint) from error
    if len(sides) == 1:
        return CanvasSize(longest=sides[0], may_enlarge=True)
    return CanvasSize(longest=max(sides), exact=(sides[1], sides[0]))


Find = Callable[[Image], PoseFinding | None]


def fit_canvas(
    rgb: Image, alpha: FloatArray | None, canvas: CanvasSize, find: Find
) -> tuple[Image, FloatArray | None, PoseFinding | None]:
    """Bring a picture to the canvas's size and find the person in it.

    With an exact size of another aspect the picture covers the canvas and is cut about the person; where the
    person would be cut too, it is laid in smaller and continued as in a mirror.

    Returns:
        image, its alpha, and the person (None: nobody is seen).
    """
    height, width = rgb.shape[:2]
    if canvas.exact is None:
        factor, size = _whole(height, width, canvas)
        image, matte = _scaled(rgb, size), None if alpha is None else _scaled(alpha, size)
        finding = find(image)
        if finding is None and factor < 1:  # somebody small in a large picture
            finding = _resized(find(rgb), (height, width), size)
        return image, matte, finding
    finding = find(rgb)
    if finding is None:
        return rgb, alpha, None
    factor, x, y = _placed(finding, (height, width), canvas.exact)
    size = max(1, round(height * factor)), max(1, round(width * factor))
    image = _cropped(_scaled(rgb, size), x, y, canvas.exact, cv2.BORDER_REFLECT_101)
    matte = None
    if alpha is not None:
        matte = _cropped(_scaled(alpha, size), x, y, canvas.exact, cv2.BORDER_CONSTANT)
    pose = finding.pose.copy()
    pose[:, :2] = pose[:, :2] * factor - (x, y)
    soft = finding.soft_mask
    if soft is not None:
        soft = _cropped(_scaled(soft, size), x, y, canvas.exact, cv2.BORDER_CONSTANT)
    return image, matte, replace(finding, pose=pose, soft_mask=soft)


def lay_canvas(rgb: Image, canvas: CanvasSize, box: Box | None = None) -> tuple[Image, Box | None]:
    """Bring a picture in which nobody is looked for to the canvas's size, its aspect kept.

    With an exact size of another aspect the picture covers the canvas and is cut about the box, or its own middle;
    where the box would be cut too, it is laid in smaller and continued as in a mirror.

    Returns:
        image, and where the box is in it.
    """
    height, width = rgb.shape[:2]
    if canvas.exact is None:
        _, size = _whole(height, width, canvas)
        return _scaled(rgb, size), None if box is None else box.scaled((height, width), size)
    kept = Box(width // 2, height // 2, 0, 0) if box is None else box
    low = np.array([kept.x, kept.y], np.float32)
    high = low + np.array([kept.width, kept.height], np.float32)
    factor, x, y = _held(low, high, (height, width), canvas.exact)
    size = max(1, round(height * factor)), max(1, round(width * factor))
    image = _cropped(_scaled(rgb, size), x, y, canvas.exact, cv2.BORDER_REFLECT_101)
    if box is None:
        return image, None
    (left, top), (right, bottom) = low * factor - (x, y), high * factor - (x, y)
    return image, spanned(left, top, right, bottom, canvas.exact)


def _whole(height: int, width: int, canvas: CanvasSize) -> tuple[float, tuple[int, int]]:
    """Scale, and (height, width), of a picture whose aspect the canvas keeps."""
    factor = canvas.longest / max(height, width)
    if not canvas.may_enlarge:
        factor = min(1.0, factor)
    return factor, (_even(height * factor), _even(width * factor))


def _resized(finding: PoseFinding | None, size: tuple[int, int], new: tuple[int, int]) -> PoseFinding | None:
    """A finding in a picture of (height, width) `size`, in the pixels of the same picture at `new` size."""
    if finding is None:
        return None
    pose = finding.pose * np.array([new[1] / size[1], new[0] / size[0], 1], np.float32)
    soft = None if finding.soft_mask is None else _scaled(finding.soft_mask, new)
    return replace(finding, pose=pose.astype(np.float32), soft_mask=soft)


def _placed(finding: PoseFinding, size: tuple[int, int], wanted: tuple[int, int]) -> tuple[float, int, int]:
    """Scale, and the canvas's corner (x, y) in the scaled picture."""
    seen = finding.pose[finding.pose[:, 2] > 0.3, :2]
    low, high = seen.min(0), seen.max(0)
    margin = 0.15 * (high - low).max()
    return _held(low - margin, high + margin, size, wanted)


def _held(low: FloatArray, high: FloatArray, size: tuple[int, int], wanted: tuple[int, int]) -> tuple[float, int, int]:
    """The same, for what lies between two corners."""
    cover = max(wanted[0] / size[0], wanted[1] / size[1])
    room = np.array([wanted[1], wanted[0]]) / np.maximum(high - low, 1)
    # Never smaller than the whole picture needs: what lies beyond its border is a mirror image.
    whole = min(wanted[0] / size[0], wanted[1] / size[1])
    factor = float(np.clip(room.min(), whole, cover))
    corner = (low + high) / 2 * factor - np.array([wanted[1], wanted[0]]) / 2
    limit = np.array([size[1], size[0]]) * factor - np.array([wanted[1], wanted[0]])
    corner = np.where(limit >= 0, np.clip(corner, 0, np.maximum(limit, 0)), limit / 2)
    return factor, round(float(corner[0])), round(float(corner[1]))


def _even(side: float) -> int:
    """The nearest even number: most film formats take no other."""
    return max(2, 2 * round(side / 2))


def _scaled(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:  # type: ignore[type-arg]
    if array.shape[:2] == size:
        return np.ascontiguousarray(array)
    way = cv2.INTER_AREA if size[0] < array.shape[0] else cv2.INTER_CUBIC
    out = cv2.resize(array, (size[1], size[0]), interpolation=way)
    return np.asarray(out if array.dtype == np.uint8 else np.clip(out, 0, 1), array.dtype)


def _cropped(array: np.ndarray, x: int, y: int, size: tuple[int, int], border: int) -> np.ndarray:  # type: ignore[type-arg]
    top, left = max(0, -y), max(0, -x)
    bottom = max(0, y + size[0] - array.shape[0])
    right = max(0, x + size[1] - array.shape[1])
    padded = cv2.copyMakeBorder(array, top, bottom, left, right, border)
    return np.ascontiguousarray(padded[y + top : y + top + size[0], x + left : x + left + size[1]])
