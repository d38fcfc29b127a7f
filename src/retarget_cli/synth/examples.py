"""Make the project's examples: `python -m retarget_cli.synth.examples FOLDER`. The same bytes of picture every time."""

from __future__ import annotations

import sys
import tempfile
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from retarget_cli.body.catalog import load_body
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.images import write_png
from retarget_cli.media.writer import open_writer
from retarget_cli.synth.dance import DANCE, STANDING, Motion, play
from retarget_cli.synth.figure import Figure, dress
from retarget_cli.synth.outfit import RUNNER, SAILOR
from retarget_cli.synth.render import Picture, draw, standing_camera
from retarget_cli.synth.room import Room

RATE = Fraction(30000, 1001)
SECONDS = 6
SOUND_RATE = 44100
SOURCE_SIZE, DRIVING_SIZE = (960, 640), (640, 480)
STUDIO = Room(wall=(120, 140, 150), floor=(86, 92, 98), line=0.84, has_boards=False)


def shape_of(seed: int) -> FloatArray:
    """(n,) betas of somebody near the mean."""
    body = load_body("anny")
    return (0.5 * np.random.default_rng(seed).standard_normal(body.shape_count)).astype(np.float32)


def source_picture(size: tuple[int, int] = SOURCE_SIZE) -> Picture:
    """Somebody who stands and faces the viewer; (height, width)."""
    figure = dress(load_body("anny"), shape_of(3), SAILOR)
    theta = play(STANDING, np.zeros(1, np.float32)).theta[0]
    camera = standing_camera(figure, theta, 0.5 * size[1], 0.46 * size[0], 0.93 * size[0])
    return draw(figure, theta, camera, Room(), size)


def driving_pictures(
    frames: int, rate: Fraction = RATE, size: tuple[int, int] = DRIVING_SIZE
) -> Iterator[tuple[Picture, FloatArray]]:
    """Somebody else who dances: frames (height, width) and their true theta (24, 3)."""
    figure = dress(load_body("anny"), shape_of(8), RUNNER)
    motion = play(DANCE, np.array([float(i / rate) for i in range(frames)], np.float32))
    for row in range(frames):
        yield _danced(figure, motion, row, size), motion.theta[row]


def _danced(figure: Figure, motion: Motion, row: int, size: tuple[int, int]) -> Picture:
    scale = 0.43 * size[0]
    x = 0.5 * size[1] + float(motion.x[row]) * scale
    camera = standing_camera(figure, motion.theta[row], x, scale, 0.94 * size[0])
    return draw(figure, motion.theta[row], camera, STUDIO, size)


def beat(path: Path, seconds: float) -> None:
    """Write a stereo beat, 100 a minute, with a tone that changes every second one."""
    time = np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE
    since = time % 0.6
    kick = np.sin(2 * np.pi * 55 * since * np.exp(-8 * since)) * np.exp(-9 * since)
    note = np.array([220.0, 262.0, 330.0, 294.0])[(time // 1.2).astype(int) % 4]
    tone = 0.25 * np.sin(2 * np.pi * note * time) * np.exp(-2.5 * (time % 1.2))
    sound = np.stack([kick + tone, kick + np.roll(tone, 300)], 1) * 0.5
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE)
        file.writeframes((sound * 32767).clip(-32768, 32767).astype("<i2").tobytes())


def make_examples(folder: Path) -> None:
    """Write source.png and driving.mp4."""
    folder.mkdir(parents=True, exist_ok=True)
    write_png(folder / "source.png", source_picture().image)
    frames = int(SECONDS * RATE)
    with tempfile.TemporaryDirectory() as scratch:
        sound = Path(scratch, "beat.wav")
        beat(sound, float(frames / RATE))
        with open_writer(
            folder / "driving.mp4", size=DRIVING_SIZE, rate=RATE, audio=AudioTrack(sound), crf=21, overwrite=True
        ) as writer:
            for number, (picture, _) in enumerate(driving_pictures(frames)):
                writer.write(picture.image, number / RATE)


def images(pictures: Iterator[tuple[Picture, FloatArray]]) -> list[Image]:
    """The pictures alone."""
    return [picture.image for picture, _ in pictures]


if __name__ == "__main__":
    make_examples(Path(sys.argv[1]))
