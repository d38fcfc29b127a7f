"""The baker's pieces by hand cases, and the baked body against Anny itself."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from retarget_cli.body.baking.bones import bone_at_joint, joint_of_bone, merged_weights
from retarget_cli.body.baking.hands import flexion_axis, relaxed
from retarget_cli.body.baking.points import Rule, rim
from retarget_cli.body.baking.shapes import oriented, principal, vertex_area
from retarget_cli.body.skeleton import JOINT, JOINT_NAMES


def test_every_joint_sits_at_a_bone_that_is_merged_into_it() -> None:
    for name in JOINT_NAMES:
        assert joint_of_bone(bone_at_joint(name)) == name


def test_bones_go_to_the_joints_one_expects() -> None:
    merged = {
        bone: joint_of_bone(bone) for bone in ("eye.L", "finger3-2.R", "toe4-1.L", "metacarpal2.L", "spine01")
    }
    assert list(merged.values()) == ["head", "right_hand", "left_foot", "left_wrist", "spine3"]
    with pytest.raises(KeyError):
        joint_of_bone("tail.L")


def test_merged_weights_are_sums_strongest_first() -> None:
    labels = ["upperarm01.L", "upperarm02.L", "lowerarm01.L", "root"]
    index, weights, dropped = merged_weights(torch.tensor([[0.3, 0.25, 0.45, 0], [0, 0, 0, 1.0]]), labels)
    assert index[0, :2].tolist() == [JOINT["left_shoulder"], JOINT["left_elbow"]]
    assert torch.allclose(weights[0], torch.tensor([0.55, 0.45, 0, 0]))
    # A weight of zero names no joint that has nothing to do with the vertex.
    assert index[1].unique().tolist() == [JOINT["pelvis"]]
    assert dropped == pytest.approx(0, abs=1e-6)


def test_merged_weights_keep_both_of_a_pair_or_neither() -> None:
    labels = ["spine01", "neck01", "head", "clavicle.L", "clavicle.R"]
    index, weights, dropped = merged_weights(torch.tensor([[0.4, 0.3, 0.2, 0.05, 0.05]]), labels)
    assert set(index[0].tolist()) == {JOINT["spine3"], JOINT["neck"], JOINT["head"]}
    assert weights.sum().item() == pytest.approx(1)
    assert dropped == pytest.approx(0.1)


def hand() -> tuple[Tensor, list[str]]:
    """(1, bones, 3) heads of a left and a right hand that hang down, palms to the body, fingers slightly
    bent.
    """
    heads, labels = [], []
    for side, outward in (("L", 1.0), ("R", -1.0)):
        for ray in range(2, 6):
            for bone in range(1, 4):
                bend = 0.002 * (bone - 1) * (bone - 1)
                heads.append([outward * (0.3 - bend), 0.03 * bone, 0.02 * (ray - 2)])
                labels.append(f"finger{ray}-{bone}.{side}")
    return torch.tensor([heads]), labels


def test_fingers_curl_towards_the_palm_on_both_hands() -> None:
    heads, labels = hand()
    vertices, moved = relaxed(heads.clone(), heads.clone(), torch.eye(len(labels)), labels)
    for index, label in enumerate(labels):
        inward = (heads[0, index, 0].abs() - moved[0, index, 0].abs()).item()
        if "-1." in label:
            assert torch.equal(moved[0, index], heads[0, index])
        else:
            assert inward > 0.005, label
    # Bones keep their lengths, and skin that follows one bone stays where that bone's head is.
    assert torch.allclose((heads[0, 1] - heads[0, 0]).norm(), (moved[0, 1] - moved[0, 0]).norm())
    assert torch.allclose(vertices, moved, atol=1e-6)
    axes = flexion_axis(heads, labels, "L"), flexion_axis(heads, labels, "R")
    assert torch.allclose(axes[0], -axes[1], atol=1e-6)


def test_principal_directions_find_what_varies() -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.linalg.qr(torch.randn(36, 2, generator=generator))[0].T.reshape(2, 12, 3)
    amounts = torch.randn(400, 2, generator=generator) * torch.tensor([0.3, 0.1])
    samples = torch.einsum("ns,svd->nvd", amounts, truth)
    found = principal(samples, torch.ones(12), 2)
    assert found.kept == pytest.approx(1, abs=1e-5)
    assert torch.allclose(found.scores.square().mean(0), torch.ones(2), atol=1e-4)
    directions = found.directions(samples)
    assert torch.allclose(torch.einsum("ns,svd->nvd", found.scores, directions), samples, atol=1e-4)
    assert directions[0].norm() > 2 * directions[1].norm()


def test_a_finely_meshed_part_counts_by_its_area_not_by_its_vertices() -> None:
    """Cutting a vertex into a hundred, each with a hundredth of the skin, changes nothing."""
    samples = torch.randn(50, 3, 3, generator=torch.Generator().manual_seed(1))
    coarse = principal(samples, torch.tensor([1.0, 2, 3]), 2)
    fine = torch.cat([samples[:, :1].expand(-1, 100, -1), samples[:, 1:]], 1)
    found = principal(fine, torch.cat([torch.full((100,), 0.01), torch.tensor([2.0, 3])]), 2)
    assert found.kept == pytest.approx(coarse.kept, abs=1e-5)
    assert torch.allclose(found.scores.abs(), coarse.scores.abs(), atol=1e-3)


def test_signs_make_more_taller() -> None:
    scores = torch.tensor([[1.0, -2], [-1, 2]])
    assert oriented(scores, torch.tensor([1.5, 1.8])).tolist() == [[-1, -2], [1, 2]]


def test_vertex_area_shares_each_face() -> None:
    square = torch.tensor([[0.0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]])
    area = vertex_area(square, torch.tensor([[0, 1, 2], [0, 2, 3]]))
    assert torch.allclose(area, torch.tensor([4 / 3, 2 / 3, 4 / 3, 2 / 3]))


def test_rules_and_rims() -> None:
    vertices, heads = torch.arange(12.0).view(1, 4, 3), torch.tensor([[[9.0, 9, 9]]])
    assert Rule((0, 2)).place(vertices, heads).tolist() == [[3, 4, 5]]
    assert Rule(bone=0, offset=(1, 0, -1)).place(vertices, heads).tolist() == [[10, 9, 8]]
    faces = torch.tensor([[0, 1, 2], [2, 3, 4], [5, 6, 7]])
    assert rim(faces, torch.tensor([True, False, False]), torch.tensor([False, True, True])).tolist() == [2]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_baking_again_gives_the_asset(tmp_path: Path) -> None:
    pytest.importorskip("anny")
    from retarget_cli.body.bake import bake
    from retarget_cli.body.catalog import load_body
    from retarget_cli.body.storage import read_body, save_body

    save_body(bake(), tmp_path / "again.safetensors")
    again, body = read_body(tmp_path / "again.safetensors"), load_body("anny")
    assert torch.allclose(again.template, body.template, atol=1e-4)
    assert torch.allclose(again.landmark_template, body.landmark_template, atol=1e-4)
    assert torch.equal(again.faces, body.faces)
    assert torch.allclose(again.shape_directions, body.shape_directions, atol=1e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_people_of_anny_are_within_millimetres_of_some_betas() -> None:
    """New people, not the ones that the directions were made from."""
    pytest.importorskip("anny")
    from retarget_cli.body import bake
    from retarget_cli.body.catalog import load_body

    source, body = bake.Anny(), load_body("anny")
    people = source.people(
        {
            "gender": torch.tensor([0.0, 1.0, 0.5, 1.0]),
            "age": torch.tensor([0.7, 0.95, 0.4, 0.8]),
            "weight": torch.tensor([0.9, 0.2, 0.5, 0.8]),
            "height": torch.tensor([0.5, 0.3, 0.4, 0.35]),
            "muscle": torch.tensor([0.8, 0.2, 0.5, 0.4]),
            "proportions": torch.tensor([0.3, 0.7, 0.5, 0.5]),
        }
    )
    flat = body.shape_directions.flatten(1).T
    betas = torch.linalg.lstsq(flat, (people.vertices - body.template).flatten(1).T).solution.T
    error = (body.shaped(betas).vertices - people.vertices).norm(dim=-1)
    assert error.mean(1).max() < 0.004
    assert betas.abs().max() < 6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_posing_agrees_with_anny_where_no_bone_was_merged_away() -> None:
    """Arms, legs and head turned in both: the merged skeleton moves the skin as Anny's own does."""
    pytest.importorskip("anny")
    from retarget_cli.body import bake
    from retarget_cli.body.catalog import load_body
    from retarget_cli.body.kinematics import bone_transforms, skin
    from retarget_cli.geometry.rotations import axis_angle_to_matrix

    source, body = bake.Anny(), load_body("anny")
    rest = source.people({"gender": torch.tensor([0.5]), "age": torch.tensor([0.75])})
    labels, parents = source.labels, source.model.bone_parents
    turned = {
        "left_shoulder": (0, 0, -0.9),
        "right_elbow": (0, 0.8, 0),
        "left_hip": (-1.1, 0, 0),
        "left_knee": (1.2, 0, 0),
    }
    turned |= {"head": (0.1, 0.5, 0), "right_hip": (0, 0, -0.3), "spine3": (0.2, 0.2, 0)}
    theta = torch.zeros(1, 24, 3)
    bones = torch.zeros(1, len(labels), 3)
    for name, angle in turned.items():
        theta[0, JOINT[name]] = bones[0, labels.index(bone_at_joint(name))] = torch.tensor(angle)
    theirs = bone_transforms(rest.heads, parents, axis_angle_to_matrix(bones))
    index = torch.arange(len(labels)).expand(len(source.dense), -1)
    expected = skin(rest.vertices, index, source.dense, theirs)
    joints = rest.heads[:, [labels.index(bone_at_joint(name)) for name in JOINT_NAMES]]
    ours = bone_transforms(joints, body.parents, axis_angle_to_matrix(theta))
    found = skin(rest.vertices, body.weights_index, body.weights, ours)
    error = (found - expected).norm(dim=-1)[0]
    # What is left comes from the joints beyond the fourth of a vertex, about the collar.
    assert error.mean() < 0.0005
    assert error.max() < 0.02
