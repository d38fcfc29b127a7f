"""How networks learn: albums of pictures, examples drawn from them, the loop, its checkpoints."""
