"""Which bodies load, which are refused, and what SMPL becomes on the way. No real SMPL data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from retarget_cli.body.catalog import load_body, models_folder
from retarget_cli.body.kinematics import bone_transforms, skin
from retarget_cli.body.model import Body
from retarget_cli.body.skeleton import JOINT, LANDMARK, LANDMARK_NAMES, PARENTS
from retarget_cli.body.smpl import landmark_regressor
from retarget_cli.body.storage import read_body, save_body
from retarget_cli.core.errors import RetargetError, WeightsError
from retarget_cli.geometry.rotations import axis_angle_to_matrix

Arrays = dict[str, NDArray[Any]]


def made_up_smpl() -> Arrays:
    """Random numbers in SMPL's format; each vertex follows the joint that it is counted with."""
    generator = np.random.default_rng(0)
    owner = np.arange(6890) % 24
    weights = np.zeros((6890, 24), np.float32)
    weights[np.arange(6890), owner] = 0.75
    weights[np.arange(6890), (owner + 1) % 24] = 0.25
    regressor = np.zeros((24, 6890), np.float32)
    regressor[owner, np.arange(6890)] = 1.0
    kintree = np.array([PARENTS, range(24)], np.int64)
    kintree[0, 0] = 2**32 - 1
    return {
        "v_template": generator.normal(0, 0.3, (6890, 3)).astype(np.float32),
        "shapedirs": generator.normal(0, 0.02, (6890, 3, 10)).astype(np.float32),
        "posedirs": np.zeros((6890, 3, 207), np.float32),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": weights,
        "kintree_table": kintree,
        "f": np.stack([np.arange(0, 6888), np.arange(1, 6889), np.arange(2, 6890)], 1).astype(np.uint32),
    }


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return made_up_smpl()


@pytest.fixture(scope="module")
def smpl_file(arrays: Arrays, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("smpl") / "SMPL_NEUTRAL.npz"
    np.savez_compressed(path, **arrays)
    return path


@pytest.fixture(scope="module")
def smpl(smpl_file: Path) -> Body:
    return load_body("smpl", smpl_file)


def test_smpl_is_turned_into_camera_axes_about_its_pelvis(smpl: Body, arrays: Arrays) -> None:
    pelvis = arrays["J_regressor"][0] @ arrays["v_template"]
    expected = (arrays["v_template"] - pelvis) * [1, -1, -1]
    assert np.allclose(smpl.template.numpy(), expected, atol=1e-6)
    assert smpl.joint_template[0].abs().max() < 1e-6
    assert torch.equal(smpl.faces, torch.from_numpy(arrays["f"].astype(np.int64)))
    assert (smpl.name, smpl.parents, smpl.shape_count) == ("smpl", PARENTS, 10)
    assert "non-commercial" in smpl.license


def test_smpl_poses_as_smplx_does(smpl: Body, arrays: Arrays) -> None:
    from smplx import SMPLLayer
    from smplx.utils import Struct

    theirs = SMPLLayer("", data_struct=Struct(**arrays), num_betas=10)
    generator = torch.Generator().manual_seed(3)
    angles = 0.6 * torch.randn(2, 24, 3, generator=generator)
    betas = torch.randn(2, 10, generator=generator)
    turn = torch.tensor([1.0, -1, -1])
    # The same rotation seen in turned axes has a turned axis.
    rotations = axis_angle_to_matrix(angles * turn)
    expected = theirs(betas=betas, global_orient=rotations[:, :1], body_pose=rotations[:, 1:]).vertices
    root = theirs(betas=betas).joints[:, :1]
    shape = smpl.shaped(betas)
    transforms = bone_transforms(shape.joints, smpl.parents, axis_angle_to_matrix(angles))
    posed = skin(shape.vertices, smpl.weights_index, smpl.weights, transforms)
    assert torch.allclose(posed, (expected - root) * turn, atol=1e-5)


def test_smpl_says_nothing_on_standard_output(smpl_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_body("smpl", smpl_file)
    assert capsys.readouterr().out == ""


def test_smpl_landmarks_are_smplxs_vertices(smpl: Body) -> None:
    place = dict(zip(LANDMARK_NAMES, smpl.landmark_template, strict=True))
    assert torch.allclose(place["nose"], smpl.template[332], atol=1e-6)
    assert torch.allclose(place["left_ear"], smpl.template[583], atol=1e-6)
    assert torch.allclose(place["right_heel"], smpl.template[6787], atol=1e-6)
    assert torch.allclose(place["left_foot_index"], smpl.template[3216], atol=1e-6)
    assert torch.allclose(place["left_knee"], smpl.joint_template[JOINT["left_knee"]], atol=1e-6)
    wrist = smpl.joint_template[JOINT["right_wrist"]]
    assert torch.allclose(place["right_pinky"], wrist + 0.55 * (smpl.template[6133] - wrist), atol=1e-6)


def test_smpl_face_corners_are_mixed_as_on_annys_face() -> None:
    """With Anny's nose, eyes and ears at SMPL's vertices, Anny's other points must come out."""
    anny = load_body("anny").landmark_template
    points = torch.zeros(6890, 3)
    for name, vertex in {
        "nose": 332,
        "left_eye": 2800,
        "right_eye": 6260,
        "left_ear": 583,
        "right_ear": 4071,
    }.items():
        points[vertex] = anny[LANDMARK[name]]
    marks = landmark_regressor(torch.zeros(24, 6890)) @ points
    assert torch.allclose(marks[:11], anny[:11], atol=1e-5)


def test_smpl_loads_from_safetensors_and_from_the_models_folder(
    arrays: Arrays, smpl: Body, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path))
    assert models_folder() == tmp_path
    with pytest.raises(WeightsError, match="no SMPL model") as missing:
        load_body("smpl")
    assert "smpl.is.tue.mpg.de" in missing.value.hint
    (tmp_path / "smpl").mkdir()
    save_file(
        {k: np.ascontiguousarray(v) for k, v in arrays.items()}, tmp_path / "smpl/SMPL_NEUTRAL.safetensors"
    )
    assert torch.equal(load_body("smpl").template, smpl.template)


def test_models_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETARGET_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setattr("sys.platform", "linux")
    assert models_folder() == Path("/data/retarget/models")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert models_folder() == Path.home() / ".local/share/retarget/models"
    monkeypatch.setattr("sys.platform", "darwin")
    assert models_folder() == Path.home() / "Library/Application Support/retarget/models"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert models_folder() == Path("/local/retarget/models")


@pytest.mark.parametrize("name", ["SMPL_NEUTRAL.pkl", "model.PKL", "x.pth", "x.pt"])
def test_pickles_are_refused_unopened(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="pickle") as refused:
        load_body("smpl", tmp_path / name)
    assert "npz" in refused.value.hint


def test_a_pickle_in_the_models_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path))
    (tmp_path / "smpl").mkdir()
    (tmp_path / "smpl/SMPL_NEUTRAL.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(WeightsError, match=r"SMPL_NEUTRAL\.pkl is a pickle"):
        load_body("smpl")


def without(arrays: Arrays) -> Arrays:
    return {key: value for key, value in arrays.items() if key != "J_regressor"}


def of_smplh(arrays: Arrays) -> Arrays:
    return {**arrays, "weights": np.zeros((6890, 52), np.float32)}


def of_another_tree(arrays: Arrays) -> Arrays:
    return {**arrays, "kintree_table": np.roll(arrays["kintree_table"], 1, axis=1)}


def pickled(arrays: Arrays) -> Arrays:
    return {**arrays, "J_regressor": np.array([{"a": 1}], dtype=object)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without, "J_regressor"),
        (of_smplh, "weights"),
        (of_another_tree, "kintree"),
        (pickled, "can't be read"),
    ],
)
def test_what_is_not_smpl_is_refused(
    change: Callable[[Arrays], Arrays], message: str, arrays: Arrays, tmp_path: Path
) -> None:
    np.savez(tmp_path / "x.npz", **change({**arrays, "posedirs": np.zeros((1,), np.float32)}))
    with pytest.raises(WeightsError, match=message):
        load_body("smpl", tmp_path / "x.npz")


@pytest.mark.parametrize("name", ["x.npz", "x.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"nonsense" * 40])
def test_damaged_and_missing_files_name_themselves(name: str, content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for body in ("smpl", "anny"):
        with pytest.raises(WeightsError, match=name):
            load_body(body, tmp_path / name)


def test_unknown_bodies_list_the_known() -> None:
    with pytest.raises(RetargetError, match="ghost") as unknown:
        load_body("ghost")
    assert "anny" in unknown.value.hint


def test_a_body_comes_back_from_its_file_unchanged(tmp_path: Path) -> None:
    """All but the rounding of weights, which are float16 and made to sum to 1 again."""
    body = load_body("anny")
    save_body(body, tmp_path / "again.safetensors")
    again = read_body(tmp_path / "again.safetensors")
    for field in Body.__dataclass_fields__:
        first, second = getattr(body, field), getattr(again, field)
        if isinstance(first, torch.Tensor):
            atol = 1e-3 if field == "weights" else 1e-7
            assert torch.allclose(first.double(), second.double(), atol=atol), field
        else:
            assert first == second, field


def test_another_format_is_refused(tmp_path: Path) -> None:
    save_file(
        {"template": np.zeros((1, 3), np.float32)}, tmp_path / "x.safetensors", metadata={"format": "2"}
    )
    with pytest.raises(WeightsError, match="retarget-body"):
        read_body(tmp_path / "x.safetensors")


def test_indices_that_do_not_fit_are_not_written(tmp_path: Path) -> None:
    from dataclasses import replace

    body = load_body("anny")
    with pytest.raises(ValueError, match="16 bits"):
        save_body(replace(body, twin=body.twin + 70000), tmp_path / "x.safetensors")


def test_the_asset_is_small_and_comes_with_its_notice() -> None:
    import retarget_cli.body

    assets = Path(retarget_cli.body.__file__).parent / "assets"
    assert 2e6 < (assets / "anny.safetensors").stat().st_size < 6e6
    notice = (assets / "NOTICE.anny.txt").read_text()
    for word in ("CC0", "Apache License", "MakeHuman", "NAVER"):
        assert word in notice
