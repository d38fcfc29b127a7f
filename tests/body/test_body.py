"""The body that ships with the package: its axes, sides, skin, landmarks and shapes."""

import math

import pytest
import torch
from torch import Tensor

from retarget_cli.body.catalog import load_body
from retarget_cli.body.kinematics import bone_transforms, forward_kinematics, landmarks, skin
from retarget_cli.body.model import Body
from retarget_cli.body.raster import rasterize
from retarget_cli.body.skeleton import (
    JOINT,
    JOINT_NAMES,
    LANDMARK,
    LANDMARK_JOINT,
    LANDMARK_NAMES,
    MIRROR_JOINT,
    PARENTS,
)
from retarget_cli.core.errors import InputError
from retarget_cli.geometry.rotations import axis_angle_to_matrix

MIRROR = torch.tensor([-1.0, 1, 1])


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body("anny")


def theta(**degrees: tuple[float, float, float]) -> Tensor:
    """(1, 24, 3, 3) from axis-angle degrees by joint name."""
    angles = torch.zeros(1, 24, 3)
    for name, value in degrees.items():
        angles[0, JOINT[name]] = torch.tensor(value) * math.pi / 180
    return axis_angle_to_matrix(angles)


def posed(body: Body, rotations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Vertices, joints, landmarks of the mean person in a pose."""
    shape = body.shaped()
    transforms = bone_transforms(shape.joints[None], body.parents, rotations)
    _, joints = forward_kinematics(shape.joints[None], body.parents, rotations)
    vertices = skin(shape.vertices[None], body.weights_index, body.weights, transforms)
    return vertices[0], joints[0], landmarks(shape.landmarks[None], body.landmark_joint, transforms)[0]


def test_shapes_and_types(body) -> None:
    count, directions = len(body.template), body.shape_count
    assert body.shape_directions.shape == (directions, count, 3)
    assert body.joint_directions.shape == (directions, 24, 3)
    assert body.landmark_directions.shape == (directions, 33, 3)
    assert (body.joint_template.shape, body.landmark_template.shape) == ((24, 3), (33, 3))
    assert body.weights_index.shape == body.weights.shape == (count, 4)
    assert body.uv_faces.shape == body.faces.shape
    assert (body.parents, body.landmark_joint) == (PARENTS, LANDMARK_JOINT)
    for name in ("faces", "weights_index", "uv_faces", "twin"):
        assert getattr(body, name).dtype == torch.int64
    assert "CC0" in body.license


def test_names_are_smpls_and_mediapipes() -> None:
    assert [JOINT_NAMES[i] for i in (0, 1, 2, 12, 15, 16, 21, 23)] == [
        *("pelvis", "left_hip", "right_hip", "neck", "head", "left_shoulder", "right_wrist", "right_hand")
    ]
    assert [LANDMARK_NAMES[i] for i in (0, 5, 8, 11, 16, 19, 24, 31)] == [
        *("nose", "right_eye", "right_ear", "left_shoulder", "right_wrist", "left_index", "right_hip"),
        "left_foot_index",
    ]
    assert all(parent < joint for joint, parent in enumerate(PARENTS))
    assert MIRROR_JOINT[JOINT["left_knee"]] == JOINT["right_knee"]


def test_the_person_stands_upright_faces_the_viewer_and_has_the_left_at_the_right(body) -> None:
    joint, mark = body.joint_template, body.landmark_template
    assert torch.equal(joint[0], torch.zeros(3))
    assert joint[JOINT["head"], 1] < -0.4 < 0.6 < joint[JOINT["left_ankle"], 1]
    height = body.template[:, 1].amax() - body.template[:, 1].amin()
    assert 1.6 < height < 1.8
    nose, ears = mark[LANDMARK["nose"]], mark[[LANDMARK["left_ear"], LANDMARK["right_ear"]]].mean(0)
    assert nose[2] < ears[2] - 0.05
    assert mark[LANDMARK["left_foot_index"], 2] < mark[LANDMARK["left_heel"], 2] - 0.15
    for index, name in enumerate(JOINT_NAMES):
        side = {"l": 1, "r": -1}.get(name[0], 0) if "_" in name else 0
        assert torch.sign(joint[index, 0].round(decimals=4)) == side
    for index, name in enumerate(LANDMARK_NAMES):
        side = 1 if "left" in name else -1 if "right" in name else 0
        assert torch.sign(mark[index, 0].round(decimals=4)) == side


def test_landmarks_lie_where_they_should(body) -> None:
    place = dict(zip(LANDMARK_NAMES, body.landmark_template, strict=True))
    eyes = [place[f"left_eye{part}"][0] for part in ("_inner", "", "_outer")]
    assert 0.01 < eyes[0] < eyes[1] < eyes[2] < 0.06
    assert place["left_eye"][1] < place["nose"][1] < place["mouth_left"][1]
    assert eyes[2] < place["left_ear"][0]
    face = body.template[body.template[:, 1] < -0.5]
    assert place["nose"][2] == pytest.approx(face[:, 2].amin().item(), abs=0.012)
    wrist, index, pinky, thumb = (place[f"left_{n}"] for n in ("wrist", "index", "pinky", "thumb"))
    for knuckle in (index, pinky, thumb):
        assert 0.03 < (knuckle - wrist).norm() < 0.13
    # Palms look in and back at rest: the index is in front of the little finger.
    assert index[2] < pinky[2]
    assert place["left_heel"][1] > place["left_ankle"][1]
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert (place[f"right_{name}"] - body.joint_template[JOINT[f"right_{name}"]]).norm() < 0.06


def test_the_body_is_its_own_mirror_image(body) -> None:
    assert torch.equal(body.twin[body.twin], torch.arange(len(body.twin)))
    assert torch.allclose(body.template[body.twin], body.template * MIRROR, atol=1e-5)
    assert torch.allclose(body.joint_template[list(MIRROR_JOINT)], body.joint_template * MIRROR, atol=1e-5)
    for name, place in zip(LANDMARK_NAMES, body.landmark_template, strict=True):
        other = name.replace("left", "*").replace("right", "left").replace("*", "right")
        assert torch.allclose(body.landmark_template[LANDMARK[other]], place * MIRROR, atol=1e-5)
    own = dense(body)
    assert torch.allclose(own[body.twin], own[:, list(MIRROR_JOINT)], atol=1e-3)


def dense(body: Body) -> Tensor:
    return torch.zeros(len(body.template), 24).scatter_add(1, body.weights_index, body.weights)


def test_skin_weights_are_shares_of_nearby_joints(body) -> None:
    assert torch.allclose(body.weights.sum(1), torch.ones(len(body.template)), atol=1e-6)
    assert (body.weights >= 0).all()
    assert (body.weights[:, 0] == body.weights.amax(1)).all()
    assert set(body.weights_index.unique().tolist()) == set(range(24))
    main = body.joint_template[body.weights_index[:, 0]]
    assert (body.template - main).norm(dim=1).amax() < 0.6


def test_faces_wind_outward_and_close(body) -> None:
    a, b, c = body.template[body.faces].unbind(1)
    volume = (torch.linalg.cross(a, b) * c).sum(1).sum() / 6
    assert 0.04 < volume < 0.12
    size, scale = 256, 130.0
    pixels = body.template * scale
    pixels[:, :2] += torch.tensor([size / 2, size / 2])
    seen = rasterize(pixels, body.faces, size, size).face_index
    culled = rasterize(pixels, body.faces, size, size, cull=True).face_index
    assert (seen >= 0).sum() > 5000
    # Nothing but the rims of ears and lids shows its inside.
    assert (seen != culled).sum() < 0.005 * (seen >= 0).sum()


def test_texture_coordinates_are_used_and_inside(body) -> None:
    assert body.uv.amin() >= 0
    assert body.uv.amax() <= 1
    assert torch.equal(body.uv_faces.unique(), torch.arange(len(body.uv)))
    # v grows downwards: in a corner-for-corner map, neighbours in space are neighbours in texture.
    corners = body.uv[body.uv_faces]
    assert (corners.amax(1) - corners.amin(1)).amax() < 0.1


def test_arms_go_up_and_knees_bend_back(body) -> None:
    _, raised, _ = posed(body, theta(left_shoulder=(0, 0, -90), right_shoulder=(0, 0, 90)))
    for side in ("left", "right"):
        assert raised[JOINT[f"{side}_wrist"], 1] < raised[JOINT["head"], 1] + 0.2
    _, sitting, _ = posed(body, theta(left_hip=(-90, 0, 0), left_knee=(90, 0, 0)))
    hip, knee, ankle = (sitting[JOINT[f"left_{name}"]] for name in ("hip", "knee", "ankle"))
    assert knee[2] < hip[2] - 0.3
    assert ankle[1] > knee[1] + 0.3
    assert abs(knee[1] - hip[1]) < 0.1


def test_the_head_turns_to_its_left_about_the_downward_axis(body) -> None:
    """About y (down) by the right-hand rule: the nose, which points to -z, goes to -x."""
    _, _, turned = posed(body, theta(head=(0, 40, 0)))
    rest = body.landmark_template[LANDMARK["nose"]]
    assert turned[LANDMARK["nose"], 0] < rest[0] - 0.05
    assert torch.equal(turned[LANDMARK["left_wrist"]], body.landmark_template[LANDMARK["left_wrist"]])


def test_landmarks_stay_on_the_skin_when_posed(body) -> None:
    rotations = theta(head=(20, 30, 10), left_shoulder=(10, 0, -60), left_ankle=(15, 0, 0), neck=(0, 20, 0))
    vertices, _, marks = posed(body, rotations)
    for name in ("nose", "mouth_left", "right_eye_outer", "left_heel", "left_foot_index"):
        row = LANDMARK[name]
        at_rest = (body.template - body.landmark_template[row]).norm(dim=1).amin()
        assert (vertices - marks[row]).norm(dim=1).amin() < at_rest + 0.003


def test_mirrored_poses_give_mirrored_bodies(body) -> None:
    angles = 0.5 * torch.randn(1, 24, 3, generator=torch.Generator().manual_seed(7))
    # A mirror in x keeps the x part of an axis-angle vector and turns the others round.
    mirrored = angles[:, list(MIRROR_JOINT)] * torch.tensor([1.0, -1, -1])
    first, _, _ = posed(body, axis_angle_to_matrix(angles))
    second, _, _ = posed(body, axis_angle_to_matrix(mirrored))
    assert ((first * MIRROR)[body.twin] - second).norm(dim=1).amax() < 0.005


def test_shaped_is_linear_batched_and_pads_with_zeros(body) -> None:
    betas = torch.randn(3, body.shape_count, generator=torch.Generator().manual_seed(1))
    batch = body.shaped(betas)
    assert batch.vertices.shape == (3, len(body.template), 3)
    one = body.shaped(betas[1])
    assert torch.allclose(batch.vertices[1], one.vertices, atol=1e-6)
    assert torch.allclose(batch.joints[1], one.joints, atol=1e-6)
    assert torch.allclose(batch.landmarks[1], one.landmarks, atol=1e-6)
    assert torch.equal(body.shaped().joints, body.joint_template)
    short = body.shaped(torch.tensor([2.0, -1.0]))
    expected = body.template + 2 * body.shape_directions[0] - body.shape_directions[1]
    assert torch.allclose(short.vertices, expected, atol=1e-6)
    assert torch.equal(batch.joints[:, 0], torch.zeros(3, 3))


def test_betas_have_gradients(body) -> None:
    betas = torch.zeros(4, requires_grad=True)
    body.shaped(betas).joints.square().sum().backward()
    assert (betas.grad != 0).all()


@pytest.mark.parametrize("shape", [(99,), (2, 99), (1, 2, 3), ()])
def test_betas_of_another_body_are_refused(body, shape) -> None:
    with pytest.raises(InputError, match="betas"):
        body.shaped(torch.zeros(shape))


def test_named_directions_change_what_they_say_and_little_else(body) -> None:
    bones = {
        "upper_leg_length": ("left_hip", "left_knee", 0.04),
        "lower_leg_length": ("left_knee", "left_ankle", 0.04),
        "upper_arm_length": ("right_shoulder", "right_elbow", 0.04),
        "lower_arm_length": ("right_elbow", "right_wrist", 0.04),
        "torso_length": ("pelvis", "neck", 0.04),
        "shoulder_width": ("left_shoulder", "right_shoulder", 0.05),
        "hip_width": ("left_hip", "right_hip", 0.05),
        "neck_length": ("neck", "head", 0.1),
    }
    for changed in bones:
        betas = torch.zeros(body.shape_count)
        betas[body.shape_names.index(changed)] = 1.0
        joints = body.shaped(betas).joints
        for name, (first, second, size) in bones.items():
            before = (body.joint_template[JOINT[first]] - body.joint_template[JOINT[second]]).norm()
            after = (joints[JOINT[first]] - joints[JOINT[second]]).norm()
            expected = size if name == changed else 0.0
            assert (after / before).item() - 1 == pytest.approx(expected, abs=0.006), (changed, name)


def test_shapes_cover_children_and_the_heavy(body) -> None:
    def height(betas: list[float]) -> float:
        column = body.shaped(torch.tensor(betas)).vertices[:, 1]
        return float(column.amax() - column.amin())

    assert height([-2.0]) < 1.45
    assert height([2.0]) > 1.9
    waist = (body.template[:, 1] + 0.15).abs() < 0.02
    widths = []
    for weight in (-2.0, 2.0):
        points = body.shaped(torch.tensor([0.0, weight])).vertices[waist]
        widths.append(points[points[:, 0].abs() < 0.3][:, 0].amax())
    assert abs(widths[1] - widths[0]) > 0.03


def test_moves_to_another_type_and_leaves_indices_alone(body) -> None:
    double = body.to("cpu", torch.float64)
    assert double.template.dtype == double.shaped(torch.zeros(2)).vertices.dtype == torch.float64
    assert double.faces.dtype == torch.int64
    assert body.shaped().to("cpu", torch.float16).joints.dtype == torch.float16
