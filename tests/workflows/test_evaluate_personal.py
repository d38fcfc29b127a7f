"""Methods that are personalised to every case's pictures before they are measured."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from tests.workflows.toy_method import PLACES, ToyGame

from retarget_cli.backends import registry
from retarget_cli.core.errors import InputError, Interrupted, UsageError
from retarget_cli.core.progress import Silence
from retarget_cli.evaluation.protocols import Pick, Protocol, Task
from retarget_cli.perception.cache import Cache
from retarget_cli.workflows import evaluate_personal as module
from retarget_cli.workflows.evaluate import EvaluateOptions, Evaluation, evaluate
from retarget_cli.workflows.subject_file import load_subject
from retarget_cli.workflows.synth import SynthOptions, synthesize

SIZE = (128, 128)
PLAIN, TUNED = "toy", "toy:personalize=60"


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, **PLACES})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cache]:
    """Two plain clips of the same frames."""
    root = tmp_path_factory.mktemp("data")
    wanted = SynthOptions(
        clips=1, frames=4, size=SIZE, seed=4, rate=Fraction(5), views=1, camera="static", kinds=("dance",), workers=1
    )
    synthesize(root / "synth", wanted)
    for name in ("one", "two"):
        shutil.copytree(root / "synth" / "clips" / "0000" / "self" / "frames", root / "plain" / name)
    return root / "plain", Cache(root / "cache", 10**9)


def run(data: tuple[Path, Cache], output: Path, *methods: str, progress: Silence | None = None) -> Evaluation:
    folder, cache = data
    protocol = Protocol(task=Task.SELF, size=SIZE, pick=Pick.FIRST)
    options = EvaluateOptions(folder, output, methods, protocol, metrics=("psnr",), device="cpu")
    return evaluate(options, cache, progress)


def test_a_personalised_method_is_measured_beside_the_plain_one(data: tuple[Path, Cache], tmp_path: Path) -> None:
    found = run(data, tmp_path / "run", PLAIN, TUNED)
    assert (found.failed, found.total) == (0, 4)
    plain, tuned = (found.report.overall[name]["psnr"].mean for name in (PLAIN, TUNED))
    assert tuned > plain + 2  # type: ignore[operator]
    about = found.report.methods[TUNED]
    assert about["options"] == "personalize=60"
    assert found.report.methods[PLAIN]["options"] == "defaults"
    # The two clips have the same source picture: it was learned once.
    (subject,) = (tmp_path / "run" / "subjects").rglob("*.subject")
    assert load_subject(subject).provenance["steps"] == "60"


def test_a_stopped_run_goes_on_within_a_personalisation(
    data: tuple[Path, Cache], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(Silence):
        def stage(self, name: str, done: int, total: int | None) -> None:
            if name == "personalize" and done == 20:
                raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="of 60 steps are kept") as told:
        run(data, tmp_path / "run", TUNED, progress=Impatient())
    assert "same command" in told.value.hint
    moves = []
    real = ToyGame.losses

    def counted(self: ToyGame, player: str, *rest: object) -> object:
        moves.append(player)
        return real(self, player, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ToyGame, "losses", counted)
    assert run(data, tmp_path / "run", TUNED).failed == 0
    assert 30 <= moves.count("generator") <= 40
    monkeypatch.setattr(module, "personalize", None)
    shutil.rmtree(tmp_path / "run" / "rendered")
    shutil.rmtree(tmp_path / "run" / "scores")
    assert run(data, tmp_path / "run", TUNED).failed == 0


def test_a_subject_file_that_was_made_before(data: tuple[Path, Cache], tmp_path: Path) -> None:
    run(data, tmp_path / "first", TUNED)
    (made,) = (tmp_path / "first" / "subjects").rglob("*.subject")
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("one", "two"):
        shutil.copy(made, mine / f"{name}.subject")
    methods = (f"toy:subject={made}", f"toy:subject={mine}")
    found = run(data, tmp_path / "run", PLAIN, *methods)
    assert (found.failed, found.total) == (0, 6)
    plain, file, folder = (found.report.overall[name]["psnr"].mean for name in (PLAIN, *methods))
    assert file == folder
    assert file > plain + 2  # type: ignore[operator]
    assert found.report.methods[methods[1]]["options"] == "subject=mine"
    (mine / "two.subject").unlink()
    assert run(data, tmp_path / "again", methods[1]).failed == 1
    with pytest.raises(UsageError, match="was tuned with toy"):
        run(data, tmp_path / "none", f"liquid-warp:subject={made}")
    with pytest.raises(InputError, match="does not exist"):
        run(data, tmp_path / "none", f"toy:subject={made}x")
    with pytest.raises(UsageError, match="tuned already"):
        run(data, tmp_path / "none", f"toy:subject={made},personalize=3")


@pytest.mark.parametrize("method", ["avatar:personalize=5", "toy:personalize=5,none=3", "none:personalize=5"])
def test_what_can_not_be_personalised_shows_at_once(data: tuple[Path, Cache], tmp_path: Path, method: str) -> None:
    with pytest.raises(UsageError):
        run(data, tmp_path / "run", method)
    assert not (tmp_path / "run").exists()
