"""Who is to move, and by which method: pictures with a method's name, or a subject file, which has both in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from retarget_cli.backends.base import Backend
from retarget_cli.backends.registry import DEFAULT, backend_class, known_backends, make_backend
from retarget_cli.backends.trainable import Trainable
from retarget_cli.backends.words import UNTRAINED, WEIGHTS_OPTION
from retarget_cli.body.model import Body
from retarget_cli.core.errors import InputError, UsageError, WeightsError
from retarget_cli.core.progress import Progress
from retarget_cli.core.subject import Subject
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.persons import Choice
from retarget_cli.workflows.canvas import CanvasSize
from retarget_cli.workflows.cropping import WHOLE, Crop
from retarget_cli.workflows.pixels import Framed, framed, pictures_of, reframed
from retarget_cli.workflows.source import prepare_subject, source_files
from retarget_cli.workflows.subject_file import SavedSubject, is_subject_file, load_subject
from retarget_cli.workflows.subject_size import resized_subject


@dataclass(frozen=True, slots=True)
class Origin:
    """The source side of a run, as `choose_origin` understood it.

    Attributes:
        name: of the person, for names of outputs.
        backend, settings: the method, and its options as text.
        body: name of the body model.
        files: pictures of the person; empty where `saved` is given.
        saved: what the subject file `path` holds.
        is_tuned: whether the method uses the weights of `saved`, not only its pictures.
    """

    name: str
    backend: str
    settings: Mapping[str, str]
    body: str
    files: tuple[Path, ...] = ()
    saved: SavedSubject | None = None
    path: Path | None = None
    is_tuned: bool = False

    def open_backend(self, device: torch.device) -> Backend:
        """The method, with the person's own weights where there are such.

        Raises:
            RetargetError: an option is wrong, or weights are missing or of another network.
        """
        backend = make_backend(self.backend, self.settings, device)
        if self.saved is not None and self.is_tuned and isinstance(backend, Trainable):
            try:
                backend.adopt(self.saved.state, self.saved.design, str(self.path))
            except WeightsError as error:
                raise InputError(
                    f"{self.path} does not fit {self.backend}: {error.message}",
                    "leave out --set options that it was not made with, or make it again with `retarget personalize`",
                ) from error
        return backend

    def open_subject(
        self, canvas: CanvasSize, choice: Choice, body: Body, cache: Cache | None, progress: Progress
    ) -> Subject:
        """The person, on the canvas that was asked for; of a subject file that nobody asked to resize, on its own.

        Raises:
            InputError: a picture can't be read or shows nobody, or the subject file is of another body.
        """
        if self.saved is None:
            return prepare_subject(list(self.files), canvas, choice, body, cache, progress)
        subject = self.saved.subject
        if len(subject.betas) != body.shape_count:
            raise InputError(
                f"{self.path} has {len(subject.betas)} proportions, the body {body.name} has {body.shape_count}",
                "make it again with `retarget personalize`",
            )
        return resized_subject(subject, canvas)

    def open_pictures(self, canvas: CanvasSize, progress: Progress, crop: Crop = WHOLE) -> Framed:
        """The pictures alone, for a method that is led by pixels; of anything.

        Raises:
            InputError: a picture can't be read, or the crop reaches beyond it.
        """
        if self.saved is None:
            return framed(pictures_of(self.files, progress), canvas, self.name, crop)
        return reframed(self.saved.subject, canvas, crop)


def choose_origin(
    sources: Sequence[str],
    subject_file: Path | None = None,
    backend: str | None = None,
    settings: Mapping[str, str] | None = None,
    body: str = "anny",
) -> Origin:
    """What the user gave: pictures (`--source`) or a subject file (`--subject`), and perhaps a method (`--backend`).

    A subject file's method is taken where none is named; a method that learns nothing uses its pictures alone.

    Args:
        sources: photos, globs, folders or a clip of one person.
        subject_file: written by `retarget personalize`.
        backend: name of the method; None: the file's, or the default.
        settings: its options as text; they come before the file's.
        body: name of the body model, for pictures; a subject file has its own.

    Raises:
        UsageError: both or neither are given, or the file is of another method.
        InputError: files can't be read, or are not what they should be.
    """
    settings = dict(settings or {})
    if subject_file is None:
        files = tuple(source_files(sources))
        for path in filter(is_subject_file, files):
            raise UsageError(f"--source {path} is a subject file", "give it with --subject instead")
        return Origin(files[0].stem, backend or DEFAULT, settings, body, files)
    if sources:
        raise UsageError(
            f"--source {sources[0]} and --subject {subject_file} exclude each other",
            "a subject file has the pictures in it",
        )
    saved = load_subject(subject_file)
    name = backend or saved.backend
    if name not in known_backends() and backend is None:
        raise InputError(
            f"{subject_file} was made for the backend {name[:60]!r}, which is not installed",
            f"install what it comes from; known: {', '.join(sorted(known_backends()))}",
        )
    method = backend_class(name)
    if saved.subject.is_unperceived and not method.spec.is_led_by_pixels:
        raise UsageError(
            f"--backend {name} moves people, and in the pictures of {subject_file} nobody was looked for",
            "leave --backend out, or give the pictures with --source",
        )
    is_tuned = issubclass(method, Trainable)
    if is_tuned:
        if name != saved.backend:
            raise UsageError(
                f"--backend {name}: {subject_file} was made for {saved.backend}",
                "leave --backend out, or personalise for that method",
            )
        if WEIGHTS_OPTION in settings:
            raise UsageError(
                f"--set {WEIGHTS_OPTION}: {subject_file} has weights of its own", f"leave --set {WEIGHTS_OPTION} out"
            )
        settings = {**saved.settings, **settings, WEIGHTS_OPTION: UNTRAINED}
    shown = saved.subject.name or subject_file.stem
    return Origin(shown, name, settings, saved.subject.body, (), saved, subject_file, is_tuned)
