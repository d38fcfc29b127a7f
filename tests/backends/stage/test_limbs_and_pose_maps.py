"""The body as limbs, in space and on pictures."""

from __future__ import annotations

import torch
from tests.backends.stage.postures import poses, turned_poses

from retarget_cli.backends.bottleneck.sampling import lattice
from retarget_cli.backends.stage.frame import REACH
from retarget_cli.backends.stage.limbs import BODY, LIMBS, bones, occupancy, powers, radii, segments
from retarget_cli.backends.stage.pose_maps import deep_maps, maps
from retarget_cli.backends.stage.posture import motions
from retarget_cli.body.skeleton import JOINT

REST = poses(1, strength=0)


def limb(bone: str, child: str | None) -> int:
    wanted = (JOINT[bone], None if child is None else JOINT[child])
    return [(each.bone, each.child) for each in BODY].index(wanted)


def test_every_bone_has_a_limb() -> None:
    assert LIMBS == len(BODY) == 28
    assert set(bones()) == set(range(24))


def test_the_skeleton_goes_on_at_head_hands_and_feet() -> None:
    found = segments(REST)
    for joint, axis, sign in (("head", 1, -1), ("left_foot", 2, -1), ("right_foot", 2, -1), ("left_hand", 0, 1)):
        tip = limb(joint, None)
        assert (found.ends - found.starts)[0, tip, axis] * sign > 0.03, joint


def test_limbs_are_rigid_with_their_bones() -> None:
    """Carried by the motions between two poses, the limbs of one are those of the other."""
    source, target = poses(1, 1), poses(1, 2)
    there, here = segments(source), segments(target)
    motion = motions(source, target)[:, bones()]
    for ours, theirs in ((here.starts, there.starts), (here.ends, there.ends)):
        carried = (motion[..., :3] @ ours[..., None])[..., 0] + motion[..., 3]
        torch.testing.assert_close(carried, theirs, atol=1e-5, rtol=0)
    assert (there.ends - here.ends).abs().max() > 0.1


def test_powers_are_zero_on_the_surface() -> None:
    found = segments(REST)
    arm = limb("left_shoulder", "left_elbow")
    along = found.ends[0, arm] - found.starts[0, arm]
    across = torch.linalg.cross(along, torch.tensor([0.0, 0.0, 1.0]))
    surface = found.starts[0, arm] + 0.5 * along + radii(along)[arm] * across / across.norm()
    assert powers(REST, surface[None])[0, arm].abs() < 1e-6
    assert powers(REST, found.starts[0, arm][None])[0, arm] < 0


def test_inside_and_outside_of_the_body() -> None:
    chest, beside = REST.joints[0, JOINT["spine2"]], torch.tensor([0.9, 0.0, 0.0])
    found = occupancy(REST, torch.stack([chest, beside]), 0.02)
    assert found.shape == (1, 1, 2)
    assert found[0, 0, 0] > 0.99
    assert found[0, 0, 1] < 0.01


def test_arms_do_not_fall_between_the_places() -> None:
    """However coarse the lattice, about as much of it is body as there is of the body."""
    shares = []
    for side in (8, 16, 32):
        size = (side, side, side)
        found = occupancy(poses(2, strength=0.2), lattice(size, REST.joints), 2 / side)
        assert found.shape == (2, 1, *size)
        shares.append(float(found.mean()))
    fine = shares[-1]
    assert 0.005 < fine < 0.03
    assert all(fine < share < 5 * fine for share in shares[:-1])


def test_maps_show_each_limb_where_it_is() -> None:
    found = maps(REST, (64, 64))
    assert found.shape == (1, LIMBS, 64, 64)
    assert found.amin() == 0
    assert torch.equal(found.amax((2, 3)), torch.ones(1, LIMBS))
    leg = found[0, limb("left_knee", "left_ankle")]
    middle = (REST.joints[0, JOINT["left_knee"], :2] + REST.joints[0, JOINT["left_ankle"], :2]) / 2
    column, row = ((middle + 1) * 32).long().tolist()
    assert leg[row, column] == 1
    assert leg[row, 64 - column] == 0


def test_maps_however_small() -> None:
    assert (maps(poses(2), (8, 8)).amax((2, 3)) > 0.3).all()


def test_depth_changes_its_sign_behind() -> None:
    """From behind the feet point away."""
    found = deep_maps(turned_poses([0.0, torch.pi]), (32, 32))
    assert found.shape == (2, 2 * LIMBS, 32, 32)
    foot = LIMBS + limb("left_foot", None)
    front, back = found[:, foot].sum((1, 2))
    assert front * back < 0
    torch.testing.assert_close(found[0, LIMBS:].sum((1, 2)), -found[1, LIMBS:].sum((1, 2)), atol=0.6, rtol=0.05)


def test_maps_of_another_shape_show_the_same_places() -> None:
    """Half as wide: the middle of the square's maps. With as many metres aside as up: all of it, in wider pixels."""
    posture, size = poses(1, 3), (64, 64)
    whole = maps(posture, size)
    assert torch.allclose(maps(posture, (64, 32)), whole[..., 16:48], atol=1e-5)
    squeezed = maps(posture, (64, 32), REACH)
    assert squeezed.shape == (1, LIMBS, 64, 32)
    both = torch.nn.functional.avg_pool2d(whole, (1, 2))
    assert float((squeezed - both).abs().mean()) < 0.02
