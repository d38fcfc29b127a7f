"""Which encoders work on this machine."""

from fractions import Fraction

from av.codec import CodecContext
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from retarget_cli.media.codecs import CODECS, encoder_options

_SIDE = 256
_RATE = Fraction(25)


def working_codecs() -> dict[str, bool]:
    """Keys of `CODECS`, and whether each can be opened: NVIDIA's are built in, but need a card."""
    return {key: _opens(key) for key in CODECS}


def _opens(key: str) -> bool:
    codec = CODECS[key]
    try:
        context = CodecContext.create(codec.encoder, "w")
        if not isinstance(context, VideoCodecContext):
            return False
        context.width = context.height = _SIDE
        context.pix_fmt = codec.pixel_format
        context.time_base, context.framerate = 1 / _RATE, _RATE
        context.options = encoder_options(codec, None, None, alpha=False)
        context.open()
    except (FFmpegError, ValueError):
        return False
    return True
