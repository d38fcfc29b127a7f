"""Persons and faces cut out of frames, in the size that identity networks take.

MediaPipe's pose stands in for YOLOv3 and its face mesh for MTCNN, which papers use: their weights are in no wheel. Both
sides of a comparison are always cut by the same detector.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.metrics.batches import resized

PERSONS_BY = "MediaPipe pose (0.10.21) in place of YOLOv3"
FACES_BY = "MediaPipe face mesh (0.10.21) in place of MTCNN"

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels; may reach beyond the picture."""

Detector = Callable[[Image], Box | None]
"""(H, W, 3) uint8 -> the box of the most plainly seen person or face."""

_IN_PERSON = 0.5
# So much of the mask on each side may be specks beside the person.
_SPECKS = 0.002
_PERSON_MARGIN, _FACE_MARGIN = 0.03, 0.1

# More than the rendered and the true frames of a window.
_REMEMBERED = 128

_own = threading.local()  # MediaPipe's objects must not be shared by threads


def crops(pictures: Tensor, detector: Detector, size: tuple[int, int]) -> list[Tensor | None]:
    """What the detector finds in each picture.

    Args:
        pictures: (T, 3, H, W) uint8.
        detector: gives the box; it is cut off at the picture's border.
        size: (height, width) of the crops.

    Returns:
        (3, *size) float32 in [0, 255] for each picture; None where nothing is found.
    """
    found: list[Tensor | None] = []
    for picture in pictures:
        box = detector(np.ascontiguousarray(picture.permute(1, 2, 0).cpu().numpy()))
        found.append(None if box is None else _cut(picture, box, size))
    return found


def _cut(picture: Tensor, box: Box, size: tuple[int, int]) -> Tensor | None:
    height, width = picture.shape[-2:]
    x0, y0 = max(0, round(box[0])), max(0, round(box[1]))
    x1, y1 = min(width, round(box[2])), min(height, round(box[3]))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    return resized(picture[None, :, y0:y1, x0:x1].cpu().float(), size)[0]


def remembering(detector: Detector) -> Detector:
    """The same detector, which looks at a picture once only: similarities and distances of sets ask for the same."""
    known: OrderedDict[bytes, Box | None] = OrderedDict()
    lock = threading.Lock()

    def find(picture: Image) -> Box | None:
        key = hashlib.blake2b(picture.tobytes(), digest_size=16).digest() + str(picture.shape).encode()
        with lock:
            if key in known:
                return known[key]
        box = detector(picture)
        with lock:
            known[key] = box
            if len(known) > _REMEMBERED:
                known.popitem(last=False)
        return box

    return find


@remembering
def find_person(picture: Image) -> Box | None:
    """The box of the mask that comes with the pose, a little grown."""
    from retarget_cli.perception.pose import PoseEstimator

    if not hasattr(_own, "pose"):
        _own.pose = PoseEstimator(video=False, with_mask=True)
    finding = _own.pose.find(picture)
    return None if finding is None or finding.soft_mask is None else box_of_mask(finding.soft_mask)


def box_of_mask(mask: FloatArray) -> Box | None:
    """About nearly all of a mask (H, W) in [0, 1]; None where it is empty."""
    rows, columns = np.nonzero(mask > _IN_PERSON)
    if len(rows) == 0:
        return None
    shares = (_SPECKS, 1 - _SPECKS)
    (x0, x1), (y0, y1) = np.quantile(columns, shares), np.quantile(rows, shares)
    grow = _PERSON_MARGIN * (y1 + 1 - y0)
    return float(x0 - grow), float(y0 - grow), float(x1 + 1 + grow), float(y1 + 1 + grow)


@remembering
def find_face(picture: Image) -> Box | None:
    """A square about the face mesh, a little grown."""
    from retarget_cli.perception.face import FaceFinder, face_box

    if not hasattr(_own, "face"):
        _own.face = FaceFinder()
    landmarks = _own.face.find(picture)
    if landmarks is None:
        return None
    x0, y0, x1, y1 = face_box(landmarks)
    half = (0.5 + _FACE_MARGIN) * max(x1 - x0, y1 - y0)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return x - half, y - half, x + half, y + half


def stacked(found: list[Tensor | None]) -> tuple[list[int], Tensor | None]:
    """(indices of those that are there, these as one batch); None where there are none."""
    there = [(index, item) for index, item in enumerate(found) if item is not None]
    return [index for index, _ in there], torch.stack([item for _, item in there]) if there else None
