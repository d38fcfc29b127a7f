"""Moving toys and cartoons: flat characters, shaded 3-D toys and talking heads, with the truth about every pixel."""
