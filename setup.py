"""The build, beyond what pyproject.toml can say: the shipped weights lie in `weights/` of the repository, and in
`retarget_cli/weights/shipped` of the package.
"""

import tomllib
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDER = Path("weights")
MANIFEST = FOLDER / "manifest.toml"


def shipped() -> list[str]:
    """The manifest and what it names, relative to the repository."""
    rows = tomllib.loads(MANIFEST.read_text(encoding="utf-8")).get("file", [])
    for row in rows:
        path = FOLDER / row["name"]
        if not path.is_file() or path.stat().st_size != row["bytes"]:
            raise SystemExit(f"{path} is missing, or not as large as {MANIFEST} says")
    return [str(MANIFEST), *(str(FOLDER / row["name"]) for row in rows)]


class BuildWithWeights(build_py):
    """Packages, and the weights that ship with them."""

    def run(self) -> None:
        """Copy everything; an editable installation finds the weights in the repository."""
        super().run()
        if not self.editable_mode:
            self.mkpath(str(self._shelf))
            for name in shipped():
                self.copy_file(name, str(self._shelf / Path(name).name))

    def get_source_files(self) -> list[str]:
        """What a source distribution needs."""
        return [*super().get_source_files(), *shipped()]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """What is built."""
        outputs = super().get_outputs(include_bytecode)
        return (
            outputs if self.editable_mode else [*outputs, *(str(self._shelf / Path(name).name) for name in shipped())]
        )

    @property
    def _shelf(self) -> Path:
        return Path(self.build_lib) / "retarget_cli" / "weights" / "shipped"


setup(cmdclass={"build_py": BuildWithWeights})
