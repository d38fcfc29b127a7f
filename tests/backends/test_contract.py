"""What every backend owes, over all that are registered; there is no list of exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from tests.reference_weights import fill
from tests.workflows.scenes import camera_for, draw, motion_of, subject, waving
from torch import Tensor

from retarget_cli.backends.base import Backend, Performer, Signal, Volumetric, Window
from retarget_cli.backends.registry import backend_class, known_backends, make_backend, option_help, parse_options
from retarget_cli.backends.trainable import Trainable
from retarget_cli.backends.words import UNTRAINED, WEIGHTS_OPTION
from retarget_cli.core.footage import Footage, unseen
from retarget_cli.core.motion import Motion
from retarget_cli.core.subject import Subject
from retarget_cli.workflows.performing import Part, perform, rewindowed
from retarget_cli.workflows.readiness import backend_readiness

SIZE = (192, 128)
CPU = torch.device("cpu")
FRAMES = 7
# Methods that are led by pixels, and those without base weights, are small here, with weights that nobody learned: what
# they owe depends on none. Each takes those of these options that it has.
SMALL = {
    WEIGHTS_OPTION: UNTRAINED, "width": "8", "channels": "4", "most": "16", "keypoints": "4", "resolution": "64",
}  # fmt: skip

# Decibels on the person and well inside, and share of the outline, of base weights that see no more than colours of the
# photo, on 128 x 96 pixels.
SOFT = {"remot": (17, 19, 0.8)}

pytestmark = pytest.mark.parametrize("name", sorted(known_backends()))


@pytest.fixture(scope="module")
def person() -> Subject:
    return subject(SIZE)


@pytest.fixture(scope="module")
def motion() -> Motion:
    return motion_of(waving(FRAMES), SIZE)


@pytest.fixture(scope="module")
def footage() -> Footage:
    """The same as frames of a clip; motion is absolute, so that each frame is its own matter."""
    times = tuple(Fraction(row, 25) for row in range(FRAMES))
    return Footage(times, np.stack([draw(SIZE, theta).image for theta in waving(FRAMES)]))


@pytest.fixture
def moving(name: str, motion: Motion, footage: Footage) -> Part:
    """What moves a method."""
    return footage if backend_class(name).spec.is_led_by_pixels else motion


def knows_people(name: str) -> bool:
    """Whether it shows anybody as he is: neither led by pixels nor by one person's film, and if it learns, taught."""
    spec = backend_class(name).spec
    return not (spec.is_led_by_pixels or spec.is_taught_by_film) and backend_readiness(name).is_ready


def made(name: str) -> Backend:
    """The method with its own options; one that knows of no people is small and untrained."""
    if knows_people(name):
        return make_backend(name, {}, CPU)
    known = option_help(backend_class(name).options)
    backend = make_backend(name, {key: value for key, value in SMALL.items() if key in known}, CPU)
    assert isinstance(backend, Trainable)
    backend.generator.load_state_dict(fill(backend.generator), strict=False)
    return backend


def handed(moving: Part, length: int) -> Iterator[Window]:
    start = 0
    for part in rewindowed([moving], length):
        yield Window(start, unseen(part), part) if isinstance(part, Footage) else Window(start, part)
        start += len(part)


def everything(performer: Performer, motion: Part, length: int) -> Tensor:
    return torch.cat(list(performer.perform(handed(motion, length))))


def test_it_says_what_it_is(name: str) -> None:
    found = backend_class(name)
    assert issubclass(found, Backend)
    spec = found.spec
    assert spec.summary
    assert "\n" not in spec.summary
    assert spec.license
    assert spec.window >= 1
    assert all(isinstance(signal, Signal) for signal in spec.needs)
    for default, text in option_help(found.options).values():
        assert default
        assert text


def test_options_are_parsed_from_their_own_defaults(name: str) -> None:
    options = backend_class(name).options
    texts = {key: default for key, (default, _) in option_help(options).items()}
    assert parse_options(name, options, texts) == options()


@pytest.mark.parametrize("length", [None, 1, 3, 50])
def test_every_frame_comes_back_once_and_in_range(
    name: str, person: Subject, moving: Part, length: int | None
) -> None:
    backend = made(name)
    performer = backend.prepare(person)
    window = length or backend.spec.window
    given = list(handed(moving, window))
    read: list[Window] = []

    def watched() -> Iterator[Window]:
        for item in given:
            read.append(item)
            yield item

    frames = torch.cat(list(performer.perform(watched())))
    assert read == given
    assert frames.shape == (FRAMES, 4, *SIZE)
    assert frames.dtype == torch.float32
    assert float(frames.min()) >= 0
    assert float(frames.max()) <= 1
    assert torch.isfinite(frames).all()


def test_frames_come_in_order(name: str, person: Subject, moving: Part) -> None:
    """Frame i of the whole is what is drawn when frame i is handed over by itself (to a fresh performer)."""
    backend = made(name)
    if not backend.spec.is_frame_by_frame:
        pytest.skip("frames depend on others: see test_frames_of_a_film_belong_to_their_time")
    whole = everything(backend.prepare(person), moving, backend.spec.window)
    assert ((whole[0] - whole[FRAMES // 2]).abs().mean() > 1e-3) == backend.spec.moves
    errors = torch.stack(
        [
            (everything(backend.prepare(person), moving.rows(row, row + 1), 1)[0] - whole).abs().mean((1, 2, 3))
            for row in range(FRAMES)
        ]
    )
    nearest = list(range(FRAMES)) if backend.spec.moves else [0] * FRAMES
    assert errors.argmin(1).tolist() == nearest


def test_frames_of_a_film_belong_to_their_time(name: str, person: Subject, motion: Motion) -> None:
    """Where frames depend on others: another pose at an end changes the frame there, and not the other end."""
    backend = made(name)
    if backend.spec.is_frame_by_frame:
        pytest.skip("each frame is its own matter: see test_frames_come_in_order")
    performer, theta = backend.prepare(person), motion.theta
    assert theta is not None
    whole = everything(performer, motion, backend.spec.window)
    assert float((whole[0] - whole[FRAMES // 2]).abs().mean()) > 1e-3
    # Moving arms only: a turned person would begin another shot.
    last = theta.copy()
    last[-1] = theta[FRAMES // 2]
    others = everything(performer, replace(motion, theta=last), backend.spec.window)
    assert torch.equal(others[0], whole[0])
    assert float((others[-1] - whole[-1]).abs().max()) > 1e-2


def test_a_performer_keeps_nothing_of_a_run(name: str, person: Subject, moving: Part) -> None:
    backend = made(name)
    performer = backend.prepare(person)
    first = everything(performer, moving, backend.spec.window)
    half = performer.perform(handed(moving, 2))
    next(half)
    half.close()  # type: ignore[attr-defined]
    assert torch.equal(first, everything(performer, moving, backend.spec.window))


def test_windows_may_have_any_length(name: str, person: Subject, moving: Part) -> None:
    performer = made(name).prepare(person)
    assert torch.allclose(everything(performer, moving, 1), everything(performer, moving, 50), atol=2 / 255)


def test_no_windows_give_no_frames(name: str, person: Subject) -> None:
    assert list(made(name).prepare(person).perform(iter(()))) == []


def test_the_guard_of_the_runner_is_content(name: str, person: Subject, moving: Part) -> None:
    backend = made(name)
    done = list(perform(backend.prepare(person), [moving], SIZE, backend.spec.window))
    assert tuple(time for time, _ in done) == moving.times


def test_the_source_is_not_changed(name: str, person: Subject, moving: Part) -> None:
    before = [np.copy(array) for array in (person.primary.image, person.primary.mask, person.plate)]
    everything(made(name).prepare(person), moving, 4)
    after = (person.primary.image, person.primary.mask, person.plate)
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("turns", [(), (np.pi,), (0.8, np.pi)])
def test_the_sources_own_pose_gives_the_source(name: str, turns: tuple[float, ...]) -> None:
    """In its own pose the person looks as in the photo, however many other views there are."""
    if not knows_people(name):
        pytest.skip("of weights that nobody learned, no likeness can be asked")
    size = (384, 256)  # the outermost pixels, which backends mistrust, are not most of the person here
    person = subject(size, *turns)
    backend = made(name)
    still = motion_of(np.zeros((1, 24, 3), np.float32), size)
    rendered = everything(backend.prepare(person), still, 1)[0].numpy()
    alpha = rendered[3:]
    shown = rendered[:3] * alpha + person.plate.transpose(2, 0, 1) / 255 * (1 - alpha)
    truth = person.primary.image.transpose(2, 0, 1) / 255
    body = person.primary.mask > 0.5
    error = float(((shown - truth)[:, body] ** 2).mean())
    # Learned methods paint the person anew, and on pictures of their own size: less exact than a photo that is moved.
    painted = SOFT.get(name, (18, 20, 0.8))
    least, least_inner, overlap = painted if backend.spec.weights else (24, 30, 0.93)
    assert -10 * np.log10(error) > least
    inner = cv2.erode(body.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert -10 * np.log10(float(((shown - truth)[:, inner] ** 2).mean())) > least_inner
    if not backend.spec.paints_background:
        outline = (alpha[0] > 0.5) & body
        assert outline.sum() / ((alpha[0] > 0.5) | body).sum() > overlap
        assert not alpha[0, :, :8].any()


def test_the_person_goes_where_the_camera_says(name: str, person: Subject) -> None:
    if not knows_people(name):
        pytest.skip("it knows of no camera, or nobody has taught it what a person is")
    still = motion_of(np.zeros((3, 24, 3), np.float32), SIZE)
    assert still.camera is not None
    still.camera[1, 1] += 8  # so far that nothing of the person leaves the picture
    still.camera[2] *= 0.5
    frames = everything(made(name).prepare(person), still, 3)
    spec = backend_class(name).spec
    if spec.paints_background:
        return
    columns = torch.arange(SIZE[1]).float()
    middle = [(frame[3].sum(0) * columns).sum() / frame[3].sum() for frame in frames]
    assert float(middle[1] - middle[0]) == pytest.approx(8, abs=0.5)
    # A learned outline is less sharp, which counts for more where the person is 80 pixels tall.
    share = float(frames[2, 3].sum() / frames[0, 3].sum())
    assert share == pytest.approx(0.25, abs=0.06 if spec.weights else 0.03)


def test_frames_that_show_nothing_or_noise_are_no_fault(name: str, person: Subject) -> None:
    if not backend_class(name).spec.is_led_by_pixels:
        pytest.skip("it looks at no frames")
    noise = np.random.default_rng(0).integers(0, 256, (40, 90, 3)).astype(np.uint8)
    pictures = np.stack([np.zeros_like(noise), np.full_like(noise, 255), noise])
    times = (Fraction(0), Fraction(1), Fraction(2))
    for reference in (None, *pictures):
        footage = Footage(times, pictures, reference, is_scaled=True)
        frames = everything(made(name).prepare(person), footage, 2)
        assert torch.isfinite(frames).all()
        assert frames.shape == (3, 4, *SIZE)


def test_relative_to_itself_a_frame_moves_nothing(name: str, person: Subject, footage: Footage) -> None:
    """Whatever frame motion is told relative to: there the source's own parts are shown."""
    if not backend_class(name).spec.is_led_by_pixels:
        pytest.skip("it looks at no frames")
    performer = made(name).prepare(person)
    shown = [
        everything(performer, replace(footage.rows(row, row + 1), reference=footage.pictures[row]), 1)
        for row in (0, 3, 5)
    ]
    assert torch.allclose(shown[0], shown[1], atol=1e-4)
    assert torch.allclose(shown[0], shown[2], atol=1e-4)


@pytest.mark.parametrize("count", [1, 3])
def test_who_says_so_can_show_volumes(name: str, person: Subject, count: int) -> None:
    performer = made(name).prepare(person)
    assert isinstance(performer, Volumetric) == backend_class(name).spec.is_volumetric
    if isinstance(performer, Volumetric):
        views = [performer.occupancy(), *performer.turntable([90.0 * number for number in range(count)])]
        assert len(views) == 1 + count
        assert views[0].ndim == 3
        assert {view.shape[0] for view in views[1:]} == {4}
        assert all(0 <= float(view.min()) <= float(view.max()) <= 1 for view in views)


def test_a_person_outside_of_the_picture_is_no_fault(name: str, person: Subject) -> None:
    if backend_class(name).spec.is_led_by_pixels:
        pytest.skip("it knows of no camera")
    still = motion_of(np.zeros((2, 24, 3), np.float32), SIZE)
    assert still.camera is not None
    still.camera[0, 1] += 5000
    still.camera[1] = camera_for(SIZE) * 40
    frames = everything(made(name).prepare(person), still, 2)
    assert torch.isfinite(frames).all()
    assert frames.shape == (2, 4, *SIZE)
