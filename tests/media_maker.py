"""Makes every kind of media that the tests need, and reads results back to be checked.

The reading half uses PyAV and Pillow directly, never the code under test.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

Pixels = npt.NDArray[np.uint8]

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 170, 40), (40, 40, 210), (235, 235, 235)
SAMPLE_RATE = 48000
BEEP_SECONDS = 0.05


def picture(height: int = 48, width: int = 64, shade: int = 0) -> Pixels:
    """A picture that shows every flip and turn: (H, W, 3).

    Quadrants: top left red, top right green, bottom left blue, bottom right white. The middle ninth is
    gray of the level `shade`.
    """
    rgb = np.empty((height, width, 3), dtype=np.uint8)
    top, left = height // 2, width // 2
    rgb[:top, :left], rgb[:top, left:] = RED, GREEN
    rgb[top:, :left], rgb[top:, left:] = BLUE, WHITE
    rgb[height // 3 : -(height // 3), width // 3 : -(width // 3)] = shade
    return rgb


def shade_of(index: int) -> int:
    """The gray that frame `index` of a made clip has in its middle."""
    return 20 + 10 * (index % 21)


def index_in(rgb: Pixels) -> int:
    """Which frame of a made clip this is (modulo 21), by the gray in its middle."""
    height, width = rgb.shape[:2]
    middle = rgb[height * 4 // 9 : height * 5 // 9 + 1, width * 4 // 9 : width * 5 // 9 + 1]
    return round((float(middle.mean()) - 20) / 10)


def corners(rgb: Pixels) -> list[str]:
    """Names of the colours top left, top right, bottom left, bottom right."""
    height, width = rgb.shape[:2]
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    found = []
    for y, x in ((1, 1), (1, -2), (-2, 1), (-2, -2)):
        row = height // 8 if y > 0 else -height // 8
        column = width // 8 if x > 0 else -width // 8
        colour = rgb[row, column].astype(int)
        found.append(min(names, key=lambda name: abs(colour - names[name]).sum()))
    return found


UPRIGHT = ["red", "green", "blue", "white"]


@dataclass
class Clip:
    """What a made video is like."""

    size: tuple[int, int] = (48, 64)
    rate: Fraction = Fraction(24)
    count: int = 12
    times: Sequence[Fraction] | None = None
    tick: Fraction | None = None
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"crf": "6"})
    gop: int = 12
    rotation: int = 0
    hflip: bool = False
    aspect: Fraction | None = None
    matrix: int | None = 1
    full_range: bool = False
    transfer: int | None = None
    primaries: int | None = None
    audio_codec: str | None = None
    audio_seconds: float = 0.0
    audio_offset: Fraction = Fraction(0)
    beeps: Sequence[float] = ()
    container: str | None = None


def make_video(path: Path, clip: Clip | None = None, frames: Iterable[Pixels] | None = None) -> Path:
    """Write a clip; frame i shows `shade_of(i)` unless frames are given."""
    clip = clip or Clip()
    times = clip.times if clip.times is not None else [i / clip.rate for i in range(clip.count)]
    tick = clip.tick or Fraction(1, clip.rate.numerator * 512)
    pictures = frames or (picture(*clip.size, shade_of(i)) for i in range(len(times)))
    with av.open(str(path), "w", format=clip.container) as output:
        stream = output.add_stream(clip.codec, rate=clip.rate, options=clip.options)
        stream.height, stream.width = clip.size
        stream.pix_fmt = clip.pixel_format
        context = stream.codec_context
        context.time_base, context.gop_size = tick, clip.gop
        if clip.aspect:
            context.sample_aspect_ratio = clip.aspect
        context.color_range = 2 if clip.full_range else 1
        context.colorspace = 2 if clip.matrix is None else clip.matrix
        if clip.transfer:
            context.color_trc, context.color_primaries = clip.transfer, clip.primaries or 9
        if clip.rotation or clip.hflip:
            stream.set_display_rotation(clip.rotation, hflip=clip.hflip)
        sound = output.add_stream(clip.audio_codec, rate=SAMPLE_RATE) if clip.audio_codec else None
        if sound is not None:
            sound.layout = "mono"
        scaler = VideoReformatter()
        for rgb, time in zip(pictures, times, strict=False):
            frame = _coded(scaler, rgb, clip)
            frame.pts, frame.time_base = round(time / tick), tick
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if sound is not None:
            for frame in _sound_frames(clip):
                output.mux(sound.encode(frame))
            output.mux(sound.encode(None))
    return path


def _coded(scaler: VideoReformatter, rgb: npt.NDArray[np.generic], clip: Clip) -> VideoFrame:
    if clip.pixel_format == "gray" and not clip.full_range:
        rgb = np.rint(16 + rgb * (219 / 255)).astype(np.uint8)  # swscale would make it full range
    frame = VideoFrame.from_ndarray(rgb, format="rgb48le" if rgb.dtype == np.uint16 else "rgb24")
    matrix = {1: 1, 9: 9}.get(clip.matrix or 5, 5)
    return scaler.reformat(
        frame,
        format=clip.pixel_format,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=2,
        dst_color_range=2 if clip.full_range or clip.pixel_format.startswith("yuvj") else 1,
    )


def beeping(seconds: float, beeps: Sequence[float]) -> npt.NDArray[np.float32]:
    """Silence with 1 kHz beeps that begin at the given times: (1, n) float32."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * 1000 * time)
    loud = np.zeros_like(time)
    for beep in beeps:
        loud[(time >= beep) & (time < beep + BEEP_SECONDS)] = 0.7
    return (wave * loud).astype(np.float32)[None]


def _sound_frames(clip: Clip) -> Iterable[AudioFrame]:
    samples = beeping(clip.audio_seconds, clip.beeps)
    for start in range(0, samples.shape[1], 1024):
        block = np.ascontiguousarray(samples[:, start : start + 1024])
        frame = AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
        frame.pts = start + round(clip.audio_offset * SAMPLE_RATE)
        yield frame


def damage(path: Path, start: float, end: float) -> Path:
    """Overwrite a part of a file, given as fractions of its length, with noise."""
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * start), int(len(data) * end)
    data[first:last] = np.random.default_rng(0).integers(0, 256, last - first, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    return path


def truncate(path: Path, share: float) -> Path:
    """Keep only the first share of a file's bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@dataclass
class Probe:
    """What a written film is like, read back with PyAV alone."""

    times: list[Fraction]
    size: tuple[int, int]
    rate: Fraction
    codec: str
    pixel_format: str
    frames: list[Pixels]
    tags: dict[str, str]
    audio_codec: str | None = None
    beeps: list[float] = field(default_factory=list)
    sound_end: float = 0.0
    video_end: float = 0.0
    colours: tuple[int, int, int, int] = (2, 2, 2, 0)


def probe(path: Path) -> Probe:
    """Read a film back whole."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoded = list(container.decode(stream))
        times = [frame.pts * frame.time_base for frame in decoded]
        context = stream.codec_context
        result = Probe(
            times=times,
            size=(stream.height, stream.width),
            rate=stream.average_rate or Fraction(0),
            codec=context.name,
            pixel_format=context.pix_fmt or "",
            frames=[frame.to_ndarray(format="rgb24") for frame in decoded],
            tags={**container.metadata},
            colours=(
                int(decoded[0].colorspace),
                int(decoded[0].color_primaries),
                int(decoded[0].color_trc),
                int(decoded[0].color_range),
            ),
        )
        result.video_end = float(times[-1] + 1 / result.rate)
        if container.streams.audio:
            result.audio_codec = container.streams.audio[0].codec.canonical_name
    if result.audio_codec:
        result.beeps, result.sound_end = heard(path)
    return result


def heard(path: Path) -> tuple[list[float], float]:
    """When the beeps of a film's sound begin, and when the sound ends, in seconds on the film's clock."""
    end = 0.0
    pieces: list[tuple[float, npt.NDArray[np.float32]]] = []
    with av.open(str(path)) as container:
        resampler = AudioResampler("fltp", "mono", SAMPLE_RATE)
        for frame in container.decode(container.streams.audio[0]):
            for part in resampler.resample(frame):
                begin = float(part.pts * part.time_base)
                pieces.append((begin, part.to_ndarray()[0]))
                end = max(end, begin + part.samples / SAMPLE_RATE)
    line = np.zeros(round(end * SAMPLE_RATE) + 2, dtype=np.float32)
    for begin, samples in pieces:
        at = round(begin * SAMPLE_RATE)
        kept = samples[max(0, -at) :]
        line[max(0, at) : max(0, at) + len(kept)] = kept[: len(line) - max(0, at)]
    return _onsets(line), end


def _onsets(line: npt.NDArray[np.float32]) -> list[float]:
    loud = np.flatnonzero(np.abs(line) > 0.2)
    if not len(loud):
        return []
    # Within a beep, the sine is loud again long before 20 ms have passed.
    first = np.concatenate([[True], np.diff(loud) > 0.02 * SAMPLE_RATE])
    return [float(at) / SAMPLE_RATE for at in loud[first]]
