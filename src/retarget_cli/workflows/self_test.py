"""The main job on people drawn on the spot: every stage, tiny."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from retarget_cli.core.errors import BackendError
from retarget_cli.media.images import write_png
from retarget_cli.media.reader import open_frames
from retarget_cli.media.writer import open_writer
from retarget_cli.synth.examples import driving_pictures, source_picture
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.extract import extract_motion

SOURCE_SIZE, DRIVING_SIZE = (240, 160), (240, 180)
FRAMES = 8
RATE = Fraction(25)
# Of the drawn frames at least so many must be seen to show somebody: MediaPipe sees all of them.
LEAST_SEEN = 6


def run_self_test(folder: Path, device: str = "auto") -> int:
    """Draw a person and a dancer, perceive both, move the one like the other, encode, read back.

    Args:
        folder: where files are written.
        device: as for `animate`.

    Returns:
        The number of frames that came back.

    Raises:
        RetargetError: a stage failed, or gave something that can't be right.
    """
    source, driving, saved, result = (folder / name for name in ("me.png", "dance.mp4", "dance.motion", "result.mp4"))
    write_png(source, source_picture(SOURCE_SIZE).image)
    with open_writer(driving, size=DRIVING_SIZE, rate=RATE) as writer:
        for number, (picture, _) in enumerate(driving_pictures(FRAMES, RATE, DRIVING_SIZE)):
            writer.write(picture.image, number / RATE)
    seen = extract_motion(driving, saved).present
    if seen < LEAST_SEEN:
        raise BackendError(f"a drawn person is seen in {seen} of {FRAMES} frames", "reinstall mediapipe==0.10.21")
    animate(AnimateOptions((str(source),), saved, str(result), device=device))
    with open_frames(result) as frames:
        pictures = [frame.rgb for frame in frames]
    if len(pictures) != FRAMES:
        raise BackendError(f"{len(pictures)} of {FRAMES} frames came back from the encoder", "reinstall the package av")
    if not (pictures[0] != pictures[-1]).any():
        raise BackendError("the drawn person did not move", "report it, with what `retarget doctor --json` says")
    return len(pictures)
