"""One photo, one clip and what is perceived in them, for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.media_maker import Clip
from tests.workflows.scenes import NTSC, clip_of, draw

from retarget_cli.media.images import write_png
from retarget_cli.perception.cache import Cache
from retarget_cli.workflows.animate import AnimateResult, animate
from retarget_cli.workflows.animate_options import AnimateOptions

BEEPS = (0.1, 0.4)
COUNT = 18
PHOTO = (240, 160)
FILM = (256, 192)


@dataclass(frozen=True)
class Scene:
    """Files of one person and another, and a cache that knows them after the first run."""

    folder: Path
    photo: Path
    clip: Path
    cache: Cache


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A photo 160 wide and 240 high, and 18 frames of 30000/1001 with two beeps."""
    folder = tmp_path_factory.mktemp("scene")
    photo = folder / "me.png"
    write_png(photo, draw(PHOTO, wall=(90, 140, 100)).image)
    sound = {"audio_codec": "aac", "audio_seconds": 0.6, "beeps": BEEPS}
    clip = clip_of(folder / "dance.mp4", Clip(FILM, NTSC, COUNT, **sound))
    return Scene(folder, photo, clip, Cache(folder / "cache", 10**9))


@pytest.fixture
def make(scene: Scene, tmp_path: Path) -> Callable[..., AnimateResult]:
    """Animate the scene's photo by its clip into the test's folder; anything can be said otherwise."""

    def made(output: str = "out.mp4", cache: Cache | None = scene.cache, **changes: object) -> AnimateResult:
        said: dict[str, object] = {"sources": (str(scene.photo),), "driving": scene.clip, "device": "cpu", **changes}
        return animate(AnimateOptions(output=str(tmp_path / output), **said), cache)  # type: ignore[arg-type]

    return made


Make = Callable[..., AnimateResult]
