"""The main job end to end, on a drawn person: what goes in, and what is read back from the file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image
from tests.media_maker import Clip, probe
from tests.workflows.conftest import BEEPS, COUNT, FILM, PHOTO, Make, Scene
from tests.workflows.scenes import NTSC, clip_of, draw

from retarget_cli.backends.avatar.backend import AvatarPerformer
from retarget_cli.backends.registry import DEFAULT
from retarget_cli.core.errors import BackendError, InputError, OutputError, RetargetError, UsageError
from retarget_cli.core.progress import Silence
from retarget_cli.media.images import write_png
from retarget_cli.perception.cache import Cache
from retarget_cli.perception.missing import Missing
from retarget_cli.perception.pose import PoseEstimator
from retarget_cli.workflows import animate as module
from retarget_cli.workflows.animate import animate
from retarget_cli.workflows.animate_options import AnimateOptions, check_options
from retarget_cli.workflows.driving import Excerpt
from retarget_cli.workflows.extract import extract_motion

TIMES = [n / NTSC for n in range(COUNT)]


def left(folder: Path) -> list[str]:
    """Names of everything in a folder, hidden files too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def people(rgb: np.ndarray, wall: object = (90, 140, 100)) -> np.ndarray:
    """(H, W): where a frame differs from the wall."""
    return np.abs(rgb.astype(int) - np.array(wall)).max(-1) > 30


def test_frames_times_size_and_sound_are_those_of_the_clip_and_the_photo(make: Make, tmp_path: Path) -> None:
    result = make()
    film = probe(result.path)
    assert film.times == TIMES
    assert film.rate == NTSC == result.rate
    assert film.size == PHOTO == result.size
    assert len(film.frames) == COUNT == result.frames
    assert film.audio_codec == "aac"
    assert film.beeps == pytest.approx(BEEPS, abs=0.005)
    assert (film.codec, film.pixel_format) == ("h264", "yuv420p")
    assert result.notes == ()
    assert 0 < result.first_frame < result.seconds
    assert left(tmp_path) == ["out.mp4"]


def test_the_person_stands_before_the_photos_wall_and_moves(make: Make, scene: Scene) -> None:
    film = probe(make().path)
    photo = np.asarray(Image.open(scene.photo))
    assert np.abs(film.frames[0].astype(int) - photo).mean() < 8
    for frame in film.frames:
        assert np.abs(frame[:5].astype(int) - (90, 140, 100)).max() < 24
        assert 0.5 < people(frame).sum() / people(photo).sum() < 1.5
    # The left hand, on the right of the picture, goes up and comes back.
    heights = [np.flatnonzero(people(frame)[:, PHOTO[1] // 2 + 22 :].any(1)).min() for frame in film.frames]
    assert min(heights[6:12]) < heights[0] - 8
    assert abs(heights[-1] - heights[0]) < 14


def test_the_file_says_that_it_is_synthetic(make: Make) -> None:
    assert "synthetic" in probe(make().path).tags["comment"].lower()
    for name in ("b.gif", "b.webp", "b"):
        path = make(name, excerpt=Excerpt(max_frames=2)).path
        content = (path / "000000.png" if path.is_dir() else path).read_bytes().lower()
        assert b"synthetic" in content, name


@pytest.mark.parametrize(
    ("text", "size"), [("120", (120, 80)), ("480", (480, 320)), ("200x120", (120, 200)), ("161x91", (92, 162))]
)
def test_size(make: Make, text: str, size: tuple[int, int]) -> None:
    assert probe(make(size=text, excerpt=Excerpt(max_frames=2)).path).size == size


def test_without_sound(make: Make) -> None:
    assert probe(make(has_audio=False).path).audio_codec is None


def test_other_sound(make: Make, tmp_path: Path) -> None:
    other = clip_of(
        tmp_path / "other.mp4",
        Clip((64, 64), Fraction(25), 15, audio_codec="aac", audio_seconds=0.6, beeps=(0.25,)),
    )
    assert probe(make(audio=other).path).beeps == pytest.approx([0.25], abs=0.005)


@pytest.mark.parametrize("fps", [Fraction(12), Fraction(30000, 1001), Fraction(60), Fraction(7, 2)])
def test_another_rate_keeps_the_duration_and_the_sound(make: Make, fps: Fraction) -> None:
    film = probe(make(fps=fps).path)
    assert film.times == [n / fps for n in range(1000) if n / fps <= TIMES[-1]]
    assert film.beeps[: len(BEEPS)] == pytest.approx([b for b in BEEPS if b < film.sound_end], abs=0.005)


def test_a_part_of_the_clip(make: Make) -> None:
    film = probe(make(excerpt=Excerpt(6 / NTSC, 16 / NTSC)).path)
    assert film.times == TIMES[:10]
    assert film.beeps == pytest.approx([BEEPS[1] - float(6 / NTSC)], abs=0.01)
    assert probe(make("b.mp4", excerpt=Excerpt(6 / NTSC, max_frames=3)).path).times == TIMES[:3]


def test_a_part_without_frames_is_an_error(make: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        make(excerpt=Excerpt(Fraction(500)))
    assert left(tmp_path) == []


def test_uneven_times_are_kept_exactly(make: Make, tmp_path: Path) -> None:
    numbers = (0, 1, 2, 5, 6, 7, 11, 12, 13, 16)
    times = [Fraction(n, 24) for n in numbers]
    clip = clip_of(tmp_path / "vfr.mp4", Clip(FILM, Fraction(24), times=times))
    film = probe(make(driving=clip).path)
    assert film.times == times


def test_compare_shows_three_pictures(make: Make, scene: Scene) -> None:
    film = probe(make(is_compared=True).path)
    photo = np.asarray(Image.open(scene.photo))
    clip = probe(scene.clip)
    height, width = PHOTO
    beside = 2 * round(FILM[1] * height / FILM[0] / 2)
    assert film.size == (height, 2 * width + beside)
    for shown, truth in zip(film.frames, clip.frames, strict=True):
        assert np.abs(shown[:, :width].astype(int) - photo).mean() < 4
        small = cv2.resize(truth, (beside, height), interpolation=cv2.INTER_AREA)
        assert np.abs(shown[:, width : width + beside].astype(int) - small).mean() < 5
    alone = probe(make("alone.mp4").path)
    assert np.abs(film.frames[7][:, -width:].astype(int) - alone.frames[7]).mean() < 4


def test_a_folder_of_pngs(make: Make) -> None:
    result = make("frames")
    names = [path.name for path in sorted(result.path.iterdir())]
    assert names == [f"{n:06d}.png" for n in range(COUNT)]
    with Image.open(result.path / "000003.png") as picture:
        assert picture.size == (PHOTO[1], PHOTO[0])
        assert picture.mode == "RGB"
    assert any("sound" in note for note in result.notes)


@pytest.mark.parametrize("name", ["out.gif", "out.webp"])
def test_animations(make: Make, name: str) -> None:
    result = make(name)
    with Image.open(result.path) as picture:
        assert picture.n_frames == COUNT
        assert picture.size == (PHOTO[1], PHOTO[0])
        total = 0.0
        for frame in range(COUNT):
            picture.seek(frame)
            picture.load()
            total += picture.info["duration"]
    assert total == pytest.approx(float(COUNT / NTSC * 1000), abs=15)


@pytest.mark.parametrize(("name", "codec"), [("out.webm", "vp9"), ("out.mkv", "h264"), ("out.mov", "h264")])
def test_other_films(make: Make, name: str, codec: str) -> None:
    film = probe(make(name).path)
    assert film.codec == codec
    assert len(film.frames) == COUNT
    assert [float(time) for time in film.times] == pytest.approx([float(time) for time in TIMES], abs=0.0011)
    assert film.beeps == pytest.approx(BEEPS, abs=0.006)


def alphas(path: Path) -> list[np.ndarray]:
    """(H, W) transparency of every frame, read with the decoder that keeps it."""
    if path.is_dir():
        return [np.asarray(Image.open(each))[..., 3] for each in sorted(path.iterdir())]
    if path.suffix in {".gif", ".webp"}:
        found = []
        with Image.open(path) as picture:
            for number in range(picture.n_frames):
                picture.seek(number)
                found.append(np.asarray(picture.convert("RGBA"))[..., 3])
        return found
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "vp9":
            return [frame.to_ndarray(format="rgba")[..., 3] for frame in container.decode(stream)]
        decoder = av.CodecContext.create("libvpx-vp9", "r")
        packets = [packet for packet in container.demux(stream) if packet.size]
        frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
        return [frame.to_ndarray(format="rgba")[..., 3] for frame in frames]


@pytest.mark.parametrize("name", ["out.webm", "out.mov", "out.mkv", "out", "out.webp", "out.gif"])
def test_transparent_outside_of_the_person(make: Make, name: str) -> None:
    result = make(name, background="transparent", excerpt=Excerpt(max_frames=3))
    found = alphas(result.path)
    assert len(found) == 3
    for alpha in found:
        assert alpha.shape == PHOTO
        assert alpha[:5].max() < 12
        assert alpha[:, :4].max() < 12
        assert alpha[100:110, 76:84].min() > 240
        assert 0.08 < (alpha > 128).mean() < 0.35


def test_transparency_that_does_not_fit_is_found_before_the_work(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no transparency"):
        make("out.mp4", background="transparent", driving=tmp_path)
    assert left(tmp_path) == []


def test_a_coloured_background(make: Make) -> None:
    film = probe(make(background="#2040e0", excerpt=Excerpt(max_frames=2)).path)
    for frame in film.frames:
        outside = ~cv2.dilate(people(frame, (32, 64, 224)).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
        assert outside.mean() > 0.5
        assert np.abs(frame[outside].astype(int) - (32, 64, 224)).mean() < 8
        assert outside[:3].all()


def test_the_driving_clips_background(make: Make) -> None:
    frame = probe(make(background="driving", excerpt=Excerpt(max_frames=1)).path).frames[0]
    assert np.abs(frame[:5].astype(int) - 120).max() < 16


def test_a_background_that_is_not_there_leaves_nothing(make: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        make(background="gone.png")
    assert left(tmp_path) == []


def test_a_motion_file_gives_the_same_frames_as_its_clip(make: Make, scene: Scene, tmp_path: Path) -> None:
    saved = extract_motion(scene.clip, tmp_path / "dance.motion", cache=scene.cache)
    assert (saved.frames, saved.present) == (COUNT, COUNT)
    again = probe(make("b.mp4", driving=saved.path).path)
    assert again.times == TIMES
    assert again.audio_codec is None
    assert same_pngs(make("a").path, make("b", driving=saved.path).path) == COUNT


def same_pngs(one: Path, other: Path) -> int:
    """How many frames of two folders are equal to the last bit; x264's threads are not that faithful."""
    pairs = zip(sorted(one.iterdir()), sorted(other.iterdir()), strict=True)
    return sum(np.array_equal(np.asarray(Image.open(a)), np.asarray(Image.open(b))) for a, b in pairs)


def test_extract_asks_before_it_overwrites(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "dance.motion"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        extract_motion(scene.clip, path, cache=scene.cache)
    assert path.read_bytes() == b"mine"
    with pytest.raises(InputError, match="no such file"):
        extract_motion(tmp_path / "none.mp4", path, cache=scene.cache)
    assert extract_motion(scene.clip, path, cache=scene.cache, may_overwrite=True).frames == COUNT


def test_a_second_run_perceives_nothing_and_gives_the_same(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path / "cache", 10**9)
    looked = 0
    look = PoseEstimator.find

    def counted(self: PoseEstimator, rgb: np.ndarray) -> object:
        nonlocal looked
        looked += 1
        return look(self, rgb)

    monkeypatch.setattr(PoseEstimator, "find", counted)
    first = make("a", cache=cache).path
    assert looked >= COUNT + 1
    looked = 0
    second = make("b", cache=cache).path
    assert looked == 0
    assert same_pngs(first, second) == COUNT
    make("c.mp4", cache=cache, excerpt=Excerpt(max_frames=2))
    assert looked == 2  # another part of the clip is perceived anew; the photo is known


GAP = frozenset({5, 6, 7, 8})


@pytest.fixture(scope="module")
def gappy(scene: Scene) -> Path:
    """The clip with nobody in frames 5 to 8, and a beep with frame 9."""
    sound = {"audio_codec": "aac", "audio_seconds": 0.6, "beeps": [0.1, float(9 / NTSC) + 0.05]}
    return clip_of(scene.folder / "gappy.mp4", Clip(FILM, NTSC, COUNT, **sound), GAP)


def test_hold_keeps_every_frame_in_step(make: Make, gappy: Path) -> None:
    film = probe(make(driving=gappy).path)
    assert film.times == TIMES
    assert film.beeps == pytest.approx([0.1, float(9 / NTSC) + 0.05], abs=0.006)
    assert all(people(frame).sum() > 1000 for frame in film.frames)


def test_skip_leaves_frames_out_and_keeps_times_and_sound(make: Make, gappy: Path) -> None:
    film = probe(make(driving=gappy, missing=Missing.SKIP).path)
    assert 0 < len(film.times) < COUNT
    assert set(film.times) <= set(TIMES)
    assert not set(film.times) & {TIMES[6], TIMES[7]}
    assert film.times[-1] == TIMES[-1]
    assert film.beeps == pytest.approx([0.1, float(9 / NTSC) + 0.05], abs=0.006)


def test_skip_at_the_start_takes_the_sound_from_there(make: Make, scene: Scene) -> None:
    sound = {"audio_codec": "aac", "audio_seconds": 0.6, "beeps": [0.35]}
    clip = clip_of(scene.folder / "late.mp4", Clip(FILM, NTSC, COUNT, **sound), frozenset(range(6)))
    film = probe(make(driving=clip, missing=Missing.SKIP).path)
    first = COUNT - len(film.times)
    assert first >= 6
    assert film.times[0] == 0
    assert film.beeps == pytest.approx([0.35 - float(first / NTSC)], abs=0.01)


def test_fail_stops_at_the_first_gap(make: Make, gappy: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nobody is seen at 0:00\.1"):
        make(driving=gappy, missing=Missing.FAIL)
    assert left(tmp_path) == []


def test_nobody_in_the_clip_or_in_the_photo(make: Make, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    empty = clip_of(tmp_path / "in" / "empty.mp4", Clip((96, 64), Fraction(25), 6), frozenset(range(6)))
    with pytest.raises(InputError, match="no person"):
        make(driving=empty)
    write_png(tmp_path / "in" / "wall.png", np.full((96, 64, 3), 120, np.uint8))
    with pytest.raises(InputError, match=r"wall\.png"):
        make(sources=(str(tmp_path / "in" / "wall.png"),))
    assert left(tmp_path) == ["in", "in/empty.mp4", "in/wall.png"]


@pytest.mark.parametrize("name", ["out.mp4", "out", "out.gif"])
def test_an_output_that_exists_is_not_touched(make: Make, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix:
        path.write_bytes(b"mine")
    else:
        path.mkdir()
        (path / "mine.txt").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists") as caught:
        make(name)
    assert caught.value.hint
    assert (path if path.suffix else path / "mine.txt").read_bytes() == b"mine"
    assert left(tmp_path) == ([name] if path.suffix else [name, f"{name}/mine.txt"])


def test_overwriting_replaces_it_whole(make: Make, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"mine")
    assert len(probe(make(may_overwrite=True).path).frames) == COUNT
    assert left(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize("name", ["out.mp4", "deep/er/out.webm", "out.gif", "frames"])
def test_a_failure_in_the_middle_leaves_nothing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    draw_frame = AvatarPerformer.perform

    def breaks(self: AvatarPerformer, driving: object) -> object:
        frames = draw_frame(self, driving)  # type: ignore[arg-type]
        yield next(frames)[:1]
        yield next(draw_frame(self, driving))[:, :3]  # type: ignore[arg-type]

    monkeypatch.setattr(AvatarPerformer, "perform", breaks)
    with pytest.raises(BackendError):
        make(name)
    assert left(tmp_path) == []


def test_a_failure_of_the_old_result_s_successor_keeps_the_old(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.mp4").write_bytes(b"mine")

    def breaks(self: AvatarPerformer, driving: object) -> object:
        raise BackendError("broken")
        yield

    monkeypatch.setattr(AvatarPerformer, "perform", breaks)
    with pytest.raises(BackendError):
        make(may_overwrite=True)
    assert (tmp_path / "out.mp4").read_bytes() == b"mine"
    assert left(tmp_path) == ["out.mp4"]


def test_an_interruption_leaves_nothing(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(Silence):
        def stage(self, name: str, done: int, total: int | None) -> None:
            if name == "render" and done == 4:
                raise KeyboardInterrupt

    options = AnimateOptions(
        (str(tmp_path / "me.png"),), tmp_path / "none.mp4", str(tmp_path / "out.mp4"), device="cpu"
    )
    with pytest.raises(InputError):
        animate(options)
    monkeypatch.setattr(module, "Silence", Impatient)
    with pytest.raises(KeyboardInterrupt):
        make()
    assert left(tmp_path) == []


def test_several_sources_a_folder_and_a_clip(make: Make, scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "views"
    folder.mkdir()
    for number, turn in enumerate((0.9, 0.0)):
        theta = np.zeros((24, 3), np.float32)
        theta[0, 1] = turn
        write_png(folder / f"{number}.png", draw(PHOTO, theta, wall=(90, 140, 100)).image)
    excerpt = Excerpt(max_frames=2)
    photo = np.asarray(Image.open(scene.photo))
    for name, sources in (
        ("a.mp4", (str(folder),)),
        ("b.mp4", (str(folder / "0.png"), str(folder / "1.png"))),
        ("c.mp4", (str(folder / "*.png"),)),
    ):
        frame = probe(make(name, sources=sources, excerpt=excerpt).path).frames[0]
        assert np.abs(frame.astype(int) - photo).mean() < 7  # the view from the front is the one that is shown
    film = probe(make("d.mp4", sources=(str(scene.clip),), excerpt=excerpt).path)
    assert film.size == FILM
    assert people(film.frames[0], (120, 120, 120)).mean() > 0.05


@pytest.fixture(scope="module")
def pair(scene: Scene) -> Path:
    """A small person on the left who stands, and a large one on the right who raises the arm."""
    height, width = 320, 480
    small = draw((height, width), camera=np.float32([120, 100, 190])).image
    up = np.zeros((24, 3), np.float32)
    up[16, 2] = -1.5
    large = draw((height, width), up, np.float32([165, 350, 150])).image
    path = scene.folder / "pair.png"
    write_png(path, np.concatenate([small[:, :200], large[:, 200:]], 1))
    return path


@pytest.mark.parametrize(("person", "x"), [("left", 100), ("largest", 350), (2, 350)])
def test_who_in_the_photo(make: Make, pair: Path, person: object, x: int) -> None:
    result = make(sources=(str(pair),), source_person=person, background="#000000", excerpt=Excerpt(max_frames=1))
    frame = probe(result.path).frames[0]
    shown = np.flatnonzero(people(frame, (0, 0, 0)).any(0))
    assert abs(shown.mean() - x) < 40


def test_a_person_that_is_not_there(make: Make, pair: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="person 3"):
        make(sources=(str(pair),), source_person=3)
    assert left(tmp_path) == []


def test_find_best_frame_starts_where_the_driving_is_like_the_photo(make: Make) -> None:
    result = make(find_best_frame=True)
    assert probe(result.path).times == TIMES


def test_names_are_filled_in(make: Make) -> None:
    excerpt = Excerpt(max_frames=1)
    assert make("{source}_{driving}_{backend}_{index}.mp4", excerpt=excerpt).path.name == f"me_dance_{DEFAULT}_1.mp4"
    assert make("{source}_{driving}_{backend}_{index}.mp4", excerpt=excerpt).path.name == f"me_dance_{DEFAULT}_2.mp4"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"smooth": 1.5}, UsageError),
        ({"driving": Path("none.mp4")}, InputError),
        ({"driving": Path("x" * 400)}, InputError),
        ({"audio": Path("none.mp3")}, InputError),
        ({"background": "#12"}, UsageError),
        ({"size": "7"}, UsageError),
        ({"codec": "h263"}, UsageError),
        ({"codec": "vp9", "output": "x.mov"}, UsageError),
        ({"output": "out.xyz"}, UsageError),
        ({"output": "{no}.mp4"}, UsageError),
        ({"output": "x" * 300 + ".mp4"}, OutputError),
        ({"output": ""}, RetargetError),
        ({"sources": ()}, RetargetError),
        ({"settings": (("nodes", "x"),)}, UsageError),
        ({"backend": "avatr"}, UsageError),
        ({"device": "gpu"}, RetargetError),
        ({"body": "nobody"}, RetargetError),
    ],
)
def test_impossible_wishes(
    scene: Scene,
    tmp_path: Path,
    changes: dict[str, object],
    error: type[RetargetError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    said = {"sources": (str(scene.photo),), "driving": scene.clip, "output": "out.mp4", "device": "cpu"}
    with pytest.raises(error) as caught:
        animate(AnimateOptions(**{**said, **changes}), scene.cache)  # type: ignore[arg-type]
    assert "\n" not in caught.value.message
    assert left(tmp_path) == []


def test_check_passes_what_is_possible(scene: Scene, tmp_path: Path) -> None:
    check_options(AnimateOptions((str(scene.photo),), scene.clip), tmp_path / "out.mp4")
