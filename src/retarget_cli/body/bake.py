"""Make the compact body that ships with the package out of Anny: `python -m retarget_cli.body.bake OUT`.

Needs `pip install retarget-cli[bake]`, 3 GB of memory and a minute or two, most of them Anny's first start.
Nothing else in the package imports Anny.

Anny's axes are Blender's: x to the viewer's right, y away, z up. Camera axes are (x, -z, y), a rotation.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from retarget_cli.body.baking.bones import merged_weights
from retarget_cli.body.baking.hands import relaxed
from retarget_cli.body.baking.people import People, Tracked, camera_axes, symmetric, tracked
from retarget_cli.body.baking.points import Regions, Rule, landmark_rules, rim
from retarget_cli.body.baking.shapes import oriented, principal, vertex_area
from retarget_cli.body.model import Body
from retarget_cli.body.skeleton import LANDMARK_JOINT, PARENTS
from retarget_cli.body.storage import save_body

logger = logging.getLogger(__name__)

SAMPLES = 1500
COMPONENTS = 16
CHILDREN = 0.2
"""Share of the sampled population that is 5 to 18 years old."""

LICENSE = (
    "Anny 0.6.2, (c) 2025 NAVER Corp., Apache-2.0; "
    "mesh, targets, rig and weights by the MakeHuman community, CC0 1.0"
)

LOCAL_CHANGES = {
    "upper_leg_length": (("upperlegs-height-incr",), ("left_hip", "left_knee"), 0.04),
    "lower_leg_length": (("lowerlegs-height-incr",), ("left_knee", "left_ankle"), 0.04),
    "upper_arm_length": (("measure-upperarm-length-incr",), ("left_shoulder", "left_elbow"), 0.04),
    "lower_arm_length": (("measure-lowerarm-length-incr",), ("left_elbow", "left_wrist"), 0.04),
    "torso_length": (("torso-scale-vert-incr",), ("pelvis", "neck"), 0.04),
    "shoulder_width": (("measure-shoulder-dist-incr",), ("left_shoulder", "right_shoulder"), 0.05),
    "hip_width": (("hip-scale-horiz-incr",), ("left_hip", "right_hip"), 0.05),
    "neck_length": (("measure-neck-height-incr",), ("neck", "head"), 0.10),
    "head_size": (
        ("head-scale-vert-incr", "head-scale-horiz-incr", "head-scale-depth-incr"),
        ("head", "nose"),
        0.05,
    ),
    "hand_size": (("l-hand-scale-incr", "r-hand-scale-incr"), ("left_wrist", "left_index"), 0.06),
    "foot_size": (("l-foot-scale-incr", "r-foot-scale-incr"), ("left_heel", "left_foot_index"), 0.05),
}
"""Name -> Anny's changes, the two points whose distance they change, by how much of it at beta = 1."""


class Anny:
    """Anny, seen as a function from phenotypes to relaxed rest bodies in camera axes."""

    def __init__(self) -> None:
        import anny

        self.model: Any = anny.Anny(
            rig="anny",
            # MakeHuman's own mesh (CC0). Never "smplx" or "smpl": those are not free.
            topology="anny-notongue",
            local_changes="all",
            phenotypes="all",
            phenotype_blendshapes="original",
            skinning_method="lbs",
        )
        self.labels: list[str] = list(self.model.bone_labels)
        self.dense = self.model.dense_vertex_bone_weights.float().reshape(-1, len(self.labels))
        self.faces: Tensor = self.model.faces.long()

    def people(self, phenotypes: dict[str, Tensor], changes: dict[str, Tensor] | None = None) -> People:
        """Rest bodies of N phenotypes (each value (N,)), with local changes (each value (N,))."""
        count = len(next(iter(phenotypes.values())))
        vertices, heads = [], []
        for rows in torch.split(torch.arange(count), 100):
            coefficients = self.model.get_phenotype_blendshape_coefficients(
                **{name: value[rows].double() for name, value in phenotypes.items()},
                local_changes={name: value[rows].double() for name, value in (changes or {}).items()},
            )
            rest = self.model.get_rest_model(coefficients)
            mesh = camera_axes(rest["rest_vertices"].float())
            bones = camera_axes(rest["rest_bone_heads"].float())
            mesh, bones = relaxed(mesh, bones, self.dense, self.labels)
            pelvis = bones[:, :1].clone()
            vertices.append(mesh - pelvis)
            heads.append(bones - pelvis)
        return People(torch.cat(vertices), torch.cat(heads))

    def part(self, *names: str) -> Tensor:
        """(F,) bool: faces that Anny labels with one of these body parts."""
        from anny.face_segmentation import get_face_segmentation_mask

        mask: Tensor = get_face_segmentation_mask(self.model, list(names))
        return mask

    def ear(self, side: str) -> Tensor:
        """Rows of the six vertices nearest to Anny's own key point for the ear's entrance."""
        from anny.keypoints import KeypointsRegressor

        regressor = KeypointsRegressor.coco(self.model, [f"{side}_ear"])
        template = self.model.template_vertices
        point = regressor({"vertices": template[None]})[0, 0]
        nearest: Tensor = (template - point).norm(dim=1).topk(6, largest=False).indices
        return nearest

    def following(self, *prefixes: str) -> Tensor:
        """Rows of the vertices that mostly follow bones of these names' beginnings."""
        chosen = torch.tensor([label.startswith(prefixes) for label in self.labels])
        rows: Tensor = (self.dense[:, chosen].sum(1) > 0.5).nonzero()[:, 0]
        return rows

    def twin(self) -> Tensor:
        """(V,) the mirrored vertex of each; Anny's template is symmetric."""
        from scipy.spatial import cKDTree

        template = self.model.template_vertices.numpy()
        distance, twin = cKDTree(template).query(template * [-1.0, 1.0, 1.0])
        if distance.max() > 1e-6 or (twin[twin] != range(len(twin))).any():
            raise RuntimeError(f"Anny's template is not symmetric: off by {distance.max()} m")
        return torch.from_numpy(twin).long()


def population(source: Anny, count: int) -> tuple[dict[str, Tensor], Tensor]:
    """Phenotypes of people from five to eighty years, of heights and weights as the WHO found them.

    Returns:
        Phenotype name -> (count,) values in [0, 1]; (count,) bool: is grown up.
    """
    from anny.shape_distribution import SimpleShapeDistribution

    def sampled(low: float, high: float, number: int) -> dict[str, Tensor]:
        years = torch.distributions.Uniform(*torch.tensor([low, high]).double())
        # Most people are near one end or the other.
        gender = torch.distributions.Beta(*torch.tensor([0.3, 0.3]).double())
        drawn: dict[str, Tensor] = SimpleShapeDistribution(source.model, years, gender).sample(number)[1]
        return drawn

    children = int(count * CHILDREN)
    # Distributions draw from torch's own generator, and from no other.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        grown, young = sampled(18, 80, count - children), sampled(5, 18, children)
    is_grown = torch.arange(count) < count - children
    return {name: torch.cat([grown[name], young[name]]) for name in grown}, is_grown


def regions(source: Anny) -> Regions:
    """Where to look for the landmarks of face and feet."""
    skin, mouth = source.part("head"), source.part("mouth_cavity")
    sides = {"left": "L", "right": "R"}
    return Regions(
        lids={side: rim(source.faces, source.part(f"eye_cavity.{s}"), skin) for side, s in sides.items()},
        lips=rim(source.faces, mouth, skin),
        ear={side: source.ear(side) for side in sides},
        foot={side: _sided(source, "foot", "toe", letter=s) for side, s in sides.items()},
        big_toe={side: _sided(source, "toe1-2", letter=s) for side, s in sides.items()},
        head=torch.unique(source.faces[skin]),
    )


def _sided(source: Anny, *names: str, letter: str) -> Tensor:
    labels = [label for label in source.labels if label.startswith(names) and label.endswith(f".{letter}")]
    return source.following(*labels)


def bake() -> Body:
    """Build the compact body.

    Raises:
        ImportError: Anny is not installed.
    """
    source = Anny()
    phenotypes, grown = population(source, SAMPLES)
    people = source.people(phenotypes)
    adults = People(people.vertices[grown].mean(0, True), people.heads[grown].mean(0, True))
    mean = symmetric(adults, source.twin(), source.labels)
    rules = landmark_rules(mean.vertices[0], source.labels, regions(source))
    centre = tracked(mean, rules, source.labels)
    everyone = tracked(people, rules, source.labels) - centre
    components = principal(everyone.vertices, vertex_area(mean.vertices[0], source.faces), COMPONENTS)
    heights = -(everyone.vertices + centre.vertices)[..., 1].amin(1)
    components = replace(components, scores=oriented(components.scores, heights))
    parts = (everyone.vertices, everyone.joints, everyone.landmarks)
    fields = [components.directions(part) for part in parts]
    _report(everyone.vertices, fields[0], components.scores, components.kept)
    local = [_local(source, name, rules, centre) for name in LOCAL_CHANGES]
    index, weights, dropped = merged_weights(source.dense, source.labels)
    logger.info("merged weights: at most %.4f dropped at a vertex", dropped)
    uv, uv_faces = _texture(source)
    return Body(
        name="anny",
        template=centre.vertices[0],
        shape_directions=torch.cat([fields[0], *(part.vertices for part in local)]),
        faces=source.faces,
        weights_index=index,
        weights=weights,
        parents=PARENTS,
        joint_template=centre.joints[0],
        joint_directions=torch.cat([fields[1], *(part.joints for part in local)]),
        landmark_joint=LANDMARK_JOINT,
        landmark_template=centre.landmarks[0],
        landmark_directions=torch.cat([fields[2], *(part.landmarks for part in local)]),
        uv=uv,
        uv_faces=uv_faces,
        shape_names=(*(f"component_{i + 1:02d}" for i in range(COMPONENTS)), *LOCAL_CHANGES),
        twin=source.twin(),
        license=LICENSE,
    )


def _local(source: Anny, name: str, rules: list[Rule], centre: Tracked) -> Tracked:
    """The direction of a named local change, (1, ...), scaled to its size at beta = 1."""
    from retarget_cli.body.skeleton import JOINT, LANDMARK

    changes, (first, second), size = LOCAL_CHANGES[name]
    mean = {"gender": 0.5, "age": 0.8, "height": 0.36, "african": 1 / 3, "asian": 1 / 3, "caucasian": 1 / 3}
    step = 0.25
    both = source.people(
        {key: torch.full((2,), value) for key, value in mean.items()},
        {change: torch.tensor([step, -step]) for change in changes},
    )
    ends = tracked(both, rules, source.labels)
    slope = [(part[:1] - part[1:]) / (2 * step) for part in (ends.vertices, ends.joints, ends.landmarks)]

    def place(joints: Tensor, landmarks: Tensor, which: str) -> Tensor:
        return joints[0, JOINT[which]] if which in JOINT else landmarks[0, LANDMARK[which]]

    span = place(centre.joints, centre.landmarks, second) - place(centre.joints, centre.landmarks, first)
    growth = place(slope[1], slope[2], second) - place(slope[1], slope[2], first)
    rate = float((growth * span).sum() / (span * span).sum())
    logger.info("%s: %.3f of its length per unit of Anny's change", name, rate)
    if rate <= 0.01:
        raise RuntimeError(f"{name} does not lengthen {first} - {second}")
    return Tracked(*(part * (size / rate) for part in slope))


def _texture(source: Anny) -> tuple[Tensor, Tensor]:
    """Texture coordinates in use, v down, and faces into them."""
    corners = source.model.face_texture_coordinate_indices.long()
    used, faces = torch.unique(corners, return_inverse=True)
    uv = source.model.texture_coordinates[used].float()
    return torch.stack([uv[:, 0], 1 - uv[:, 1]], -1).clamp(0, 1), faces


def _report(deviations: Tensor, directions: Tensor, scores: Tensor, kept: float) -> None:
    """Log how well the directions hold the samples."""
    error = (deviations - (scores @ directions.flatten(1)).view_as(deviations)).norm(dim=-1) * 1000
    logger.info("%d directions keep %.2f %% of the variance", len(directions), 100 * kept)
    logger.info("left over: mean %.2f mm, 95 %% %.2f mm", error.mean(), error.flatten()[::97].quantile(0.95))


def main() -> None:
    """Write the body where the command line says."""
    parser = argparse.ArgumentParser(description="bake the compact body out of Anny")
    parser.add_argument(
        "out", type=Path, nargs="?", default=Path(__file__).parent / "assets" / "anny.safetensors"
    )
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    save_body(bake(), parser.parse_args().out)


if __name__ == "__main__":
    main()
