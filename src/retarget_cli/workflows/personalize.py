"""`retarget personalize`: tune a method's networks to one person, seen in a few pictures; or to anything at all.

    pictures -> subject -> examples: every view once as what is to be made      (perceived once, kept)
    pictures, clips, driving clips -> takes -> examples                         (of a method led by pixels; `takes`)
    clips -> every frame of the person, in order -> examples                    (of one that learns it; `person_takes`)
    base weights -> steps, each on one example, drawn uniformly -> tuned weights  (a second thread; `lesson`)
    subject + tuned weights -> one file                                         (`subject_file`)

Until the file is whole, everything lies in a folder beside it (`unfinished`), so that nothing is lost by stopping.
"""

from __future__ import annotations

import json
import os
import shutil
import time as clock
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from retarget_cli.backends.registry import backend_class, known_backends, make_backend
from retarget_cli.backends.trainable import Trainable
from retarget_cli.backends.words import WEIGHTS_OPTION
from retarget_cli.body.catalog import load_body
from retarget_cli.core.device import choose_device
from retarget_cli.core.errors import BackendError, Interrupted, OutputError, UsageError
from retarget_cli.core.progress import Progress, Silence
from retarget_cli.core.subject import Image, Subject
from retarget_cli.media.images import is_picture, write_png
from retarget_cli.perception.cache import Cache, content_hash
from retarget_cli.perception.persons import Choice
from retarget_cli.training.loop import Step
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.lesson import Counting, Examples, Lesson, LessonOptions, Watcher, learn, resolved, seeded
from retarget_cli.workflows.machine import program_version
from retarget_cli.workflows.others import other_clips
from retarget_cli.workflows.output_name import output_path
from retarget_cli.workflows.person_takes import Scenes, open_scenes
from retarget_cli.workflows.source import prepare_subject, source_files
from retarget_cli.workflows.subject_file import MOST_VIEWS, SavedSubject, save_subject
from retarget_cli.workflows.takes import Exercises, check_driving, picture_sources, read_takes
from retarget_cli.workflows.unfinished import GOES_ON, Unfinished
from retarget_cli.workflows.variations import varied


@dataclass(frozen=True, slots=True)
class PersonalizeOptions:
    """Everything that a user can say about one personalisation.

    Attributes:
        sources: 1 to 8 photos of one person (globs, a folder), or clips.
        output: name or template of the subject file.
        backend, settings: the method, and its options as text.
        lesson: how it learns.
        size: of the views that are kept: None (the source's, 1024 at most), the longer side, or WIDTHxHEIGHT.
        source_person: whom to take, where several are seen.
        body: name of the body model.
        preview: a folder for the lesson's pictures, or None.
        is_half: keep the weights in half precision, where that suffices.
        may_overwrite: replace an output that exists.
        is_anew: forget what was learned before it was stopped.
        device: auto, cpu, cuda, mps.
        driving: clips of what will move it, to be learned from as well, of a method that is led by pixels; of one that
            learns from film as `other_clips` takes them, for their postures alone.
    """

    sources: tuple[str, ...]
    output: str = "{source}.subject"
    backend: str = "liquid-warp"
    settings: tuple[tuple[str, str], ...] = ()
    lesson: LessonOptions = field(default_factory=LessonOptions)
    size: str | None = None
    source_person: Choice = "largest"
    body: str = "anny"
    preview: Path | None = None
    is_half: bool = True
    may_overwrite: bool = False
    is_anew: bool = False
    device: str = "auto"
    driving: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonalizeResult:
    """What was made.

    Attributes:
        path: the finished file.
        backend: whose networks were tuned.
        views: pictures that are kept.
        size: (height, width) of them.
        steps: in all; `resumed` of them were done before.
        resumed: see there.
        seconds: wall time of this run.
        losses: of the last step; empty where none was left to do.
        device: what ran, and why.
        notes: what the user should know.
        frames: of clips, that were learned from besides.
    """

    path: Path
    backend: str
    views: int
    size: tuple[int, int]
    steps: int
    resumed: int
    seconds: float
    losses: dict[str, dict[str, float]]
    device: str
    notes: tuple[str, ...]
    frames: int = 0


def personalize(
    options: PersonalizeOptions,
    cache: Cache | None = None,
    progress: Progress | None = None,
    watcher: Watcher | None = None,
) -> PersonalizeResult:
    """Make one subject file; the same call goes on where an earlier one was stopped.

    Raises:
        RetargetError: whatever the user can act on; what was learned and saved stays.
        Interrupted: by the user, while learning; nothing is lost.
    """
    started = clock.perf_counter()
    progress = progress or Silence()
    files = checked_sources(options.sources)
    path = output_path(options.output, files[0].stem, "", options.backend)
    check(options, path)
    if trainable_class(options.backend).spec.is_taught_by_film:
        options = replace(options, driving=tuple(other_clips(options.driving)))
    choice = choose_device(options.device)
    progress.note(f"device: {choice.reason}")
    backend = _opened(options, choice.device)
    unfinished = Unfinished(path)
    told = _identity(options, files, backend)
    subject = unfinished.resumed(told, is_anew=options.is_anew)
    is_new = subject is None
    if subject is None:
        subject = _prepared(options, files, cache, progress)
    examples = _examples(options, files, backend, subject, cache, progress)
    with seeded(options.lesson.seed, choice.device):
        lesson = Lesson(backend, examples, _lesson_options(options, watcher))
        if is_new:
            _check_room(path, lesson)
            unfinished.begin(told, subject)
        state = unfinished.state()
        if state is not None:
            lesson.resume(state)
            progress.note(f"going on after step {lesson.number}, which {unfinished.folder} has kept")
        resumed = lesson.number
        shown = _Showing(watcher or Counting(progress), options.preview)
        _learn(lesson, shown, unfinished, progress)
    saved = SavedSubject(
        subject, options.backend, _settings(options), backend.design(), lesson.weights(),
        _told(options, backend, lesson),
    )  # fmt: skip
    _finish(path, saved, lesson, unfinished, options)
    return PersonalizeResult(
        path, options.backend, len(subject.views), subject.size, lesson.number, resumed,
        clock.perf_counter() - started, shown.losses, choice.reason, lesson.notes, _frames(examples),
    )  # fmt: skip


def _opened(options: PersonalizeOptions, device: torch.device) -> Trainable:
    with seeded(options.lesson.seed, device):  # untrained weights are random too
        backend = make_backend(options.backend, dict(options.settings), device)
    if not isinstance(backend, Trainable):
        raise BackendError(f"{options.backend} is trainable, and gave a {type(backend).__name__} that is not")
    return backend


def trainable_class(name: str) -> type[Trainable]:
    """The class of a backend that can be personalised.

    Raises:
        UsageError: it is unknown, or learns nothing.
        BackendError: it can't be imported.
    """
    found = backend_class(name)
    if not issubclass(found, Trainable):
        able = [other for other in sorted(known_backends()) if _is_trainable(other)]
        raise UsageError(
            f"--backend {name}: it has nothing that could be personalised", f"these have: {', '.join(able) or 'none'}"
        )
    return found


def _is_trainable(name: str) -> bool:
    try:
        return issubclass(backend_class(name), Trainable)
    except BackendError:  # one that can't be imported is of no use here
        return False


def checked_sources(sources: Sequence[str]) -> list[Path]:
    """The files that the user named.

    Raises:
        UsageError: there are none, or more than eight.
        InputError: one of them names nothing.
    """
    files = source_files(sources)
    if len(files) > MOST_VIEWS:
        raise UsageError(
            f"{len(files)} source files, expected 1 to {MOST_VIEWS}",
            f"choose the {MOST_VIEWS} that show most sides, or give a clip",
        )
    return files


def check(options: PersonalizeOptions, path: Path) -> None:
    """Find out before any work what would only fail at its end.

    Raises:
        UsageError, OutputError: see the messages.
    """
    lesson = options.lesson
    if lesson.steps < 1:
        raise UsageError(f"--steps {lesson.steps}: expected at least 1", "100 is usual")
    if lesson.rate is not None and not 0 < lesson.rate <= 1:
        raise UsageError(f"--rate {lesson.rate}: expected more than 0 and at most 1", "0.0001 is usual")
    if lesson.variations < 0:
        raise UsageError(f"--variations {lesson.variations}: expected at least 0", "12 is usual")
    if lesson.strength is not None and not 0 < lesson.strength <= 1:
        raise UsageError(f"--strength {lesson.strength}: expected more than 0 and at most 1", "0.5 is usual")
    parse_size(options.size)
    _check_kind(options)
    if os.path.isdir(path):
        raise OutputError(f"{path} is a folder", "name a file, such as me.subject")
    if os.path.exists(path) and not options.may_overwrite:
        raise OutputError(f"{path} exists", "choose another --output, or add --overwrite")


def _check_kind(options: PersonalizeOptions) -> None:
    """What only means something where a person is known, or where none is."""
    spec = trainable_class(options.backend).spec
    is_led = spec.is_led_by_pixels
    if options.driving and not is_led and not spec.is_taught_by_film:
        raise UsageError(
            f"--driving: --backend {options.backend} learns one person, and from nobody else's clip",
            "leave it out; a clip of the same person can be a --source",
        )
    if is_led and options.source_person != "largest":
        raise UsageError(
            f"--source-person: --backend {options.backend} is led by pixels and knows of no person", "leave it out"
        )
    if is_led:
        check_driving(options.driving)


def _prepared(options: PersonalizeOptions, files: list[Path], cache: Cache | None, progress: Progress) -> Subject:
    """The person in all views; clips share what pictures leave of the eight."""
    canvas = parse_size(options.size)
    if backend_class(options.backend).spec.is_led_by_pixels:
        return picture_sources(files, canvas, progress)
    pictures = sum(is_picture(path) for path in files)
    clips = len(files) - pictures
    share = (MOST_VIEWS - pictures) // clips if clips else MOST_VIEWS
    return prepare_subject(files, canvas, options.source_person, load_body(options.body), cache, progress, share)


def _examples(
    options: PersonalizeOptions, files: list[Path], backend: Trainable, subject: Subject, cache: Cache | None,
    progress: Progress,
) -> Examples:  # fmt: skip
    """What is drawn from."""
    seed, count = options.lesson.seed, options.lesson.variations
    if backend.spec.is_led_by_pixels:
        return Exercises(read_takes(files, options.driving, progress), seed, count)
    span, clips = backend.span(), [path for path in files if not is_picture(path)]
    if span is not None and clips:
        if len(clips) < len(files):
            progress.note(f"{options.backend} learns from the clip; photos beside it are only kept")
        return open_scenes(clips, options.driving, options.source_person, subject, span, seed, cache, progress)
    return varied(backend.personal_examples(subject), seed, count)


def _frames(examples: Examples) -> int:
    return examples.frames if isinstance(examples, (Exercises, Scenes)) else 0


def _identity(options: PersonalizeOptions, files: list[Path], backend: Trainable) -> dict[str, str]:
    """What must be equal for a personalisation to be gone on with; the number of steps may grow."""
    lesson = options.lesson
    some = {"driving clips": " ".join(content_hash(path) for path in options.driving)} if options.driving else {}
    if lesson.has_decay:
        some["decay"] = "yes"
    return {
        **some,
        "backend": options.backend,
        "options": json.dumps(dict(options.settings), sort_keys=True),
        "base weights": backend.lineage().get("sha256", ""),
        "pictures": " ".join(content_hash(path) for path in files),
        "person": str(options.source_person),
        "body": options.body,
        "size": options.size or "",
        "rate": str(lesson.rate or ""),
        "seed": str(lesson.seed),
        "variations": str(lesson.variations),
        "precision": resolved(lesson.precision, backend.device),
    }


def _settings(options: PersonalizeOptions) -> dict[str, str]:
    """The method's options that its tuned networks go with; not where base weights lay on this machine."""
    return {name: value for name, value in options.settings if name != WEIGHTS_OPTION}


def _told(options: PersonalizeOptions, backend: Trainable, lesson: Lesson) -> dict[str, str]:
    """Provenance, for people."""
    rates = sorted({rate.learning for rate in lesson.rates.values()})
    about = {
        "steps": str(lesson.number),
        "rate": ", ".join(map(str, rates)) + (", sinking to a tenth" if options.lesson.has_decay else ""),
        "seed": str(options.lesson.seed),
        "variations": str(options.lesson.variations),
        "strength": str(lesson.strength),
        "precision": resolved(options.lesson.precision, backend.device),
        "retarget": program_version(),
        "license": backend.spec.license,
        "paper": backend.spec.paper,
        "training": "; ".join(lesson.notes),
    }
    return {name: value for name, value in {**about, **backend.lineage()}.items() if value}


def _lesson_options(options: PersonalizeOptions, watcher: Watcher | None) -> LessonOptions:
    is_seen = options.preview is not None or (watcher is not None and watcher.wants_pictures)
    return options.lesson if is_seen else replace(options.lesson, picture_every=0)


def _check_room(path: Path, lesson: Lesson) -> None:
    """A disk that is nearly full shows now, not after an hour."""
    there = path.absolute().parent
    while not there.exists():
        there = there.parent
    wanted, free = lesson.room(), shutil.disk_usage(there).free
    if free < wanted:
        raise OutputError(
            f"{there} has {free >> 20} MB left, what is kept while learning takes {wanted >> 20} MB",
            "make room, or choose another --output",
        )


def _learn(lesson: Lesson, watcher: Watcher, unfinished: Unfinished, progress: Progress) -> None:
    def keep() -> None:
        unfinished.keep_state(lesson.fit.state())

    try:
        learn(lesson, watcher, keep, progress)
    except KeyboardInterrupt as error:
        if lesson.number:
            keep()
        raise Interrupted(
            f"{lesson.number} of {lesson.options.steps} steps are kept in {unfinished.folder}",
            "the same command goes on",
        ) from error
    except PreviewError:
        keep()
        raise
    except BackendError as error:
        hint = "add --restart, with a lower --rate or another --precision" if "loss" in error.message else error.hint
        raise BackendError(error.message, hint) from error


def _finish(
    path: Path, saved: SavedSubject, lesson: Lesson, unfinished: Unfinished, options: PersonalizeOptions
) -> None:
    """Write the result; where that fails, at least keep what was learned."""
    try:
        save_subject(path, saved, is_half=options.is_half)
    except OutputError as error:
        unfinished.keep_state(lesson.fit.state())
        hint = f"all {lesson.number} steps are kept in {unfinished.folder}; {GOES_ON}"
        raise OutputError(error.message, hint) from error
    unfinished.remove()


class PreviewError(OutputError):
    """A picture can't be written."""


class _Showing:
    """Hands everything on to a watcher, and writes pictures besides."""

    def __init__(self, watcher: Watcher, folder: Path | None) -> None:
        self._watcher, self._folder = watcher, folder
        self.wants_pictures = watcher.wants_pictures or folder is not None
        self.losses: dict[str, dict[str, float]] = {}

    def step(self, step: Step, steps: int) -> None:
        self.losses = step.losses
        self._watcher.step(step, steps)

    def picture(self, number: int, picture: Image) -> None:
        if self._watcher.wants_pictures:
            self._watcher.picture(number, picture)
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                write_png(self._folder / f"{number:06d}.png", picture)
            except (OSError, OutputError) as error:
                message = f"can't write pictures to {self._folder}: {error}"
                raise PreviewError(message, "choose another --preview; what was learned is kept") from error
