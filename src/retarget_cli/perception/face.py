"""The landmarks of one face, in pictures where it may be small.

MediaPipe's own face detector sees faces of a fifth of the picture and more; a dancer's face is a thirtieth. So the
place of the head is asked of the body first (the pose network has nose, eyes, ears and mouth), and the face network
reads a square about it that is enlarged to what it was trained on.
"""

from __future__ import annotations

import warnings
from typing import Any

import cv2
import numpy as np

from retarget_cli.core.closing import Closing
from retarget_cli.core.errors import BackendError
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.engine import quiet_stderr
from retarget_cli.perception.pose import PoseEstimator

FACE_LANDMARKS = 468

_HEAD = slice(0, 11)
# Sides of the squares that are read until one shows a face, in spans of the head's landmarks (ears, eyes, mouth),
# which see no hair or chin.
_SQUARES = (3.0, 2.0, 4.5)
_LEAST_SQUARE = 16
_READ_AT = 256
_LEAST_SCORE = 0.4


class FaceFinder(Closing):
    """Finds the landmarks of the most plainly seen person's face. One instance a thread.

    Raises:
        BackendError: MediaPipe cannot be started, or fails.
    """

    def __init__(self) -> None:
        self._pose = PoseEstimator(video=False, with_mask=False)
        self._mesh = _open_mesh()

    def close(self) -> None:
        """Give the networks back."""
        self._mesh.close()
        self._pose.close()

    def find(self, rgb: Image, pose: FloatArray | None = None) -> FloatArray | None:
        """The face's landmarks.

        Args:
            rgb: (H, W, 3) uint8.
            pose: (33, 3) of the person, where it is known; saves looking for him.

        Returns:
            (468, 3) float32: x, y in pixels, z in the same unit about the head's middle, negative towards the
            camera; None when no face is plainly seen (a back, a profile turned away).
        """
        if pose is not None:
            return self._within(rgb, pose)
        finding = self._pose.find(rgb)
        if finding is not None:
            found = self._within(rgb, finding.pose)
            if found is not None:
                return found
        return self._read(rgb, (0.0, 0.0), max(1.0, _READ_AT / max(rgb.shape[:2])))

    def _within(self, rgb: Image, pose: FloatArray) -> FloatArray | None:
        """The face in squares about the head of a pose (33, 3)."""
        points = pose[_HEAD, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        for factor in _SQUARES:
            side = max(factor * float((high - low).max()), _LEAST_SQUARE)
            corner = np.floor((low + high) / 2 - side / 2).astype(int)
            crop = _cut(rgb, (int(corner[0]), int(corner[1])), round(side))
            found = self._read(crop, (float(corner[0]), float(corner[1])), _READ_AT / crop.shape[0])
            if found is not None:
                return found
        return None

    def _read(self, rgb: Image, corner: tuple[float, float], factor: float) -> FloatArray | None:
        """The face of a picture that lies at `corner` of the whole, read `factor` times as large."""
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        scaled = rgb if factor == 1 else cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=way)
        try:
            faces = self._mesh.process(np.ascontiguousarray(scaled)).multi_face_landmarks
        except (RuntimeError, ValueError) as error:
            raise BackendError(f"MediaPipe failed on a picture: {error}") from error
        if not faces:
            return None
        points = np.array([(p.x, p.y, p.z) for p in faces[0].landmark[:FACE_LANDMARKS]], dtype=np.float32)
        height, width = rgb.shape[:2]
        points *= np.array([width, height, width], dtype=np.float32)
        points[:, :2] += np.array(corner, dtype=np.float32)
        return points


def face_box(landmarks: FloatArray, margin: float = 0.0) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 in pixels about landmarks (468, 3), grown on each side by `margin` times its width or height."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    grow = margin * (high - low)
    (x0, y0), (x1, y1) = low - grow, high + grow
    return float(x0), float(y0), float(x1), float(y1)


def _cut(rgb: Image, corner: tuple[int, int], side: int) -> Image:
    """A square of the picture; what lies outside it repeats the border."""
    height, width = rgb.shape[:2]
    columns = np.clip(np.arange(corner[0], corner[0] + side), 0, width - 1)
    rows = np.clip(np.arange(corner[1], corner[1] + side), 0, height - 1)
    return np.asarray(rgb[rows[:, None], columns[None, :]], dtype=np.uint8)


def _open_mesh() -> Any:
    """The face mesh of single pictures; it talks on descriptor 2 until its first picture is through."""
    try:
        with quiet_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from mediapipe.python.solutions.face_mesh import FaceMesh

            mesh = FaceMesh(static_image_mode=True, max_num_faces=1, min_detection_confidence=_LEAST_SCORE)
            mesh.process(np.zeros((_READ_AT, _READ_AT, 3), dtype=np.uint8))
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        raise BackendError(
            f"MediaPipe cannot be started: {error}", "reinstall it: pip install mediapipe==0.10.21"
        ) from error
    return mesh
