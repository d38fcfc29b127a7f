"""Small files that claim, or unpack into, far more than a machine has; made by hand, since no encoder would."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.packet import Packet

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def deflated_zeros(count: int) -> bytes:
    """So many zeros, squeezed two hundredfold, without ever holding them."""
    packer, block = zlib.compressobj(1), bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, packer.compress(bytes(count & 0xFFFFF)), packer.flush()])


def png(width: int, height: int, *extra: bytes, rows: bool = True, depth: int = 1, colour: int = 0) -> bytes:
    """A black picture; `extra` chunks stand before the pixels, which may be left out."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    line = 1 + (width * depth * samples + 7) // 8
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    data = deflated_zeros(line * height) if rows else b""
    return PNG + head + b"".join(extra) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif(width: int, height: int, frames: int, frame: tuple[int, int] = (1, 1), delay: int = 4) -> bytes:
    """A GIF of one-colour frames that are smaller (or larger) than its screen."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    control = b"\x21\xf9\x04" + struct.pack("<BHB", 0, delay, 0) + b"\0"
    shown = b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\0"
    return head + (control + shown) * frames + b";"


def webp(width: int, height: int) -> bytes:
    """An animated WebP of that canvas, with a frame that is cut short."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    extended = b"VP8X" + struct.pack("<I", 10) + bytes([0x02, 0, 0, 0]) + sides
    loop = b"ANIM" + struct.pack("<I", 6) + bytes(6)
    body = b"WEBP" + extended + loop + b"ANMF" + struct.pack("<I", 16) + bytes(16)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(width: int, height: int, depth: int = 8, samples: int = 1) -> bytes:
    """A TIFF of one deflated strip."""
    strip = zlib.compress(bytes(1 << 16))
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, depth), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, samples), (278, 4, 1, height), (279, 4, 1, len(strip)),
    ]  # fmt: skip
    table = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip + table


def icon(inside: bytes) -> bytes:
    """An ICO whose directory says 16 x 16, with any PNG inside."""
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inside), 22) + inside


def film(path: Path, size: tuple[int, int], packets: list[bytes], times: list[int]) -> Path:
    """A QuickTime film of PNGs, whatever they hold, at times in ms; its header says size (width, height)."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time, content in zip(times, packets, strict=True):
            packet = Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts = packet.dts = time
            packet.is_keyframe = True
            output.mux(packet)
    content = path.read_bytes()
    place = content.index(b"png ", content.index(b"stsd")) + 28
    assert content[place : place + 4] == struct.pack(">HH", 64, 48)
    path.write_bytes(content[:place] + struct.pack(">HH", *size) + content[place + 4 :])
    return path


def archives() -> Iterator[tuple[str, bytes]]:
    """(name, content) of what is no picture, no film, no motion and no subject, and must never be unpacked."""
    squeezed = io.BytesIO()
    with zipfile.ZipFile(squeezed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", bytes(1 << 20))
    yield "archive.zip", squeezed.getvalue()
    yield "weights.pt", squeezed.getvalue()
    arrays = io.BytesIO()
    np.savez_compressed(arrays, pose=np.zeros((1000, 33, 3)))
    yield "arrays.npz", arrays.getvalue()
    bundle = io.BytesIO()
    with tarfile.open(fileobj=bundle, mode="w") as file:
        entry = tarfile.TarInfo("000000.png")
        entry.size = 4
        file.addfile(entry, io.BytesIO(b"\x89PNG"))
    yield "frames.tar", bundle.getvalue()
    yield "thing.pkl", pickle.dumps({"pose": [1, 2, 3]})
    yield "drawing.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9e9" height="9e9"/>'
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    yield "laughs.svg", f'<!DOCTYPE svg [<!ENTITY l0 "ha">{laughs}]><svg>&l9;</svg>'.encode()
    yield "list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n"
    yield "list.ffconcat", b"ffconcat version 1.0\nfile /etc/hostname\n"
    yield "show.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    yield "page.html", b"<!doctype html><video src='http://127.0.0.1:9/x.mp4'></video>"
    yield "feed.mpd", b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'
