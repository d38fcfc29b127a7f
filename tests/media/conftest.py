"""Lets the tests import `media_maker`, which lies beside their folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
