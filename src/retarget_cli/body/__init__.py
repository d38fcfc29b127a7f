"""Body models, their kinematics and their rasterizers."""
