"""Score rendered clips one after the other, and remember what was found."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from retarget_cli.core.errors import RetargetError
from retarget_cli.core.subject import Image
from retarget_cli.evaluation.persons import BoolArray, perceived_persons, true_persons
from retarget_cli.evaluation.recordings import Masks, Stream
from retarget_cli.evaluation.results import Scored
from retarget_cli.evaluation.run_folder import REAL, RunFolder
from retarget_cli.evaluation.scoring import ClipScore, Material, Measures, embed_stream, score_clip, stacked
from retarget_cli.evaluation.streams import codec_of, frames, resized
from retarget_cli.evaluation.summary import mean_of
from retarget_cli.media.images import over_white, read_picture
from retarget_cli.metrics.base import Need
from retarget_cli.perception.person_tracker import PersonTracker


@dataclass(frozen=True, slots=True)
class Trial:
    """One rendered clip, and what it is to be compared with.

    Attributes:
        method, case: names.
        rendered: its frames.
        target: what is true, or None.
        masks: of the target's person, or None.
        origin: real frames of the source person, which a set is compared with where there is no target; or None.
        sources: pictures of the source person.
        size: (height, width) that frames are brought to.
        seconds: that rendering took, or None.
        is_resized: rendered frames are brought to the size too; else a difference is an error.
        seen: frames of the target that were source pictures: they have no values.
    """

    method: str
    case: str
    rendered: Stream
    target: Stream | None
    masks: Masks | None
    origin: Stream | None
    sources: tuple[Path, ...]
    size: tuple[int, int]
    seconds: float | None = None
    is_resized: bool = False
    seen: frozenset[int] = frozenset()


class Judge:
    """Holds the metrics of a run.

    Args:
        measures: loaded once. They are used by whichever single thread calls `score`.
        folder: where scores and features go.
        stride: every `stride`th frame is scored.
        is_foreground: see `Protocol`.
    """

    def __init__(self, measures: Measures, folder: RunFolder, stride: int, is_foreground: bool) -> None:
        self._measures, self._folder = measures, folder
        self._stride, self._is_foreground = stride, is_foreground
        needs = {need for metric in measures.of_frames for need in metric.needs}
        self._wants_persons = Need.PERSON in needs or is_foreground
        self._wants_source = Need.SOURCE in needs
        self._tracker: PersonTracker | None = None
        self._is_stopped = threading.Event()

    def stop(self) -> None:
        """Let a clip that is being scored in another thread end at its next frame; nothing of it is kept."""
        self._is_stopped.set()

    def is_scored(self, method: str, case: str) -> bool:
        """Whether a clip has been scored by all metrics before."""
        found = self._folder.score(method, case)
        if found is None or found.problem:
            return False
        of_frames = {info.key for metric in self._measures.of_frames for info in metric.infos}
        features = self._folder.features(method, case) or {}
        return of_frames <= set(found.frames) and {m.info.key for m in self._measures.of_sets} <= set(features)

    def score(self, trial: Trial) -> Scored:
        """Score a clip; whatever keeps it from being scored is part of what is found."""
        try:
            found = self._scored(trial)
        except RetargetError as error:
            found = Scored(problem=error.line)
        self._folder.save_score(trial.method, trial.case, found)
        return found

    def _scored(self, trial: Trial) -> Scored:
        has_real = self._has_real(trial.case)
        material = self._material(trial)
        result = score_clip(material, self._measures, self._stride, embeds_target=not has_real)
        if self._measures.of_sets:
            self._folder.save_features(trial.method, trial.case, result.features)
            if not has_real:
                self._folder.save_features(REAL, trial.case, self._real(trial, result))
        codec = f"rendered: {codec_of(trial.rendered.path)}"
        if trial.target is not None:
            codec += f"; target: {codec_of(trial.target.path)}"
        values = {
            key: tuple(
                None if at in trial.seen else value for at, value in zip(result.indices, found, strict=True)
            )
            for key, found in result.values.items()
        }
        return Scored(
            {key: mean_of(found) for key, found in values.items()},
            values,
            result.indices,
            trial.size,
            codec,
            trial.seconds,
            notes=(f"source pictures, not scored: {sorted(trial.seen)}",) if trial.seen else (),
            media=relative(trial.rendered.path, self._folder.path),
        )

    def _has_real(self, case: str) -> bool:
        known = self._folder.features(REAL, case) or {}
        return {metric.info.key for metric in self._measures.of_sets} <= set(known)

    def _real(self, trial: Trial, result: ClipScore) -> dict[str, Tensor]:
        if trial.target is not None:
            return dict(result.real)
        if trial.origin is None:
            return {}
        return embed_stream(frames(trial.origin, trial.size), self._measures.of_sets, self._stride)

    def _material(self, trial: Trial) -> Material:
        target = None if trial.target is None else frames(trial.target, trial.size)
        size = trial.size if trial.is_resized else None
        source = self._source(trial) if self._wants_source else None
        rendered = self._watched(frames(trial.rendered, size))
        return Material(rendered, target, self._persons(trial), source, trial.case, self._is_foreground)

    def _watched(self, numbered: Iterator[tuple[int, Image]]) -> Iterator[tuple[int, Image]]:
        for each in numbered:
            if self._is_stopped.is_set():
                raise KeyboardInterrupt
            yield each

    def _persons(self, trial: Trial) -> Iterator[BoolArray] | None:
        if trial.target is None or not self._wants_persons:
            return None
        if trial.masks is not None:
            return true_persons(trial.masks, trial.target, trial.size)
        if self._tracker is None:
            self._tracker = PersonTracker("largest", video=True, with_mask=True)
        return perceived_persons(trial.target, trial.size, self._folder.persons(trial.case), self._tracker)

    def _source(self, trial: Trial) -> Tensor | None:
        """(S, 3, H, W) at the clip's size."""
        if not trial.sources:
            return None
        pictures = [resized(over_white(read_picture(path)), trial.size) for path in trial.sources]
        return stacked(pictures)


def relative(path: Path, folder: Path) -> str:
    """A path as a report has it: relative inside the run's folder, else absolute."""
    inside, root = os.path.abspath(path), os.path.abspath(folder)
    return os.path.relpath(inside, root) if inside.startswith(root + os.sep) else inside
