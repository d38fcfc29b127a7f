"""What the papers say about their own methods: numbers that were not measured here."""
