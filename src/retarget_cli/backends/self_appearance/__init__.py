"""Methods that learn their own keypoints: self-appearance-aided evolution, first order and articulated motion."""
