"""Sound put under a film that is being written: copied as it is where possible, else encoded again.

Copied packets keep their times exactly, so nothing shifts; only the edges are as coarse as one packet
(about 20 ms): sound may begin up to one packet late (.mkv, .webm; in .mp4 and .mov an edit list cuts it
exactly) and end up to half a packet off the last frame. Encoded sound is cut at the sample.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import ArgumentError, FFmpegError, InvalidDataError
from av.packet import Packet

from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.audio_input import AudioInput, NoSoundError, Samples, packet_duration

log = logging.getLogger(__name__)

_COPIED = {
    ".mp4": frozenset({"aac", "mp3", "ac3", "eac3", "alac"}),
    ".m4v": frozenset({"aac", "ac3", "alac"}),
    ".mov": frozenset({"aac", "mp3", "ac3", "alac", "pcm_s16le"}),
    ".mkv": frozenset({"aac", "mp3", "opus", "vorbis", "flac", "ac3", "eac3", "alac", "pcm_s16le"}),
    ".webm": frozenset({"opus", "vorbis"}),
}
_NEGATIVE_TIMES = frozenset({".mp4", ".m4v", ".mov"})
_BIT_RATE = 96_000
# Decoded sound is put where its time says; what differs by less is the rounding of times.
_JITTER = Fraction(1, 100)
_BLOCK = 1024


class Sound(ABC):
    """One audio track on its way into an output.

    Attributes:
        note: what went wrong on the way, or "".
    """

    def __init__(self, source: AudioInput, output: OutputContainer, length: Fraction | None) -> None:
        self.note = ""
        self._source = source
        self._output = output
        self._length = length
        self._is_over = False

    def advance(self, until: Fraction) -> None:
        """Write the sound up to a time, in seconds since the film's first frame."""
        if self._is_over:
            return
        try:
            self._advance(until if self._length is None else min(until, self._length))
        except (InvalidDataError, ArgumentError, ValueError) as error:
            # The film is worth more than the rest of its sound.
            self._is_over = True
            self.note = f"the sound stops at {float(until):.2f} s: it is damaged"
            log.debug("%s: %s", self.note, error)

    def finish(self, end: Fraction) -> None:
        """Write the rest, up to the end of the film."""
        self.advance(end)
        if not self._is_over:
            self._flush()
        if self._source.damage and not self.note:
            self.note = f"the sound is damaged in {self._source.damage} places"
        self.close()

    def close(self) -> None:
        """Let go of the source; safe to call twice."""
        self._source.close()

    @abstractmethod
    def _advance(self, until: Fraction) -> None:
        """Write up to `until`."""

    @abstractmethod
    def _flush(self) -> None:
        """Write what the encoder holds back."""


class CopiedSound(Sound):
    """Packets as they are, at their own times."""

    def __init__(
        self, source: AudioInput, output: OutputContainer, length: Fraction | None, kind: str
    ) -> None:
        super().__init__(source, output, length)
        self._stream = output.add_stream_from_template(source.stream)
        self._packets = source.packets()
        self._next: tuple[Fraction, Packet] | None = None  # type: ignore[type-arg]
        self._earliest = Fraction(0)
        self._keeps_overlap = kind in _NEGATIVE_TIMES
        self._last_ticks: int | None = None

    def _advance(self, until: Fraction) -> None:
        while True:
            self._next = self._next or next(self._packets, None)
            if self._next is None:
                return
            time, packet = self._next
            duration = packet_duration(packet)
            if time + duration / 2 > until:
                return
            self._next = None
            if time >= 0 or (self._keeps_overlap and time + duration > 0):
                self._copy(time, packet)

    def _copy(self, time: Fraction, packet: "Packet[AudioStream]") -> None:
        tick = packet.time_base
        ticks = round(time / tick)
        if self._last_ticks is not None and ticks <= self._last_ticks:
            return
        self._last_ticks = ticks
        packet.stream = self._stream
        packet.pts = packet.dts = ticks
        self._output.mux_one(packet)

    def _flush(self) -> None:
        pass


class EncodedSound(Sound):
    """Sound decoded, cut at the sample and encoded as AAC or Opus."""

    def __init__(
        self, source: AudioInput, output: OutputContainer, length: Fraction | None, kind: str
    ) -> None:
        super().__init__(source, output, length)
        self._rate = 44100 if source.stream.sample_rate == 44100 and kind != ".webm" else 48000
        self._channels = 1 if source.stream.channels == 1 else 2
        self._layout = "mono" if self._channels == 1 else "stereo"
        self._stream = output.add_stream("libopus" if kind == ".webm" else "aac", rate=self._rate)
        self._stream.layout = self._layout
        self._stream.bit_rate = _BIT_RATE * self._channels
        self._stream.codec_context.open()
        self._chunks = source.samples(self._rate, self._channels)
        self._pending = np.zeros((self._channels, 0), dtype=np.float32)
        self._position = 0  # of the first pending sample

    def _advance(self, until: Fraction) -> None:
        target = round(until * self._rate)
        while self._end < target:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            offset = round(chunk[0] * self._rate)
            if offset > target:
                self._chunks = chain([chunk], self._chunks)
                self._append(np.zeros((self._channels, target - self._end), dtype=np.float32))
                break
            self._place(offset, chunk[1])
        self._encode(target - self._position)

    @property
    def _end(self) -> int:
        return self._position + self._pending.shape[1]

    def _place(self, offset: int, samples: Samples) -> None:
        """Put samples where their time says: silence into gaps, overlap cut away."""
        gap = offset - self._end
        if self._end > 0 and abs(gap) <= _JITTER * self._rate:
            gap = 0
        if gap > 0:
            self._append(np.zeros((self._channels, gap), dtype=np.float32))
        self._append(samples[:, max(0, -gap) :])

    def _append(self, samples: Samples) -> None:
        self._pending = np.concatenate([self._pending, samples], axis=1)

    def _encode(self, count: int) -> None:
        while count > 0 and self._pending.shape[1]:
            block = np.ascontiguousarray(self._pending[:, : min(count, _BLOCK)])
            self._pending = self._pending[:, block.shape[1] :]
            frame = AudioFrame.from_ndarray(block, format="fltp", layout=self._layout)
            frame.sample_rate = self._rate
            frame.time_base = Fraction(1, self._rate)
            frame.pts = self._position
            self._position += block.shape[1]
            count -= block.shape[1]
            self._mux(self._stream.encode(frame))

    def _flush(self) -> None:
        self._mux(self._stream.encode(None))

    def _mux(self, packets: "Sequence[Packet[AudioStream]]") -> None:
        for packet in packets:
            self._output.mux_one(packet)


def open_sound(track: AudioTrack, output: OutputContainer, kind: str) -> Sound:
    """Add a track's sound to an output that has not begun to write.

    Args:
        track: what to add.
        output: the film.
        kind: the film's file ending, such as ".mp4".

    Raises:
        NoSoundError: there is none to be had; the output is as it was.
    """
    source = AudioInput(track)
    length = None if track.end is None else track.end - track.start
    try:
        if source.codec in _COPIED[kind]:
            return CopiedSound(source, output, length, kind)
        return EncodedSound(source, output, length, kind)
    except (FFmpegError, ValueError) as error:
        source.close()
        raise NoSoundError(f"{source.codec} does not go into {kind} ({error})") from error
