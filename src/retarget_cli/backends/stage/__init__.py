"""People as most methods see them: each in a picture of its own, skeletons in one measure, limbs as maps."""
