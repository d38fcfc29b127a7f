"""People that never lived: the body model in procedural clothes, for examples and tests."""
