"""Flow-guided transformable bottleneck (FTBN): implicit volumes that are moved by three-dimensional flow."""
