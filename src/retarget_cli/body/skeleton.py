"""The 24 joints and the 33 landmarks by name, whatever the body model."""

from __future__ import annotations

from types import MappingProxyType

JOINT_NAMES = (
    *("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle"),
    *("right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hand", "right_hand"),
)
"""SMPL's joints in SMPL's order. Left is the person's left."""

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
"""Parent of each joint; -1 is the root. A parent always comes before its children."""

LANDMARK_NAMES = (
    *(
        "nose",
        "left_eye_inner",
        "left_eye",
        "left_eye_outer",
        "right_eye_inner",
        "right_eye",
        "right_eye_outer",
    ),
    *("left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index"),
    *("left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    *("right_ankle", "left_heel", "right_heel", "left_foot_index", "right_foot_index"),
)
"""MediaPipe's pose landmarks in MediaPipe's order. Left is the person's left."""

JOINT = MappingProxyType({name: index for index, name in enumerate(JOINT_NAMES)})
LANDMARK = MappingProxyType({name: index for index, name in enumerate(LANDMARK_NAMES)})

_CARRIERS = {
    **dict.fromkeys(LANDMARK_NAMES[:11], "head"),
    **{
        f"{side}_{part}": f"{side}_wrist"
        for side in ("left", "right")
        for part in ("pinky", "index", "thumb")
    },
    **{f"{side}_heel": f"{side}_ankle" for side in ("left", "right")},
    **{f"{side}_foot_index": f"{side}_foot" for side in ("left", "right")},
}

LANDMARK_JOINT = tuple(JOINT[_CARRIERS.get(name, name)] for name in LANDMARK_NAMES)
"""The joint that carries each landmark rigidly: the head the face, the wrist the knuckles, and so on."""

MIRROR_JOINT = tuple(
    JOINT[name.replace("left", "*").replace("right", "left").replace("*", "right")] for name in JOINT_NAMES
)
"""Index of each joint's left/right twin; itself in the middle."""
