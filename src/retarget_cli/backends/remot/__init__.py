"""From regions to the whole person (REMOT); see docs/remot.md."""
