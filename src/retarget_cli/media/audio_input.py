"""The sound of a file: looked at before anything is promised, then read from a point in time."""

import itertools
import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet

from retarget_cli.media.audio import AudioTrack
from retarget_cli.media.files import av_url
from retarget_cli.media.limits import input_options

log = logging.getLogger(__name__)

Samples = npt.NDArray[np.float32]

_PROBED_PACKETS = 20
_MOST_BAD_READS = 20
# Decoders need what comes before; demuxers may land a little behind what was asked.
_RUN_UP = Fraction(1, 2)


_Timed = Iterator[tuple[Fraction, Any]]


class NoSoundError(Exception):
    """There is no sound to be had; the message says why, for the user."""


class AudioInput:
    """Sound of a file from `AudioTrack.start` on.

    Attributes:
        stream: the audio stream.
        codec: its codec's name, such as "aac".
        damage: how many packets could not be decoded or read so far.

    Convention:
        All times are seconds since `AudioTrack.start`, so 0 is the first moment of the film.
    """

    def __init__(self, track: AudioTrack) -> None:
        """Open the file and decode a little of it.

        Raises:
            NoSoundError: it has no sound, or none there, or it is damaged.
        """
        self._track = track
        self.damage = 0
        self._container, self.stream = _opened(track)
        self.codec = self.stream.codec.canonical_name
        try:
            self._probe()
        except FFmpegError as error:
            self.close()
            raise NoSoundError(f"that of {track.path.name} is damaged ({error})") from error
        except NoSoundError:
            self.close()
            raise
        self.damage = 0
        self._container.close()
        self._container, self.stream = _opened(track)

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        self._container.close()

    def packets(self) -> "Iterator[tuple[Fraction, Packet[AudioStream]]]":
        """(time, packet) from shortly before the start on, those without a time left out."""
        self._seek()
        tick = self.stream.time_base or Fraction(1, 90000)
        for packet in self._demuxed():
            ticks = packet.pts if packet.pts is not None else packet.dts
            if ticks is not None and packet.size and not packet.is_corrupt:
                yield ticks * tick - self._track.start, packet

    def samples(self, rate: int, channels: int) -> Iterator[tuple[Fraction, Samples]]:
        """Decoded sound.

        Yields:
            (time, samples): samples (channels, n) float32 in [-1, 1] that start at `time`.
        """
        resampler = AudioResampler("fltp", "mono" if channels == 1 else "stereo", rate)
        for _, packet in self.packets():
            try:
                frames = packet.decode()
                resampled = [part for frame in frames for part in resampler.resample(frame)]
            except (FFmpegError, ValueError) as error:
                self._note_damage(error)
                continue
            for frame in resampled:
                if frame.pts is not None and frame.time_base is not None:
                    time = frame.pts * frame.time_base - self._track.start
                    yield time, np.asarray(frame.to_ndarray(), dtype=np.float32)

    def _demuxed(self) -> "Iterator[Packet[AudioStream]]":
        bad_reads = 0
        while bad_reads < _MOST_BAD_READS:
            try:
                yield from self._container.demux(self.stream)
                return
            except FFmpegError as error:
                bad_reads += 1
                self._note_damage(error)

    def _seek(self) -> None:
        tick = self.stream.time_base or Fraction(1, 90000)
        begin = self._track.start - _RUN_UP
        if begin <= (self.stream.start_time or 0) * tick:
            return
        try:
            self._container.seek(int(begin / tick), stream=self.stream)
        except FFmpegError as error:
            log.debug("%s: can't seek in the sound (%s)", self._track.path, error)
            self._container.close()
            self._container, self.stream = _opened(self._track)

    def _probe(self) -> None:
        """Decode the first packets behind the start; most of them must be sound."""
        wanted: _Timed = ((time, packet) for time, packet in self.packets() if _ends(time, packet) > 0)
        if self._track.end is not None:
            length = self._track.end - self._track.start
            wanted = itertools.takewhile(lambda timed: timed[0] < length, wanted)
        decoded = tried = 0
        for _, packet in itertools.islice(wanted, _PROBED_PACKETS):
            tried += 1
            try:
                decoded += bool(packet.decode())
            except FFmpegError as error:
                self._note_damage(error)
        if not tried:
            raise NoSoundError(f"{self._track.path.name} has none at {float(self._track.start):.2f} s")
        # The first packet of some codecs gives nothing yet.
        if decoded == 0 or self.damage > tried / 2:
            raise NoSoundError(f"that of {self._track.path.name} is damaged")

    def _note_damage(self, reason: object) -> None:
        self.damage += 1
        log.debug("%s: damaged sound: %s", self._track.path, reason)


def _ends(time: Fraction, packet: "Packet[AudioStream]") -> Fraction:
    return time + packet_duration(packet)


def packet_duration(packet: "Packet[AudioStream]") -> Fraction:
    """How long a packet sounds, in seconds; a fiftieth of one where it does not say."""
    if packet.duration and packet.time_base:
        return packet.duration * packet.time_base
    return Fraction(1, 50)


def _opened(track: AudioTrack) -> tuple[InputContainer, AudioStream]:
    try:
        container = av.open(av_url(track.path), "r", options=input_options(), metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        raise NoSoundError(f"{track.path.name} can't be read ({error})") from error
    streams = container.streams.audio
    usable = [stream for stream in streams if stream.codec_context is not None and stream.sample_rate]
    if not usable:
        container.close()
        reason = "has none that can be decoded here" if streams else "has none"
        raise NoSoundError(f"{track.path.name} {reason}")
    return container, usable[0]
