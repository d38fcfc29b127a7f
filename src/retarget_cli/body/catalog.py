"""Which bodies there are, and how to get one."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from retarget_cli.body.model import Body
from retarget_cli.body.storage import read_body
from retarget_cli.core.errors import WeightsError
from retarget_cli.core.folders import user_data

BODIES = ("anny", "smpl")
SMPL_FILES = ("SMPL_NEUTRAL.npz", "SMPL_NEUTRAL.safetensors", "SMPL_MALE.npz", "SMPL_FEMALE.npz")
_PICKLES = frozenset({".pkl", ".pickle", ".pt", ".pth"})

_CONVERT = (
    "convert it to .npz once, in an environment where you trust the file: "
    "d = pickle.load(open('SMPL_NEUTRAL.pkl', 'rb'), encoding='latin1'); "
    "dense = lambda v: v.toarray() if hasattr(v, 'toarray') else numpy.array(v); "
    "numpy.savez('SMPL_NEUTRAL.npz', **{k: dense(d[k]) for k in "
    "['v_template', 'shapedirs', 'posedirs', 'J_regressor', 'weights', 'kintree_table', 'f']})"
)


def load_body(name: str = "anny", path: Path | None = None) -> Body:
    """A body model, ready to use.

    Args:
        name: "anny" comes with the package; "smpl" needs a licensed file in the models folder.
        path: read this file instead of the usual place.

    Raises:
        WeightsError: the name is unknown; the file is missing, damaged, a pickle, or of another model.
    """
    if name == "anny":
        return _anny() if path is None else read_body(path)
    if name == "smpl":
        from retarget_cli.body.smpl import read_smpl

        found = path or _smpl_file()
        refuse_pickle(found)
        return read_smpl(found)
    raise WeightsError(f"no body is called {name!r}", f"one of {', '.join(BODIES)}")


def models_folder() -> Path:
    """Where the user puts licensed models: $RETARGET_MODELS, or the platform's user data folder. May not
    exist.
    """
    given = os.environ.get("RETARGET_MODELS")
    if given:
        return Path(given).expanduser()
    return user_data(os.environ) / "models"


def refuse_pickle(path: Path) -> None:
    """Pickles can run any code when they are opened, so none is.

    Raises:
        WeightsError: `path` is named like one.
    """
    if path.suffix.lower() in _PICKLES:
        raise WeightsError(f"{path} is a pickle; it could run any code and is not loaded", _CONVERT)


@lru_cache(maxsize=1)
def _anny() -> Body:
    """Read once a process: a body is never changed."""
    return read_body(Path(__file__).parent / "assets" / "anny.safetensors")


def _smpl_file() -> Path:
    folder = models_folder() / "smpl"
    for name in SMPL_FILES:
        if (folder / name).is_file():
            return folder / name
    for pickle in sorted(folder.glob("*.pkl")):
        refuse_pickle(pickle)
    raise WeightsError(
        f"no SMPL model in {folder}: looked for {', '.join(SMPL_FILES)}",
        "register at https://smpl.is.tue.mpg.de, download SMPL, put SMPL_NEUTRAL.npz there; "
        "or use the body 'anny', which is free and needs nothing",
    )
