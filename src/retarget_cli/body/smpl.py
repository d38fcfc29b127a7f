"""SMPL (Loper et al., 2015) through the `smplx` package, from a licensed file that the user has.

The model's pose-dependent correctives are left out: a `Body` is linear blend skinning alone.

Convention: SMPL's axes are x to the person's left, y up, z out of the chest; camera axes are (x, -y, -z), a
    rotation.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from retarget_cli.body.model import Body
from retarget_cli.body.skeleton import JOINT, LANDMARK_JOINT, LANDMARK_NAMES, PARENTS
from retarget_cli.core.errors import WeightsError

VERTICES = 6890
KEYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")
LICENSE = (
    "SMPL, (c) Max-Planck-Gesellschaft: non-commercial, see https://smpl.is.tue.mpg.de/modellicense.html"
)

_FACE = {"nose": "nose", "left_eye": "leye", "right_eye": "reye", "left_ear": "lear", "right_ear": "rear"}
_FEET = {"heel": "Heel", "foot_index": "BigToe"}
_KNUCKLES = {"thumb": 0.55, "index": 0.52, "pinky": 0.55}
"""How far along the line from the wrist to a finger's tip its knuckle lies."""


def read_smpl(path: Path) -> Body:
    """Read an .npz or .safetensors file with SMPL's usual arrays.

    Args:
        path: holds v_template (6890, 3), shapedirs (6890, 3, n), posedirs, J_regressor (24, 6890), weights
            (6890, 24), kintree_table (2, 24), f (F, 3).

    Raises:
        WeightsError: the file is missing, damaged, holds pickled objects, or is not SMPL.
    """
    arrays = _read_arrays(path)
    _check(arrays, path)
    from smplx import SMPLLayer
    from smplx.utils import Struct

    # smplx tells standard output how many betas there are; that is for data.
    with contextlib.redirect_stdout(io.StringIO()):
        model = SMPLLayer("", data_struct=Struct(**arrays), num_betas=arrays["shapedirs"].shape[-1])
    return _body(model)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    hint = "download SMPL again, or convert it again with plain arrays only"
    try:
        if path.suffix.lower() == ".safetensors":
            return dict(load_file(str(path)))
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in KEYS if key in file.files}
    except FileNotFoundError as error:
        raise WeightsError(
            f"no SMPL model at {path}", "give the path of an .npz or .safetensors file"
        ) from error
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, SafetensorError) as error:
        # NumPy's message for an object array names pickles; a lone array (.npy) has no `files`.
        raise WeightsError(f"the SMPL model {path} can't be read: {error}", hint) from error


def _check(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    missing = [key for key in KEYS if key not in arrays]
    if missing:
        raise WeightsError(f"{path} is not SMPL: without {', '.join(missing)}", f"it needs {', '.join(KEYS)}")
    expected = {
        "v_template": (VERTICES, 3),
        "weights": (VERTICES, 24),
        "J_regressor": (24, VERTICES),
        "kintree_table": (2, 24),
    }
    for key, shape in expected.items():
        if arrays[key].shape != shape:
            raise WeightsError(
                f"{path}: {key} is {arrays[key].shape}, SMPL's is {shape}",
                "SMPL-H and SMPL-X are other models; use SMPL 1.0 or 1.1",
            )
    if arrays["shapedirs"].shape[:2] != (VERTICES, 3) or arrays["shapedirs"].ndim != 3:
        raise WeightsError(f"{path}: shapedirs is {arrays['shapedirs'].shape}, expected (6890, 3, n)")
    # The root's parent is written as -1 or as 2^32 - 1.
    if tuple(arrays["kintree_table"][0, 1:].tolist()) != PARENTS[1:]:
        raise WeightsError(f"{path}: kintree_table is not SMPL's", "use the file as it was published")


def _body(model: Any) -> Body:
    turn = torch.tensor([1.0, -1.0, -1.0])
    template = model.v_template.float() * turn
    directions = model.shapedirs.float().permute(2, 0, 1) * turn
    regressor = model.J_regressor.float()
    marks = landmark_regressor(regressor)
    joints, joint_directions = regressor @ template, regressor @ directions
    # The pelvis is the origin, whatever the betas.
    pelvis, pelvis_directions = joints[:1], joint_directions[:, :1]
    weights, index = model.lbs_weights.float().topk(4, dim=1)
    return Body(
        name="smpl",
        template=template - pelvis,
        shape_directions=directions - pelvis_directions,
        faces=model.faces_tensor.long(),
        weights_index=torch.where(weights > 0, index, index[:, :1]),
        weights=weights / weights.sum(1, keepdim=True),
        parents=PARENTS,
        joint_template=joints - pelvis,
        joint_directions=joint_directions - pelvis_directions,
        landmark_joint=LANDMARK_JOINT,
        landmark_template=marks @ template - pelvis,
        landmark_directions=marks @ directions - pelvis_directions,
        uv=_planar(template),
        uv_faces=model.faces_tensor.long(),
        shape_names=tuple(f"component_{i + 1:02d}" for i in range(len(directions))),
        twin=_twins(template),
        license=LICENSE,
    )


def landmark_regressor(joint_regressor: Tensor) -> Tensor:
    """Weights of the vertices that give each of MediaPipe's landmarks.

    Only the points that `smplx` names are exact. The corners of eyes and mouth are weighed from nose, eyes
    and ears as they lie on Anny's face; the knuckles lie between the wrist and the fingers' tips.

    Args:
        joint_regressor: (24, V).

    Returns:
        (33, V), rows sum to 1.
    """
    from smplx.vertex_ids import vertex_ids

    ids: dict[str, int] = vertex_ids["smplh"]
    count = joint_regressor.shape[1]

    def vertex(name: str) -> Tensor:
        return torch.nn.functional.one_hot(torch.tensor(ids[name]), count).float()

    rows = {name: vertex(theirs) for name, theirs in _FACE.items()}
    known = torch.stack(list(rows.values()))
    for name, mix in _face_mixes().items():
        rows[name] = mix @ known
    for side in ("left", "right"):
        wrist = joint_regressor[JOINT[f"{side}_wrist"]]
        for finger, share in _KNUCKLES.items():
            rows[f"{side}_{finger}"] = (1 - share) * wrist + share * vertex(f"{side[0]}{finger}")
        for part, theirs in _FEET.items():
            rows[f"{side}_{part}"] = vertex(f"{side[0].upper()}{theirs}")
    return torch.stack([rows[n] if n in rows else joint_regressor[JOINT[n]] for n in LANDMARK_NAMES])


def _face_mixes() -> dict[str, Tensor]:
    """Name -> (5,) weights over nose, eyes and ears that give the other points of Anny's face."""
    from retarget_cli.body.catalog import load_body

    points = load_body("anny").landmark_template
    known = points[[LANDMARK_NAMES.index(name) for name in _FACE]]
    others = [name for name in LANDMARK_NAMES[:11] if name not in _FACE]
    wanted = points[[LANDMARK_NAMES.index(name) for name in others]]
    # Homogeneous coordinates make the weights sum to 1; the smallest weights that do it exactly.
    basis = torch.cat([known, torch.ones(len(known), 1)], 1).T
    target = torch.cat([wanted, torch.ones(len(wanted), 1)], 1).T
    mixes = (torch.linalg.pinv(basis) @ target).T
    return dict(zip(others, mixes, strict=True))


def _twins(template: Tensor) -> Tensor:
    """(V,) the vertex nearest to each one's mirror image."""
    from scipy.spatial import cKDTree

    points = template.numpy()
    return torch.from_numpy(cKDTree(points).query(points * [-1.0, 1.0, 1.0])[1]).long()


def _planar(template: Tensor) -> Tensor:
    """(V, 2) texture coordinates: SMPL's files have none, so the figure as seen from the front."""
    low, high = template[:, :2].amin(0), template[:, :2].amax(0)
    return (template[:, :2] - low) / (high - low).clamp(min=1e-9)
