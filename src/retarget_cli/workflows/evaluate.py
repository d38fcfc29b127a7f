"""`retarget eval run`: render the cases of a protocol with several methods, and score them.

    plan -> for each case: source pictures -> for each method: personalise where it is asked for,
                                                              animate -> PNG folder   (the caller's thread)
                                                              -> metrics -> score      (a second thread)
    scores -> report

Whatever is finished stays: rendered clips, scores and features lie in the run's folder, and a run that was stopped
goes on where it was. What is wrong with one clip harms no other.
"""

from __future__ import annotations

import time as clock
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from retarget_cli.backends.registry import backend_class
from retarget_cli.body.placement import Framing, MotionPath
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import RetargetError, UsageError
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.evaluation.cases import Case, plan
from retarget_cli.evaluation.datasets import open_dataset
from retarget_cli.evaluation.protocols import Pick, Protocol, Task
from retarget_cli.evaluation.recordings import Dataset, Stream
from retarget_cli.evaluation.results import Clip, Report, Scored
from retarget_cli.evaluation.run_folder import RunFolder
from retarget_cli.evaluation.streams import facts, fitted_size
from retarget_cli.evaluation.summary import Setting, plain, summarise
from retarget_cli.perception.cache import Cache
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.evaluate_personal import Method, check_method, parse_method, personal_file
from retarget_cli.workflows.evaluate_sources import Sources, excerpt_of, write_sources
from retarget_cli.workflows.judge import Judge, Trial, relative
from retarget_cli.workflows.machine import machine, program_version
from retarget_cli.workflows.measuring import Loaded, load_measures, without_truth

# Rendered clips that may wait for the metrics.
AHEAD = 2
BLACK = "#000000"


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """Everything that a user can say about a run.

    Attributes:
        dataset: folder or clip.
        output: the run's folder.
        methods: backends, each with its options: `avatar`, `avatar:nodes=200,samples=1`, `liquid-warp:personalize=100`,
            `pose2video:subject=me.subject`.
        protocol: what is asked of them.
        layout, split: of the data set; see `open_dataset`.
        metrics: keys or groups of keys.
        weights: a folder of learned metrics' weights, or None.
        device: auto, cpu, cuda, mps.
        may_overwrite: begin anew in a folder that holds another run.
    """

    dataset: Path
    output: Path
    methods: tuple[str, ...]
    protocol: Protocol
    layout: str | None = None
    split: str = "test"
    metrics: tuple[str, ...] = ("all",)
    weights: Path | None = None
    device: str = "auto"
    may_overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of a run: its folder, and the report."""

    folder: Path
    report: Report

    @property
    def total(self) -> int:
        """How many clips there were to score, each method's for itself."""
        return sum(len(clip.methods) for clip in self.report.clips)

    @property
    def failed(self) -> int:
        """How many of them have no result."""
        return sum(bool(scored.problem) for clip in self.report.clips for scored in clip.methods.values())


def evaluate(options: EvaluateOptions, cache: Cache | None = None, progress: Progress | None = None) -> Evaluation:
    """Render, score, report.

    Raises:
        RetargetError: nothing can be measured at all; what goes wrong with single clips is in the report.
    """
    progress = progress or Silence()
    methods = [parse_method(text) for text in dict.fromkeys(options.methods)]
    device = choose_device(options.device)
    for method in methods:
        check_method(method, device.device)
    options = replace(options, protocol=_suited(options.protocol, methods))
    dataset = open_dataset(options.dataset, options.layout, options.split)
    cases = plan(dataset, options.protocol)
    loaded = load_measures(options.metrics, options.weights, device.device, has_people=dataset.has_people)
    if not any(case.target for case in cases):
        loaded = without_truth(loaded)
    folder = RunFolder.open(options.output, _settings(dataset, options), may_overwrite=options.may_overwrite)
    progress.note(f"{dataset.name} ({dataset.layout}): {len(cases)} clips, device: {device.reason}")
    run = _Run(options, folder, loaded, cache, progress)
    clips = run.clips(cases, methods)
    setting = Setting(
        f"{options.protocol.task.value} on {dataset.name}",
        program_version(),
        machine(),
        _described(dataset, len(cases)),
        plain(options.protocol.data()),
        loaded.infos,
        loaded.missing,
        {method.name: _about(method, clips, device.reason) for method in methods},
    )
    return Evaluation(folder.path, summarise(setting, folder, clips))


def _suited(protocol: Protocol, methods: Sequence[Method]) -> Protocol:
    """Source pictures are the first frame and others where no method knows of views: nobody is looked for then.

    Raises:
        UsageError: a method that paints the background too is to be measured without one.
    """
    led = [method for method in methods if is_led(method)]
    if led and protocol.is_foreground:
        raise UsageError(
            f"--foreground: {led[0].backend} is led by pixels and tells nobody from the background",
            "leave --foreground out",
        )
    if len(led) == len(methods) and protocol.pick is Pick.VIEWS:
        return replace(protocol, pick=Pick.FIRST)
    return protocol


def is_led(method: Method) -> bool:
    """Whether a method looks at the driving frames themselves."""
    return backend_class(method.backend).spec.is_led_by_pixels


def _settings(dataset: Dataset, options: EvaluateOptions) -> dict[str, object]:
    return {
        "kind": "run",
        "dataset": str(dataset.root.resolve()),
        "layout": dataset.layout,
        "split": dataset.split,
        "protocol": options.protocol.data(),
        "version": program_version(),
    }


def _described(dataset: Dataset, clips: int) -> dict[str, str | int | float]:
    return plain({"name": dataset.name, "layout": dataset.layout, "split": dataset.split or None, "clips": clips})


def _about(method: Method, clips: Sequence[Clip], device: str) -> Mapping[str, str]:
    found = [clip.methods[method.name] for clip in clips]
    seconds = sum(scored.seconds or 0 for scored in found)
    timed = [scored for scored in found if scored.seconds]
    frames = sum(max(scored.indices, default=-1) + 1 for scored in timed)
    about = {"backend": method.backend, "options": method.said, "device": device, "retarget": program_version()}
    if seconds:
        about["render"] = f"{frames / seconds:.1f} frames/s, source and driving clip perceived or from the cache"
    return about


class _Run:
    """One run's way through all its clips."""

    def __init__(
        self, options: EvaluateOptions, folder: RunFolder, loaded: Loaded, cache: Cache | None, progress: Progress
    ) -> None:
        self._options, self._folder, self._cache, self._progress = options, folder, cache, progress
        protocol = options.protocol
        self._judge = Judge(loaded.measures, folder, protocol.stride, protocol.is_foreground)

    def clips(self, cases: Sequence[Case], methods: Sequence[Method]) -> list[Clip]:
        """Every case by every method."""
        waiting: deque[Future[Scored]] = deque()
        total, done = len(cases) * len(methods), 0
        with ThreadPoolExecutor(1, "score") as scorer:
            try:
                for case in cases:
                    for method in methods:
                        trial = self._rendered(case, method)
                        if trial is not None:
                            waiting.append(scorer.submit(self._judge.score, trial))
                        while len(waiting) > AHEAD:
                            waiting.popleft().result()
                        done += 1
                        self._progress.stage("evaluate", done, total)
                while waiting:
                    waiting.popleft().result()
            except BaseException:  # a stopped run ends at once, and is gone on with later
                self._judge.stop()
                scorer.shutdown(wait=True, cancel_futures=True)
                raise
        return [self._clip(case, methods) for case in cases]

    def _rendered(self, case: Case, method: Method) -> Trial | None:
        """A clip that is ready to be scored; None where it has been, or can't be rendered."""
        if self._judge.is_scored(method.name, case.name):
            return None
        try:
            return self._render(case, method)
        except RetargetError as error:
            problem = error.line
        except Exception as error:  # one clip's fault, whatever it is, must not end the others
            problem = f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        self._progress.note(f"{method.name}, {case.name}: {problem}")
        self._folder.save_score(method.name, case.name, Scored(problem=problem))
        return None

    def _render(self, case: Case, method: Method) -> Trial:
        protocol = self._options.protocol
        size = fitted_size(facts(case.target or case.origin).size, protocol.size)
        folder = self._folder.sources(case.name)
        sources = write_sources(case, protocol, folder, self._cache)
        output = self._folder.rendered(method.name, case.name)
        seconds = None
        if not output.is_dir():
            options = self._animation(case, method, size, sources, output)
            subject, settings = method.tuned(case.name), method.settings
            if method.steps:
                device, folders = self._options.device, self._folder
                subject = personal_file(
                    method, sources.pictures, size, device, folders, self._cache, self._progress
                )
                settings = ()
            if subject is not None:
                options = replace(options, sources=(), subject=subject, settings=settings)
            started = clock.perf_counter()
            animate(options, self._cache)
            seconds = clock.perf_counter() - started
        return Trial(
            method.name, case.name, Stream(output), case.target, case.masks, case.origin, sources.pictures, size,
            seconds, seen=sources.seen,
        )  # fmt: skip

    def _animation(
        self, case: Case, method: Method, size: tuple[int, int], sources: Sources, output: Path
    ) -> AnimateOptions:
        """Self-imitation puts the person where the driving one is; the others leave him where the source stands."""
        protocol = self._options.protocol
        is_self = protocol.task is Task.SELF
        return AnimateOptions(
            tuple(map(str, sources.pictures)),
            case.driving.path if case.motion is None or is_led(method) else case.motion,
            str(output),
            method.backend,
            method.settings,
            garment=tuple(map(str, sources.garments)),
            motion=MotionPath.ABSOLUTE if is_self else MotionPath.RELATIVE,
            framing=Framing.EXACT,
            background=BLACK if protocol.is_foreground else "source",
            size=f"{size[1]}x{size[0]}",
            excerpt=excerpt_of(case.driving),
            has_audio=False,
            device=self._options.device,
        )

    def _clip(self, case: Case, methods: Sequence[Method]) -> Clip:
        root = self._folder.path
        pictures = sorted(self._folder.sources(case.name).glob("*.png"))
        found = {
            method.name: self._folder.score(method.name, case.name) or Scored(problem="not scored")
            for method in methods
        }
        target = "" if case.target is None else relative(case.target.path, root)
        return Clip(
            case.name,
            tuple(relative(path, root) for path in pictures),
            relative(case.driving.path, root),
            target,
            found,
            case.driving.first,
        )
