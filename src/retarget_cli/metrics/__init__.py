"""Measures of pictures, one file a family."""
