"""Which codecs there are, what each file kind can hold, and how an encoder is set up."""

import difflib
from dataclasses import dataclass, field
from pathlib import Path

from retarget_cli.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to encode a film.

    Attributes:
        encoder: FFmpeg's name for the encoder.
        kinds: file endings whose format can hold it.
        pixel_format: what frames are converted to.
        alpha_format: the same with transparency; None where the codec has none.
        crf: default quality; None where the codec has no such knob.
        options: fixed options of the encoder.
        crf_option: the encoder's name for quality.
        takes_preset: whether it knows x264's speed presets.
        needs_even: whether width and height must be even.
        fallback: the codec to use when this one is not there (no GPU).
        steady: options under which, with one thread, the same frames become the same bytes on every machine: some
            encoders look ahead and share work in ways that depend on the number of cores.
    """

    encoder: str
    kinds: frozenset[str]
    pixel_format: str = "yuv420p"
    alpha_format: str | None = None
    crf: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    crf_option: str = "crf"
    takes_preset: bool = False
    needs_even: bool = True
    fallback: str | None = None
    steady: dict[str, str] = field(default_factory=dict)


_MODERN = frozenset({".mp4", ".m4v", ".mov", ".mkv"})
_NVENC = {"rc": "constqp", "preset": "p4"}

CODECS = {
    # Its macroblock tree reads memory that nobody has written: equal frames then differ by a few bits now and then.
    "h264": Codec("libx264", _MODERN, crf=18, takes_preset=True, steady={"x264-params": "mbtree=0"}),
    "h265": Codec(
        "libx265",
        _MODERN,
        crf=20,
        takes_preset=True,
        options={"x265-params": "log-level=none"},
        steady={"x265-params": "log-level=none:pools=none:frame-threads=1"},
    ),
    "av1": Codec(
        "libsvtav1",
        frozenset({".mp4", ".m4v", ".mkv", ".webm"}),
        crf=28,
        options={"preset": "9"},
        steady={"svtav1-params": "lp=1"},
    ),
    "vp9": Codec(
        "libvpx-vp9",
        frozenset({".mp4", ".mkv", ".webm"}),
        alpha_format="yuva420p",
        crf=24,
        options={"b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
        steady={"row-mt": "0"},
    ),
    "prores": Codec(
        "prores_ks",
        frozenset({".mov", ".mkv"}),
        "yuv422p10le",
        "yuva444p10le",
        options={"vendor": "apl0", "profile": "hq"},
    ),
    "ffv1": Codec("ffv1", frozenset({".mkv"}), "bgr0", "bgra", options={"level": "3"}, needs_even=False),
    "h264_nvenc": Codec("h264_nvenc", _MODERN, crf=20, crf_option="qp", options=_NVENC, fallback="h264"),
    "h265_nvenc": Codec("hevc_nvenc", _MODERN, crf=22, crf_option="qp", options=_NVENC, fallback="h265"),
    "av1_nvenc": Codec(
        "av1_nvenc",
        frozenset({".mp4", ".m4v", ".mkv"}),
        crf=90,
        crf_option="qp",
        options=_NVENC,
        fallback="av1",
    ),
}

ALIASES = {
    "x264": "h264",
    "libx264": "h264",
    "avc": "h264",
    "x265": "h265",
    "libx265": "h265",
    "hevc": "h265",
    "svtav1": "av1",
    "libsvtav1": "av1",
    "libvpx-vp9": "vp9",
    "prores_ks": "prores",
    "prores4444": "prores",
    "nvenc": "h264_nvenc",
    "hevc_nvenc": "h265_nvenc",
}

_DEFAULTS = {".webm": "vp9"}
_ALPHA_DEFAULTS = {".mov": "prores", ".webm": "vp9", ".mkv": "ffv1"}
FILM_KINDS = frozenset(kind for codec in CODECS.values() for kind in codec.kinds)
CARRIES_ALPHA = ".mov (ProRes 4444), .webm (VP9), .mkv (FFV1), .webp, .gif or a folder of PNGs"


def choose_codec(path: Path, name: str | None, *, alpha: bool) -> str:
    """The key in `CODECS` for an output file.

    Args:
        path: the file, whose ending must be one of `FILM_KINDS`.
        name: what the user asked for, or None for the default of that kind.
        alpha: whether transparency must be kept.

    Raises:
        UsageError: no such codec, or it does not go with the file's kind or with transparency.
    """
    kind = path.suffix.lower()
    if alpha and name is None and kind not in _ALPHA_DEFAULTS:
        raise UsageError(f"{path.name}: {kind} can't hold transparency", f"name the output {CARRIES_ALPHA}")
    if name is None:
        return (_ALPHA_DEFAULTS if alpha else _DEFAULTS).get(kind, "h264")
    key = name.lower().strip()
    key = ALIASES.get(key, key)
    if key not in CODECS:
        nearest = difflib.get_close_matches(key, [*CODECS, *ALIASES], n=1)
        guess = f"; did you mean {nearest[0]}?" if nearest else ""
        raise UsageError(f"codec {name} is unknown{guess}", f"known codecs: {', '.join(CODECS)}")
    codec = CODECS[key]
    if kind not in codec.kinds:
        fitting = ", ".join(k for k, c in CODECS.items() if kind in c.kinds)
        raise UsageError(f"codec {name} does not go into a {kind} file", f"for {kind}: {fitting}")
    if alpha and codec.alpha_format is None:
        raise UsageError(f"codec {name} can't hold transparency", f"name the output {CARRIES_ALPHA}")
    return key


def encoder_options(
    codec: Codec, crf: int | None, preset: str | None, *, alpha: bool, is_steady: bool = False
) -> dict[str, str]:
    """Options to open the encoder with.

    Args:
        codec: which.
        crf: quality, or None for the codec's own.
        preset: speed, or None.
        alpha: whether transparency is kept.
        is_steady: the same frames must become the same bytes on every machine; needs one thread as well.

    Raises:
        UsageError: `crf` or `preset` is out of range, or the codec does not know it.
    """
    options = {**codec.options, **(codec.steady if is_steady else {})}
    if crf is not None and (codec.crf is None or not 0 <= crf <= 63):
        expected = "0 (best) to 51 (63 for av1 and vp9)" if codec.crf is not None else "none for this codec"
        raise UsageError(f"crf is {crf}, expected {expected}", "leave it out for the default")
    if codec.crf is not None:
        options[codec.crf_option] = str(codec.crf if crf is None else crf)
    if codec.takes_preset:
        options["preset"] = preset or "veryfast"
    if alpha and codec.encoder == "prores_ks":
        options.update(profile="4444", alpha_bits="16")
    if alpha and codec.encoder == "libvpx-vp9":
        options["auto-alt-ref"] = "0"
    return options
