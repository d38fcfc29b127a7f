"""`retarget`: human motion retargeting, from photos and a driving clip to a finished video."""
