"""Sources for methods that are led by pixels: pictures of anything, in which nothing is perceived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from retarget_cli.body.placement import MotionPath
from retarget_cli.core.errors import UsageError
from retarget_cli.core.progress import Progress
from retarget_cli.core.subject import Image, Subject, pictured_subject
from retarget_cli.media.images import is_picture, over_white, read_picture
from retarget_cli.media.reader import open_frames
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.canvas import CanvasSize, lay_canvas
from retarget_cli.workflows.cropping import FOUND, WHOLE, Box, Crop, about, check_inside, parse_crop
from retarget_cli.workflows.salience import salient_box

# The networks of such methods see a few hundred pixels.
LONGEST = 512
MOST_VIEWS, CLIP_VIEWS = 8, 4
# Networks of such methods learn from squares.
_ASPECT = 1.0
# Options of `animate` that are about people.
_OF_PEOPLE = ("framing", "smooth", "missing", "person", "source_person")


@dataclass(frozen=True, slots=True)
class Framed:
    """A source, and the part of it that moves.

    Attributes:
        subject: whole pictures; the result has their size.
        seen: what the method is shown: of each picture a part; the subject where all of it moves.
        box: where the method's part is in the first picture; None: it is all of it.
        notes: what the user should know.
    """

    subject: Subject
    seen: Subject
    box: Box | None = None
    notes: tuple[str, ...] = ()


def pictured(files: Sequence[Path], canvas: CanvasSize, progress: Progress, clip_views: int = CLIP_VIEWS) -> Subject:
    """Pictures, or frames spread over a clip, as a subject of whom nothing is known. The first is what is moved.

    Args:
        files: pictures and clips.
        canvas: what size the first is brought to, and with it the others.
        progress: told of every file.
        clip_views: so many frames at most are taken from a clip.

    Raises:
        InputError: a file can't be read.
    """
    return framed(pictures_of(files, progress, clip_views), canvas, files[0].stem).subject


def pictures_of(files: Sequence[Path], progress: Progress, clip_views: int = CLIP_VIEWS) -> Iterator[Image]:
    """Pictures, and frames spread over clips, one after the other; at most `MOST_VIEWS`.

    Raises:
        InputError: a file can't be read.
    """
    progress.stage("source", 0, len(files))
    found = 0
    for done, path in enumerate(files, 1):
        for image in islice(_images(path, clip_views), MOST_VIEWS - found):
            found += 1
            yield image
        progress.stage("source", done, len(files))


def framed(images: Iterable[Image], canvas: CanvasSize, name: str, crop: Crop = WHOLE) -> Framed:
    """Pictures on the canvas, and what moves in them.

    Args:
        images: the first is what is moved; read one by one, since they may be large.
        canvas: what size the first is brought to, and with it the others.
        name: of the source.
        crop: what part moves: all; what is found; or a box of the first picture, and of others of its size.

    Raises:
        InputError: the box reaches beyond the first picture.
    """
    left = iter(images)
    first = next(left)
    whole, place = lay_canvas(first, canvas, _box(first, crop, name))
    wholes, parts = [whole], [whole if place is None else place.of(whole)]
    size = first.shape
    del first  # it may be large
    for image in left:
        is_whole = place is None or (crop != FOUND and image.shape != size)
        whole, found = lay_canvas(image, _of_size(wholes[0]), None if is_whole else _box(image, crop, name))
        wholes.append(whole)
        parts.append(lay_canvas(whole if found is None else found.of(whole), _of_size(parts[0]))[0])
    subject = pictured_subject(wholes, name)
    if place is not None:
        return Framed(subject, pictured_subject(parts, name), place)
    told = ("--crop auto: nothing stands out from the source picture's border; all of it moves",)
    return Framed(subject, subject, notes=told if crop == FOUND else ())


def _box(image: Image, crop: Crop, name: str) -> Box | None:
    height, width = image.shape[:2]
    if isinstance(crop, Box):
        return check_inside(crop, (height, width), f"--crop, {name}")
    found = salient_box(image) if crop == FOUND else None
    return None if found is None else about(found, (height, width), _ASPECT)


def _of_size(image: Image) -> CanvasSize:
    height, width = image.shape[:2]
    return CanvasSize(max(height, width), exact=(height, width))


def reframed(subject: Subject, canvas: CanvasSize, crop: Crop = WHOLE) -> Framed:
    """A subject's pictures, whatever is known of it; at another size, where one is asked for."""
    size = _of_size(subject.primary.image) if canvas == CanvasSize() else canvas
    return framed((view.image for view in subject.views), size, subject.name, crop)


def _images(path: Path, most: int) -> Iterator[Image]:
    if is_picture(path):
        yield over_white(read_picture(path))
        return
    with open_frames(path) as clip:
        stride = max(1, (clip.frame_count or 1) // most)
        frames = (frame.rgb for frame in clip if frame.index % stride == 0)
        yield from islice(frames, most)


def check_kind(options: AnimateOptions, backend: str, *, is_led: bool) -> tuple[str, ...]:
    """Notes about what is without effect, by a method that is led by pixels or one that knows of people.

    Raises:
        UsageError: an option only means something with the other kind.
    """
    if is_led:
        check_pictured(options, backend)
        return idle_options(options, backend)
    for name, crop in (("--crop", options.crop), ("--driving-crop", options.driving_crop)):
        if parse_crop(name, crop) != WHOLE:
            raise UsageError(
                f"{name} {crop}: --backend {backend} finds the person itself",
                f"leave {name} out, or choose a method that is led by pixels: see `retarget backends`",
            )
    return ("--adapt-scale changes nothing, proportions are always the source's",) if options.adapts_scale else ()


def check_pictured(options: AnimateOptions, backend: str) -> None:
    """Refuse what only means something where a person is known.

    Raises:
        UsageError: such an option is given.
    """
    faults = {
        "--azimuth, --elevation": not options.orbit.is_home,
        "--freeze": options.freeze is not None,
        "--garment": bool(options.garment),
        f"--background {options.background}": options.background != "source",
        "no --driving": options.driving is None,
    }
    named = [name for name, is_given in faults.items() if is_given]
    if named:
        raise UsageError(
            f"{named[0]}: --backend {backend} is led by pixels and knows of no person",
            "choose --backend avatar for that",
        )


def idle_options(options: AnimateOptions, backend: str) -> tuple[str, ...]:
    """A note about options that were given and mean nothing where nobody is looked for; none where there are none."""
    usual = AnimateOptions((), None)
    named = [f"--{name.replace('_', '-')}" for name in _OF_PEOPLE if getattr(options, name) != getattr(usual, name)]
    if options.motion is MotionPath.ABSOLUTE:
        told = {"--adapt-scale": options.adapts_scale, "--find-best-frame": options.find_best_frame}
        named += [f"{name} with --motion absolute" for name, is_given in told.items() if is_given]
    return (f"{', '.join(named)}: without effect, {backend} is led by pixels",) if named else ()
