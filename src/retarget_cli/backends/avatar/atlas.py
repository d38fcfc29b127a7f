"""Pages of texture laid into one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retarget_cli.backends.avatar.texture import Page
from retarget_cli.core.subject import Image


def pack(pages: Sequence[Page]) -> tuple[Image, list[tuple[int, int]]]:
    """Pages side by side in one picture; the same page twice is laid once."""
    width = sum(page.image.shape[1] for page in pages)
    height = max(page.image.shape[0] for page in pages)
    atlas = np.zeros((height, width, 3), np.uint8)
    places: list[tuple[int, int]] = []
    laid: dict[int, tuple[int, int]] = {}
    x = 0
    for page in pages:
        if id(page) not in laid:
            rows, columns = page.image.shape[:2]
            atlas[:rows, x : x + columns] = page.image
            laid[id(page)] = (x, 0)
            x += columns
        places.append(laid[id(page)])
    return np.ascontiguousarray(atlas[:, :x]), places
