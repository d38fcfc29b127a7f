"""What is seen in a picture: pose, mask, parsing, body. The only importer of mediapipe."""
