"""Network leaves that two or more methods or metrics share, in plain torch."""
