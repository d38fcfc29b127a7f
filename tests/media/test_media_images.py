"""Pictures of every kind come out upright, in 8-bit sRGB."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import media_maker as maker
from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.media.images import Picture, over_white, read_picture, write_png


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def rgb_image(height: int = 48, width: int = 64) -> Image.Image:
    return Image.fromarray(maker.picture(height, width))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose values that turn upright back
    image = rgb_image()
    stored = image.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.jpg", stored, exif=exif, quality=95)
    picture = read_picture(path)
    assert picture.rgb.shape == (48, 64, 3)
    assert maker.corners(picture.rgb) == maker.UPRIGHT


@pytest.mark.parametrize(
    "name", ["a.png", "a.jpg", "a.webp", "a.avif", "a.bmp", "a.tiff", "a.gif", "a.ppm", "a.jp2"]
)
def test_every_format(tmp_path: Path, name: str) -> None:
    picture = read_picture(saved(tmp_path / name, rgb_image()))
    assert picture.alpha is None
    assert picture.rgb.dtype == np.uint8
    assert np.abs(picture.rgb.astype(int) - maker.picture()).mean() < 8
    assert maker.corners(picture.rgb) == maker.UPRIGHT


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr", "RGBA", "LA", "I", "F"])
def test_every_mode(tmp_path: Path, mode: str) -> None:
    image = rgb_image().convert(mode)
    path = saved(tmp_path / "a.tiff", image)
    wanted = rgb_image().convert("L") if mode in ("I", "F") else image
    got = read_picture(path).rgb.astype(int)
    assert np.abs(got - np.asarray(wanted.convert("RGB"), int)).max() <= 2


def test_sixteen_bit_gray_is_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, axis=0)
    picture = read_picture(saved(tmp_path / "a.png", Image.fromarray(ramp)))
    assert np.array_equal(picture.rgb[0, :, 1], np.arange(256))


def test_sixteen_bit_colour_is_scaled(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None, :, None].repeat(3, axis=2)
    cv2.imwrite(str(tmp_path / "a.png"), ramp)
    got = read_picture(tmp_path / "a.png").rgb[0, :, 0].astype(int)
    assert np.abs(got - np.arange(256)).max() <= 1


def test_alpha_is_kept(tmp_path: Path) -> None:
    rgba = np.dstack([maker.picture(), np.full((48, 64), 255, np.uint8)])
    assert read_picture(saved(tmp_path / "opaque.png", Image.fromarray(rgba))).alpha is None
    rgba[:, :32, 3] = 51
    picture = read_picture(saved(tmp_path / "a.png", Image.fromarray(rgba)))
    assert picture.alpha is not None
    assert picture.alpha.dtype == np.float32
    assert picture.alpha[0, 0] == pytest.approx(0.2)
    assert picture.alpha[0, 40] == 1
    assert np.array_equal(picture.rgb, maker.picture())


def test_palette_with_transparency(tmp_path: Path) -> None:
    image = rgb_image().quantize(16)
    path = saved(tmp_path / "a.png", image, transparency=image.getpixel((1, 1)))
    picture = read_picture(path)
    assert picture.alpha is not None
    assert picture.alpha[1, 1] == 0
    assert picture.alpha[-1, -1] == 1


def test_gray_with_alpha_turned(tmp_path: Path) -> None:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:24] = 255
    image = rgb_image().convert("L")
    image.putalpha(Image.fromarray(alpha))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_picture(saved(tmp_path / "a.png", image, exif=exif))
    assert picture.alpha is not None
    assert picture.alpha.shape == picture.rgb.shape[:2] == (64, 48)
    assert picture.alpha[:, -1].all()  # the top went to the right
    assert not picture.alpha[:, 0].any()


def test_colour_profile_is_applied(tmp_path: Path) -> None:
    xyz = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    srgb = ImageCms.createProfile("sRGB")
    image = rgb_image()
    marked = saved(tmp_path / "srgb.png", image, icc_profile=ImageCms.ImageCmsProfile(srgb).tobytes())
    assert np.array_equal(read_picture(marked).rgb, maker.picture())
    # Not a profile for RGB data made by a camera, but one that surely changes the numbers or is refused.
    path = saved(tmp_path / "odd.png", image, icc_profile=xyz.tobytes())
    assert read_picture(path).rgb.shape == (48, 64, 3)


def test_broken_profile_is_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = saved(tmp_path / "a.png", rgb_image(), icc_profile=b"nonsense" * 30)
    assert np.array_equal(read_picture(path).rgb, maker.picture())
    assert "profile ignored" in caplog.text


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_first_frame_of_an_animation(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(maker.picture(shade=shade)) for shade in (0, 120, 240)]
    options = {"lossless": True} if name.endswith("webp") else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=100, **options)
    assert np.abs(read_picture(tmp_path / name).rgb.astype(int) - maker.picture()).mean() < 4


def test_tiny_and_thin(tmp_path: Path) -> None:
    for height, width in ((1, 1), (7, 720), (59, 33)):
        image = Image.fromarray(np.full((height, width, 3), 7, np.uint8))
        assert read_picture(saved(tmp_path / "a.png", image)).rgb.shape == (height, width, 3)


def test_24_megapixels(tmp_path: Path) -> None:
    image = Image.new("RGB", (6000, 4000), (10, 200, 30))
    assert read_picture(saved(tmp_path / "a.jpg", image)).rgb.shape == (4000, 6000, 3)


@pytest.mark.parametrize("size", [(20000, 9000), (90000, 90000)])
def test_bombs_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    header = io.BytesIO()
    Image.new("1", (8, 8)).save(header, "PNG")
    data = bytearray(header.getvalue())
    data[16:24] = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big")
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match="too large") as caught:
        read_picture(tmp_path / "a.png")
    assert "a.png" in caught.value.message
    assert caught.value.hint


def write_text(path: Path) -> None:
    path.write_text("this is no picture " * 20)


def write_half(path: Path) -> None:
    rgb_image(480, 640).save(path, format="JPEG")
    maker.truncate(path, 0.5)


BAD = {
    "does not exist": lambda path: None,
    "is empty": lambda path: path.write_bytes(b""),
    "is not a picture": write_text,
    "is damaged or cut short": write_half,
    "is a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("reason", BAD)
def test_bad_files_say_what_and_where(tmp_path: Path, reason: str) -> None:
    path = tmp_path / "photo.jpg"
    BAD[reason](path)
    with pytest.raises(InputError, match=reason) as caught:
        read_picture(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_film_is_not_a_picture(tmp_path: Path) -> None:
    path = maker.make_video(tmp_path / "a.mp4").rename(tmp_path / "a.png")
    with pytest.raises(InputError, match="is not a picture"):
        read_picture(path)


def test_noise_in_the_file_never_escapes(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name in ("a.png", "a.jpg", "a.webp", "a.gif", "a.tiff", "a.bmp", "a.avif"):
        rgb_image().save(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        for _ in range(25):
            data = bytearray(whole)
            for at in rng.integers(4, len(data), 6):
                data[at] = rng.integers(256)
            (tmp_path / name).write_bytes(data[: int(rng.integers(20, len(data)))])
            with contextlib.suppress(InputError):
                read_picture(tmp_path / name)


def test_over_white_blends() -> None:
    rgb = np.zeros((1, 3, 3), np.uint8)
    alpha = np.array([[0, 0.5, 1]], np.float32)
    assert over_white(Picture(rgb, alpha))[0, :, 0].tolist() == [255, 128, 0]


@pytest.mark.parametrize("channels", [3, 4])
def test_png_round_trip(tmp_path: Path, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, channels), dtype=np.uint8)
    write_png(tmp_path / "a.png", pixels, {"comment": "größer"})
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), pixels)
        assert image.text["comment"] == "größer"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_png_into_nowhere(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't write"):
        write_png(tmp_path / "missing" / "a.png", maker.picture())
