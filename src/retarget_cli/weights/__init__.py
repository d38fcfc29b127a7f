"""Weights: where they come from, where they lie, and whether they are what they claim to be."""
