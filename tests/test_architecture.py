"""The rules of docs/architecture.md that a program can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "retarget_cli"
LEVELS = {
    "core": 0,
    "geometry": 1,
    "body": 2,
    "networks": 2,
    "media": 2,
    "weights": 2,
    "perception": 3,
    "backends": 4,
    "training": 5,
    "metrics": 5,
    "synth": 5,
    "evaluation": 6,
    "workflows": 7,
    "batch": 8,
    "cli": 9,
}
# synth draws people: it needs bodies, and must not learn from how they are perceived or moved.
SYNTH_MAY = {"synth", "core", "geometry", "body", "networks", "media", "weights"}
# Who alone may import a package: layers, or files.
ONLY = {
    "av": ("media/",),
    "PIL": ("media/",),
    "mediapipe": ("perception/",),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "anny": ("body/baking/", "body/bake.py"),
}
HEAVY = ("torch", "av", "mediapipe", "numba", "cv2", "numpy")
LONGEST_FILE = 450

FILES = sorted(PACKAGE.rglob("*.py"))


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 80


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(dotted module, line), wherever it stands; `from a import b` gives a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            assert node.module is not None
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "importlib.import_module"}:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value), node.lineno


def called(node: ast.Call) -> str:
    """`a.b.c` of a call, as it is written."""
    return ast.unparse(node.func)


def faults_of_direction(name: str, tree: ast.AST) -> list[str]:
    layer = name.partition("/")[0]
    if layer.endswith(".py"):  # __init__ and __main__ of the package itself
        return []
    faults = []
    for module, line in imports(tree):
        parts = module.split(".")
        if parts[0] != "retarget_cli" or len(parts) < 2 or parts[1] not in LEVELS:
            continue
        other = parts[1]
        is_lower = LEVELS[other] < LEVELS[layer] and (layer != "synth" or other in SYNTH_MAY)
        if other != layer and not is_lower:
            faults.append(f"{name}:{line}: {layer} imports {module}")
    return faults


def faults_of_monopoly(name: str, tree: ast.AST) -> list[str]:
    return [
        f"{name}:{line}: {module}"
        for module, line in imports(tree)
        if (owners := ONLY.get(module.split(".")[0])) is not None and not name.startswith(owners)
    ]


def faults_of_calls(name: str, tree: ast.AST) -> list[str]:
    """print outside cli, pickle, torch.load without weights_only, shells, exits."""
    faults = [
        f"{name}:{line}: {module}"
        for module, line in imports(tree)
        if module.split(".")[0] in {"pickle", "cPickle", "dill", "joblib", "shelve"}
    ]
    is_cli = name.startswith("cli/")
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            faults.append(f"{name}:{node.lineno}: a bare except")
        if not isinstance(node, ast.Call):
            continue
        call = called(node)
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        bad = (
            (call == "print" and not is_cli)
            or (call in {"sys.exit", "exit", "quit"} and not is_cli)
            or (call == "torch.load" and not is_true(given.get("weights_only")))
            or (call in {"np.load", "numpy.load"} and is_true(given.get("allow_pickle")))
            or ("shell" in given and not is_false(given["shell"]))
            or call in {"os.system", "os.popen", "eval", "exec"}
        )
        if bad:
            faults.append(f"{name}:{node.lineno}: {ast.unparse(node)[:60]}")
    return faults


def is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


@pytest.mark.parametrize("check", [faults_of_direction, faults_of_monopoly, faults_of_calls])
def test_every_file_keeps_the_rule(check: object) -> None:
    assert callable(check)
    faults = [fault for path in FILES for fault in check(name_of(path), ast.parse(path.read_text("utf-8")))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (faults_of_direction, "core/a.py", "from retarget_cli.geometry import rotations"),
        (faults_of_direction, "core/a.py", "def f():\n    import retarget_cli.media.reader"),
        (faults_of_direction, "media/a.py", "from retarget_cli.body import model"),
        (faults_of_direction, "synth/a.py", "from retarget_cli.backends.base import Spec"),
        (faults_of_direction, "workflows/a.py", "from retarget_cli import cli"),
        (faults_of_direction, "training/a.py", "from retarget_cli.metrics.pixel import psnr"),
        (faults_of_monopoly, "perception/a.py", "import av.video"),
        (faults_of_monopoly, "backends/a.py", "from mediapipe.python import x"),
        (faults_of_monopoly, "workflows/a.py", "import rich"),
        (faults_of_monopoly, "workflows/a.py", "from PIL import Image"),
        (faults_of_monopoly, "body/catalog.py", "import anny"),
        (faults_of_calls, "core/a.py", "print(1)"),
        (faults_of_calls, "core/a.py", "import pickle"),
        (faults_of_calls, "cli/a.py", "torch.load(path)"),
        (faults_of_calls, "cli/a.py", "torch.load(path, weights_only=False)"),
        (faults_of_calls, "cli/a.py", "subprocess.run('ls', shell=True)"),
        (faults_of_calls, "workflows/a.py", "sys.exit(3)"),
        (faults_of_calls, "workflows/a.py", "try:\n    f()\nexcept:\n    pass"),
    ],
)
def test_the_rules_bite(check: object, name: str, text: str) -> None:
    assert callable(check)
    assert check(name, ast.parse(text))


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (faults_of_direction, "synth/a.py", "from retarget_cli.body import model"),
        (faults_of_direction, "cli/a.py", "from retarget_cli.core import errors"),
        (faults_of_monopoly, "body/baking/people.py", "import anny"),
        (
            faults_of_calls,
            "cli/a.py",
            "print(1)\ntorch.load(path, weights_only=True)\nsubprocess.run(['ls'], shell=False)",
        ),
    ],
)
def test_the_rules_let_through(check: object, name: str, text: str) -> None:
    assert callable(check)
    assert not check(name, ast.parse(text))


def test_every_folder_is_a_layer() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(LEVELS)


def test_no_file_is_named_after_nothing() -> None:
    vague = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert not [name_of(path) for path in PACKAGE.rglob("*") if path.stem.lower() in vague]


def test_no_file_is_too_long() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_FILE}


def test_files_say_what_they_are_for() -> None:
    assert not [name_of(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]


@pytest.mark.parametrize("words", [["--help"], ["animate", "--help"], ["cache", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    program = (
        "import sys\nfrom retarget_cli.cli.app import main\n"
        f"sys.argv = ['retarget', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('\\nloaded:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("loaded: []"), done.stdout[-200:]
