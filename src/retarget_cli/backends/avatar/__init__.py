"""`avatar`: the photo itself, cut into body parts, given depth by the fitted body, and posed. No training."""
