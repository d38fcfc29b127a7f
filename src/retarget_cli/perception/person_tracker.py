"""One chosen person, followed through a clip in which others may be seen."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retarget_cli.core.closing import Closing
from retarget_cli.core.errors import InputError
from retarget_cli.core.subject import Image
from retarget_cli.perception.engine import Detection, Region
from retarget_cli.perception.persons import Choice, PersonBox, PersonFinder, choose_person
from retarget_cli.perception.pose import PoseEstimator, PoseFinding

logger = logging.getLogger(__name__)

# A followed person moves by less than this between two pictures (in sides of the region, about 1.3 body
# heights); the reach grows while he is not seen, slowly where there are others to mistake him for.
_REACH, _GROWTH_ALONE, _GROWTH_AMONG_RIVALS = 0.2, 0.05, 0.02
# Mean change of a thumbnail's grey levels between two frames that is held to be a cut.
_CUT = 40.0
# So many pictures with too few people, and person N is held not to exist.
_PATIENCE = 30

State = dict[str, NDArray[Any]]
"""All that a tracker's later answers depend on, as arrays that can be kept."""


class PersonTracker(Closing):
    """Follows the chosen person through a clip, or finds him in a photo. One instance a thread.

    With one person in sight it costs what `PoseEstimator` costs. Where several are, everybody is looked for
    once, in the first pictures that show anybody; from then on whoever is nearest to the last place is the
    chosen one.

    Args:
        choice: as for `choose_person`.
        video: as for `PoseEstimator`.
        with_mask: as for `PoseEstimator`.

    Raises:
        UsageError: `choice` is impossible (on the first picture).
        BackendError: MediaPipe cannot be started, or fails.
    """

    def __init__(self, choice: Choice, video: bool, with_mask: bool) -> None:
        self._choice = choice
        self._is_video = video
        self._estimator = PoseEstimator(video, with_mask, pick=self._nearest)
        self._finder: PersonFinder | None = None
        self.restart()

    def restart(self) -> None:
        """Forget the clip: the next picture is the first of another. Cheaper than another tracker."""
        self._last: Region | None = None
        self._has_rivals = False
        self._pictures_short = 0
        self._searched = 0
        self._missing = 0
        self._thumbnail: Image | None = None
        self._estimator.forget()

    def state(self) -> State:
        """What it knows of the clip so far; its networks have no memory."""
        counts = [self._has_rivals, self._pictures_short, self._searched, self._missing]
        thumbnail = np.zeros((0, 32, 3), np.uint8) if self._thumbnail is None else self._thumbnail.copy()
        return {
            "region": _numbers(self._estimator.region),
            "last": _numbers(self._last),
            "counts": np.array(counts, np.int64),
            "thumbnail": thumbnail,
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on after the picture where another tracker's `state` was taken, exactly as that one would have."""
        self.restart()
        region = _region(state["region"])
        if region is not None:
            self._estimator.follow(region)
        self._last = _region(state["last"])
        rivals, self._pictures_short, self._searched, self._missing = (int(n) for n in state["counts"])
        self._has_rivals = bool(rivals)
        self._thumbnail = state["thumbnail"].copy() if len(state["thumbnail"]) else None

    def close(self) -> None:
        """Give the networks back."""
        self._estimator.close()
        if self._finder is not None:
            self._finder.close()

    def find(self, rgb: Image) -> PoseFinding | None:
        """(H, W, 3) uint8 RGB -> the chosen person, or None where he is not seen.

        Raises:
            InputError: person N is asked for, but for a second's worth of pictures fewer were seen.
        """
        if not self._is_video:
            return self._first(rgb)
        if self._is_cut(rgb):
            self._last = None
            self._estimator.forget()
        return self._first(rgb) if self._last is None else self._next(rgb)

    def _is_cut(self, rgb: Image) -> bool:
        before = self._thumbnail
        self._thumbnail = np.asarray(
            cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_NEAREST), dtype=np.uint8
        )
        return before is not None and float(cv2.absdiff(self._thumbnail, before).mean()) > _CUT

    def _first(self, rgb: Image) -> PoseFinding | None:
        self._searched += 1
        if self._searched > _PATIENCE and self._searched % 10 and self._estimator.find(rgb) is None:
            return None  # nobody for long: the thorough search, 60 ms, only now and then
        boxes = self._everybody(rgb)
        if not boxes:
            return None
        try:
            chosen = choose_person(boxes, self._choice)
        except InputError:
            self._pictures_short += 1
            if not self._is_video or self._pictures_short >= _PATIENCE:
                raise
            return None
        self._has_rivals = len(boxes) > 1
        logger.info("following one of %d people, between x = %.0f and %.0f", len(boxes), chosen.x0, chosen.x1)
        self._last = chosen.region
        self._estimator.follow(chosen.region)
        return self._kept(self._estimator.find(rgb))

    def _next(self, rgb: Image) -> PoseFinding | None:
        finding = self._estimator.find(rgb)
        if finding is not None and not self._is_same(self._estimator.region):
            finding = self._reacquired(rgb)
        return self._kept(finding)

    def _reacquired(self, rgb: Image) -> PoseFinding | None:
        """Somebody else took over: look at everybody and take the nearest, if near enough."""
        boxes = [box for box in self._everybody(rgb) if self._is_same(box.region)]
        if not boxes:
            self._estimator.forget()
            return None
        self._estimator.follow(min(boxes, key=lambda box: self._distance(box.region)).region)
        return self._estimator.find(rgb)

    def _kept(self, finding: PoseFinding | None) -> PoseFinding | None:
        if finding is None:
            self._missing += 1
        else:
            self._missing = 0
            self._last = self._estimator.region or self._last
        return finding

    def _everybody(self, rgb: Image) -> list[PersonBox]:
        if self._finder is None:
            self._finder = PersonFinder()
        return self._finder.find(rgb)

    def _nearest(self, detections: Sequence[Detection]) -> Detection | None:
        """The estimator's `Pick`: only somebody near the last place will do."""
        if self._last is None:
            return detections[0]
        nearest = min(detections, key=lambda item: self._distance(item.region))
        return nearest if self._is_same(nearest.region) else None

    def _distance(self, region: Region) -> float:
        """From the last place, in sides of the larger region; a doubling of the size counts half a side."""
        last = self._last
        if last is None:
            return 0.0
        apart = float(np.hypot(region.x - last.x, region.y - last.y)) / max(region.side, last.side)
        return apart + 0.5 * abs(float(np.log2(region.side / last.side)))

    def _is_same(self, region: Region | None) -> bool:
        if region is None:
            return True
        growth = _GROWTH_AMONG_RIVALS if self._has_rivals else _GROWTH_ALONE
        return self._distance(region) <= _REACH + growth * self._missing


def _numbers(region: Region | None) -> NDArray[np.float64]:
    """(4,) float64, which hold a region exactly; (0,) for none."""
    return np.array([] if region is None else [region.x, region.y, region.side, region.turn], np.float64)


def _region(numbers: NDArray[np.float64]) -> Region | None:
    return Region(*(float(number) for number in numbers)) if len(numbers) else None
