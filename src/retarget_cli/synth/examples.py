"""Make the project's examples: `python -m retarget_cli.synth.examples FOLDER`. The same bytes of picture every time."""

from __future__ import annotations

import sys
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from retarget_cli.body.catalog import load_body
from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.images import write_png
from retarget_cli.media.writer import open_writer
from retarget_cli.synth.camera import Stage
from retarget_cli.synth.dance import DANCE, STANDING, play
from retarget_cli.synth.dressing import dress
from retarget_cli.synth.figure import Figure
from retarget_cli.synth.footing import lowest_foot
from retarget_cli.synth.light import Light
from retarget_cli.synth.outfit import RUNNER, RUNNER_FACE, SAILOR, SAILOR_FACE
from retarget_cli.synth.posed import Skeleton, pose_figure, skeleton_of
from retarget_cli.synth.render import composed, draw_figure
from retarget_cli.synth.room import Room, backdrop, with_shadow

RATE = Fraction(30000, 1001)
SECONDS = 6
SOUND_RATE = 44100
SOURCE_SIZE, DRIVING_SIZE = (960, 640), (640, 480)
STUDIO = Room(wall=(120, 140, 150), floor=(86, 92, 98), line=0.84, floor_kind="plain")
HEELS = (29, 30)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a person: image (H, W, 3) uint8, mask (H, W) in [0, 1], camera (3,)."""

    image: Image
    mask: FloatArray
    camera: FloatArray


def shape_of(seed: int) -> FloatArray:
    """(n,) betas of somebody near the mean."""
    body = load_body("anny")
    return (0.5 * np.random.default_rng(seed).standard_normal(body.shape_count)).astype(np.float32)


def source_picture(size: tuple[int, int] = SOURCE_SIZE) -> Picture:
    """Somebody who stands and faces the viewer; (height, width)."""
    figure = dress(load_body("anny"), shape_of(3), SAILOR, SAILOR_FACE)
    skeleton = skeleton_of(figure, play(STANDING, np.zeros(1, np.float32)).theta)
    stage = Stage(0.46 * size[0], 0.5 * size[1], 0.93 * size[0])
    return _drawn(figure, skeleton, 0, stage, Room(), size)


def driving_pictures(
    frames: int, rate: Fraction = RATE, size: tuple[int, int] = DRIVING_SIZE
) -> Iterator[tuple[Picture, FloatArray]]:
    """Somebody else who dances: frames (height, width) and their true theta (24, 3)."""
    figure = dress(load_body("anny"), shape_of(8), RUNNER, RUNNER_FACE)
    motion = play(DANCE, np.array([float(i / rate) for i in range(frames)], np.float32))
    skeleton = skeleton_of(figure, motion.theta)
    for row in range(frames):
        scale = 0.43 * size[0]
        stage = Stage(scale, 0.5 * size[1] + float(motion.x[row]) * scale, 0.94 * size[0])
        yield _drawn(figure, skeleton, row, stage, STUDIO, size), motion.theta[row]


def _drawn(figure: Figure, skeleton: Skeleton, row: int, stage: Stage, room: Room, size: tuple[int, int]) -> Picture:
    camera = stage.cameras(np.zeros((1, 3)), lowest_foot(skeleton)[row : row + 1], 1.0)[0]
    drawn = draw_figure(figure, pose_figure(figure, skeleton, row), camera, Light(), size)
    feet = skeleton.landmarks[row, list(HEELS), :2] * camera[0] + camera[1:]
    shaded = with_shadow(backdrop(room, *size), feet, 0.16 * float(camera[0]))
    return Picture(composed(drawn, shaded), drawn.cover, camera)


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
