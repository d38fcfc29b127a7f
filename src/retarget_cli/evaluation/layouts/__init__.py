"""The layouts in which people have their data sets; one file each."""
