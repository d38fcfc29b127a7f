"""The baseline that any method must beat: the source picture, unmoved."""
