"""Attentional liquid warping GAN (Impersonator++)."""
