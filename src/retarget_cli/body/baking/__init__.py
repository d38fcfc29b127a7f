"""Pieces of the baker that need no Anny: arrays in, arrays out."""
