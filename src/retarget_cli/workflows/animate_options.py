"""What a user can say about one animation, and what is impossible."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from retarget_cli.body.placement import Framing, MotionPath
from retarget_cli.body.viewpoint import Orbit
from retarget_cli.core.errors import InputError, OutputError, UsageError
from retarget_cli.core.parts import Parts
from retarget_cli.media.writer import can_hold_alpha, names_picture
from retarget_cli.perception.missing import Missing
from retarget_cli.perception.persons import Choice
from retarget_cli.workflows.background import TRANSPARENT, check_background
from retarget_cli.workflows.canvas import parse_size
from retarget_cli.workflows.cropping import WHOLE, parse_crop
from retarget_cli.workflows.driving import Excerpt


@dataclass(frozen=True, slots=True)
class AnimateOptions:
    """Everything that a user can say about one animation.

    Attributes:
        sources: photos, globs, folders or a clip of one person.
        driving: a clip, animated picture, folder of frames or motion file. None: the photo's own pose is held.
        output: name or template of the result.
        backend, settings: the method (None: the subject file's, or the default), and its options as text.
        garment: pictures or a clip of somebody in other clothes, which the person of `sources` is to wear.
        parts: which of them.
        orbit: from where the person is seen; several viewpoints are spread over the driving clip.
        freeze: the moment of the driving clip, in seconds, whose pose is held; None lets the clip run.
        body: name of the body model.
        motion, framing, smooth, missing: how the motion is carried over.
        person, source_person, garment_person: whom to follow, to show, to take clothes from, where several are seen.
        adapts_scale: movements are scaled by how large source and driving object are; of methods led by pixels only,
            with others proportions are always the source's.
        find_best_frame: let the driving frame that is most like the source stand where the source stands.
        crop, driving_crop: of methods led by pixels: the part of the source picture that moves, and of the clip's
            pictures that leads: none (all), auto, or X,Y,WIDTHxHEIGHT in their pixels.
        background: source, driving, transparent, #rrggbb, or a path.
        size: None, the longer side, or WIDTHxHEIGHT.
        fps: of the result; None keeps the driving clip's times exactly.
        excerpt: which part of the driving clip.
        has_audio: whether the driving clip's sound is copied.
        audio: another sound file, or None.
        codec, crf: see `media.writer.open_writer`.
        is_compared: source, driving and result side by side.
        may_overwrite: replace an output that exists.
        device: auto, cpu, cuda, mps.
        is_resumed: work in closed segments beside the output, and go on with those that are there; see `reel`.
        is_helping: another process leads at the same film; this one adds segments and does not finish it.
        window_share: the performer is handed 1 / so many of the frames that it could take at a time, to spare memory.
        subject: a subject file, which stands for `sources`; None where there are sources.
        debug_volume: a folder for what a method that is volumetric knows of the source, as slices and turned; or None.
    """

    sources: tuple[str, ...]
    driving: Path | None
    output: str = "{source}_{driving}.mp4"
    backend: str | None = None
    settings: tuple[tuple[str, str], ...] = ()
    garment: tuple[str, ...] = ()
    parts: Parts = Parts.BODY
    orbit: Orbit = field(default_factory=Orbit)
    freeze: Fraction | None = None
    body: str = "anny"
    motion: MotionPath = MotionPath.RELATIVE
    framing: Framing = Framing.FIT
    smooth: float = 0.35
    missing: Missing = Missing.HOLD
    person: Choice = "largest"
    source_person: Choice = "largest"
    garment_person: Choice = "largest"
    adapts_scale: bool = False
    find_best_frame: bool = False
    crop: str = WHOLE
    driving_crop: str = WHOLE
    background: str = "source"
    size: str | None = None
    fps: Fraction | None = None
    excerpt: Excerpt = field(default_factory=Excerpt)
    has_audio: bool = True
    audio: Path | None = None
    codec: str | None = None
    crf: int | None = None
    is_compared: bool = False
    may_overwrite: bool = False
    device: str = "auto"
    subject: Path | None = None
    is_resumed: bool = False
    is_helping: bool = False
    window_share: int = 1
    debug_volume: Path | None = None


def check_options(options: AnimateOptions, path: Path) -> None:
    """Find out before any work what would only fail at its end.

    Raises:
        UsageError, InputError, OutputError: see the messages.
    """
    if not 0 <= options.smooth <= 1:
        raise UsageError(f"--smooth {options.smooth}: expected 0 to 1", "0 leaves all jitter, 0.35 is usual")
    if options.driving is not None and not os.path.exists(options.driving):  # False for names that are too long
        raise InputError(
            f"--driving {options.driving}: there is no such file", "give a clip, or a folder of frames"
        )
    if options.audio is not None and not os.path.isfile(options.audio):
        raise InputError(f"--audio {options.audio}: there is no such file", "give a sound or video file")
    if os.path.exists(path) and not options.may_overwrite:
        raise OutputError(f"{path} exists", "choose another --output, or add --overwrite")
    if options.background == TRANSPARENT and not options.is_compared and not can_hold_alpha(path):
        raise UsageError(
            f"--background transparent: {path.suffix} files hold no transparency",
            "name the output .mov (ProRes 4444), .webm (VP9), or without an ending for a folder of PNGs",
        )
    if names_picture(path) and not _is_single(options):
        raise UsageError(
            f"{path.name}: one picture does not hold all frames",
            "name a film (.mp4), an animation (.gif), or a folder of PNGs (no ending)",
        )
    check_background(options.background, options.driving)
    parse_size(options.size)
    parse_crop("--crop", options.crop)
    parse_crop("--driving-crop", options.driving_crop)


def _is_single(options: AnimateOptions) -> bool:
    """Whether a single frame is asked for."""
    if options.driving is None or options.freeze is not None:
        return options.orbit.count == 1
    return options.excerpt.max_frames == 1
