"""Many videos: what is to be made, by whom, and what became of it."""
