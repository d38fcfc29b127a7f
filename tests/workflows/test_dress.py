"""Changed clothes end to end, on drawn people: files in, a picture or a film out, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.media_maker import probe
from tests.workflows.conftest import COUNT, PHOTO, Scene
from tests.workflows.scenes import camera_for, draw

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.core.parts import Parts
from retarget_cli.core.progress import Silence
from retarget_cli.media.images import write_png
from retarget_cli.workflows.animate import AnimateResult
from retarget_cli.workflows.animate_options import AnimateOptions
from retarget_cli.workflows.dress import dress
from retarget_cli.workflows.driving import Excerpt

Dress = Callable[..., AnimateResult]
TOP = (30, 60, 200)


@pytest.fixture(scope="session")
def garment(scene: Scene) -> Path:
    """Somebody in a blue top, to the left in a wide picture."""
    drawn = draw((256, 320), camera=camera_for((256, 320), x=0.35))
    image = drawn.image.copy()
    rows = np.flatnonzero((drawn.mask > 0.5).any(1))
    y = (np.indices(drawn.mask.shape)[0] - rows[0]) / len(rows)
    top = (drawn.mask > 0.5) & (y > 0.18) & (y < 0.5)
    image[top] = (image[top].max(-1, keepdims=True) / 220 * np.array(TOP)).clip(0, 255)
    path = scene.folder / "blue.png"
    write_png(path, image)
    return path


@pytest.fixture
def put_on(scene: Scene, garment: Path, tmp_path: Path) -> Dress:
    """Dress the scene's person, into the test's folder; anything can be said otherwise."""

    def put(output: str = "out.png", **changes: object) -> AnimateResult:
        said: dict[str, object] = {
            "sources": (str(scene.photo),),
            "driving": None,
            "garment": (str(garment),),
            "parts": Parts.BODY,
            "device": "cpu",
            **changes,
        }
        return dress(AnimateOptions(output=str(tmp_path / output), **said), scene.cache)  # type: ignore[arg-type]

    return put


def opened(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def blue(rgb: np.ndarray) -> int:
    red, _, strong = (rgb[..., at].astype(int) for at in range(3))
    return int((strong - red > 40).sum())


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_picture_with_new_clothes_in_the_same_place(put_on: Dress, scene: Scene, tmp_path: Path) -> None:
    result = put_on()
    picture, photo = opened(result.path), opened(scene.photo)
    assert (result.frames, picture.shape) == (1, photo.shape)
    assert blue(picture) > 600
    assert blue(photo) == 0
    walls = np.abs(photo.astype(int) - (90, 140, 100)).max(-1) < 3
    assert np.percentile(np.abs(picture.astype(int) - photo)[walls], 97) < 4
    assert np.abs(picture[:40].astype(int) - photo[:40]).mean() < 4  # the head
    assert left(tmp_path) == ["out.png"]


def test_only_the_part_that_was_asked_for(put_on: Dress) -> None:
    below = int(0.62 * PHOTO[0])
    assert blue(opened(put_on("upper.png", parts=Parts.UPPER).path)) > 600
    lower = opened(put_on("lower.png", parts=Parts.LOWER).path)
    assert blue(lower[: int(0.4 * PHOTO[0])]) < 60
    assert blue(lower[below:]) < 60


def test_moving_in_the_new_clothes(put_on: Dress, scene: Scene) -> None:
    film = probe(put_on("out.mp4", driving=scene.clip).path)
    assert len(film.frames) == COUNT
    assert film.audio_codec == "aac"
    assert min(blue(frame) for frame in film.frames) > 500
    assert np.abs(film.frames[0].astype(int) - film.frames[8]).max() > 60


def test_a_transparent_picture(put_on: Dress) -> None:
    alpha = opened(put_on(background="transparent").path)[..., 3]
    assert alpha[:3].max() == 0
    assert alpha.max() == 255


def test_a_film_is_no_picture(put_on: Dress, scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one picture"):
        put_on(driving=scene.clip)
    put_on("one.png", driving=scene.clip, excerpt=Excerpt(max_frames=1))
    assert left(tmp_path) == ["one.png"]


def test_a_garment_that_nobody_wears(put_on: Dress, tmp_path: Path) -> None:
    write_png(tmp_path / "shirt.png", np.full((120, 90, 3), 128, np.uint8))
    with pytest.raises(InputError, match=r"shirt\.png: no person"):
        put_on(garment=(str(tmp_path / "shirt.png"),))
    assert left(tmp_path) == ["shirt.png"]


def test_garments_that_are_not_there(put_on: Dress, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--garment nothing"):
        put_on(garment=("nothing.png",))
    with pytest.raises(UsageError, match="no --garment"):
        put_on(garment=())
    assert left(tmp_path) == []


def test_several_people_in_either_picture(put_on: Dress, garment: Path, tmp_path: Path) -> None:
    """The one who is named is dressed, in the clothes of the one who is named."""
    bare, clothed = draw((256, 200)).image, opened(garment)[:, :200]
    write_png(tmp_path / "two.png", np.concatenate([bare, clothed], 1))
    right = opened(put_on("a.png", garment=(str(tmp_path / "two.png"),), garment_person="right").path)
    other = opened(put_on("b.png", garment=(str(tmp_path / "two.png"),), garment_person="left").path)
    assert blue(right) > 600
    assert blue(other) < 60


def test_the_baseline_changes_no_clothes(put_on: Dress, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="still") as caught:
        put_on(backend="still")
    assert "avatar" in caught.value.hint
    assert left(tmp_path) == []


def test_an_interruption_leaves_nothing(scene: Scene, garment: Path, tmp_path: Path) -> None:
    class Impatient(Silence):
        def stage(self, name: str, done: int, total: int | None) -> None:
            if name == "render":
                raise KeyboardInterrupt

    options = AnimateOptions(
        (str(scene.photo),), None, str(tmp_path / "new" / "a.png"), garment=(str(garment),), device="cpu"
    )
    with pytest.raises(KeyboardInterrupt):
        dress(options, scene.cache, Impatient())
    assert left(tmp_path) == []


def test_names_without_a_clip(put_on: Dress, tmp_path: Path) -> None:
    assert put_on("{source}_{driving}.jpg", fps=Fraction(3)).path == tmp_path / "me_blue.jpg"
