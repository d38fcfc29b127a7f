"""MediaPipe's own networks as two plain callables: find people, and read one person's landmarks.

The `Pose` solution hides which person it follows and what the detector was sure of. Its two halves are
registered
in the wheel as subgraphs, so they are run here one by one: the caller holds the region between frames.

This is the only module that imports mediapipe.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from retarget_cli.core.closing import Closing
from retarget_cli.core.errors import BackendError
from retarget_cli.core.motion import LANDMARKS, FloatArray
from retarget_cli.core.subject import Image

logger = logging.getLogger(__name__)

_DETECTION_GRAPH = """
input_stream: "image"
output_stream: "detections"
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }
"""

_LANDMARK_GRAPH = """
input_stream: "image"
input_stream: "region"
input_side_packet: "enable_segmentation"
input_side_packet: "model_complexity"
output_stream: "landmarks"
output_stream: "world"
output_stream: "next_region"
output_stream: "mask"
node { calculator: "ImagePropertiesCalculator" input_stream: "IMAGE_CPU:image" output_stream: "SIZE:size" }
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  input_side_packet: "MODEL_COMPLEXITY:model_complexity"
  input_side_packet: "ENABLE_SEGMENTATION:enable_segmentation"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "AUXILIARY_LANDMARKS:auxiliary"
  output_stream: "WORLD_LANDMARKS:world"
  output_stream: "SEGMENTATION_MASK:soft_mask"
}
node {
  calculator: "PoseLandmarksToRoi"
  input_stream: "LANDMARKS:auxiliary"
  input_stream: "IMAGE_SIZE:size"
  output_stream: "ROI:next_region"
}
node { calculator: "FromImageCalculator" input_stream: "IMAGE:soft_mask" output_stream: "IMAGE_CPU:mask" }
"""

_THRESHOLD_OF_DETECTION = "posedetectioncpu__TensorsToDetectionsCalculator.min_score_thresh"
_THRESHOLD_OF_PRESENCE = (
    "poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation__ThresholdingCalculator.threshold"
)

# The region that the landmark network was trained on: a square about the hips, 1.25 x twice the distance to
# the full-body point, turned so that the body stands upright (PoseDetectionToRoi in MediaPipe).
_REGION_SCALE = 1.25

_stderr_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class Region:
    """A turned square of a picture, in pixels; `turn` is in radians, clockwise as seen (y points down)."""

    x: float
    y: float
    side: float
    turn: float

    def scaled(self, factor: float, shift: tuple[float, float] = (0.0, 0.0)) -> Region:
        """The same region in a picture scaled by `factor` and then moved by `shift` pixels."""
        return Region(self.x * factor + shift[0], self.y * factor + shift[1], self.side * factor, self.turn)


@dataclass(frozen=True, slots=True)
class Detection:
    """Somebody, roughly: the detector's certainty in [0, 1] and the square of the whole body."""

    score: float
    region: Region


@dataclass(frozen=True, slots=True)
class Reading:
    """What the landmark network saw in one region.

    Attributes:
        pose: (33, 3) x, y in pixels, visibility in [0, 1].
        presence: (33,) certainty in [0, 1] that the landmark lies in the region.
        world: (33, 3) metres about the hip centre.
        soft_mask: (H, W) in [0, 1], or None.
        next_region: where to look in the next frame.
    """

    pose: FloatArray
    presence: FloatArray
    world: FloatArray
    soft_mask: FloatArray | None
    next_region: Region


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send what C++ code writes to descriptor 2 to the log instead of the terminal.

    The descriptor belongs to the process, so this is held briefly and by one thread at a time. Nothing is
    lost: errors are logged as warnings, the rest for debugging.
    """
    with _stderr_lock, tempfile.TemporaryFile() as sink:
        try:
            sys.stderr.flush()
            kept = os.dup(2)
        except (OSError, ValueError, AttributeError):  # no usable descriptor 2, so nothing to silence
            yield
            return
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            sink.seek(0)
            _log_native_lines(sink.read().decode("utf-8", errors="replace"))


def _log_native_lines(text: str) -> None:
    for line in text.splitlines():
        is_grave = line[:1] in ("E", "F") and line[1:5].isdigit()  # absl: E0000 00:00:... file.cc:12] message
        logger.log(logging.WARNING if is_grave else logging.DEBUG, "mediapipe: %s", line)


class _Graph(Closing):
    """One MediaPipe graph. Not for use by two threads at once."""

    def __init__(self, text: str, sides: dict[str, Any], thresholds: dict[str, float]) -> None:
        try:
            with quiet_stderr(), warnings.catch_warnings():
                # Generated protobuf modules and matplotlib use what newer Pythons call deprecated.
                warnings.simplefilter("ignore", DeprecationWarning)
                import mediapipe  # noqa: F401  (registers the calculators' option types)
                from mediapipe.python.solution_base import SolutionBase

                self._solution = SolutionBase(
                    graph_config=text, side_inputs=sides, calculator_params=thresholds
                )
                # Networks open on other threads and talk at their first picture: let both happen in here.
                self._rehearse()
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            raise BackendError(
                f"MediaPipe cannot be started: {error}", "reinstall it: pip install mediapipe==0.10.21"
            ) from error

    def run(self, **inputs: Any) -> Any:
        try:
            return self._solution.process(inputs)
        except (RuntimeError, ValueError) as error:
            raise BackendError(f"MediaPipe failed on a picture: {error}") from error

    def _rehearse(self) -> None:
        """Run once on nothing."""
        self.run(image=np.zeros((128, 128, 3), dtype=np.uint8))

    def close(self) -> None:
        self._solution.close()


class DetectionNet(_Graph):
    """Everybody in a picture (pose_detection.tflite, 224 px, after non-maximum suppression).

    Args:
        least_score: detections below are dropped.
    """

    def __init__(self, least_score: float) -> None:
        super().__init__(_DETECTION_GRAPH, {}, {_THRESHOLD_OF_DETECTION: least_score})

    def find(self, rgb: Image) -> list[Detection]:
        """(H, W, 3) uint8 -> detections, most certain first."""
        height, width = rgb.shape[:2]
        found = []
        for detection in self.run(image=rgb).detections or []:
            hips, far = detection.location_data.relative_keypoints[:2]
            dx, dy = (far.x - hips.x) * width, (far.y - hips.y) * height
            side = 2 * _REGION_SCALE * float(np.hypot(dx, dy))
            turn = float(np.arctan2(dx, -dy))  # 0 when the far point lies straight above the hips
            found.append(Detection(detection.score[0], Region(hips.x * width, hips.y * height, side, turn)))
        return sorted(found, key=lambda item: -item.score)


class LandmarkNet(_Graph):
    """One person's landmarks (pose_landmark_full.tflite, 256 px).

    Args:
        with_mask: also return the soft mask (as large as the picture, but 256 px of the region at heart).
        least_presence: below, the region is held to be empty.
    """

    def __init__(self, with_mask: bool, least_presence: float = 0.5) -> None:
        sides = {"enable_segmentation": with_mask, "model_complexity": 1}
        super().__init__(_LANDMARK_GRAPH, sides, {_THRESHOLD_OF_PRESENCE: least_presence})

    def read(self, rgb: Image, region: Region) -> Reading | None:
        """(H, W, 3) uint8 -> what lies in the region; None when nobody does."""
        height, width = rgb.shape[:2]
        outputs = self.run(image=rgb, region=_normalized(region, height, width))
        if outputs.landmarks is None or outputs.world is None or outputs.next_region is None:
            return None
        points = outputs.landmarks.landmark
        pose = np.array([(p.x * width, p.y * height, p.visibility) for p in points], dtype=np.float32)
        follow = outputs.next_region
        return Reading(
            pose=pose.reshape(LANDMARKS, 3),
            presence=np.array([p.presence for p in points], dtype=np.float32),
            world=np.array([(p.x, p.y, p.z) for p in outputs.world.landmark], dtype=np.float32),
            soft_mask=None if outputs.mask is None else np.array(outputs.mask, dtype=np.float32),
            next_region=Region(
                follow.x_center * width, follow.y_center * height, follow.width * width, follow.rotation
            ),
        )

    def _rehearse(self) -> None:
        self.read(np.zeros((128, 128, 3), dtype=np.uint8), Region(64, 64, 128, 0))


def _normalized(region: Region, height: int, width: int) -> Any:
    from mediapipe.framework.formats import rect_pb2

    return rect_pb2.NormalizedRect(
        x_center=region.x / width,
        y_center=region.y / height,
        width=region.side / width,
        height=region.side / height,
        rotation=region.turn,
    )
