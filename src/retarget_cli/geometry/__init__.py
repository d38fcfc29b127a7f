"""Pure functions over rotations, cameras, flow fields and their warps."""
