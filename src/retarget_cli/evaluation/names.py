"""Names of clips and methods as names of files."""

from __future__ import annotations

import re


def file_name(name: str) -> str:
    """A name that is one file's on every system: letters, digits and `.-_#@+=,()`; the rest becomes `_`.

    It never starts with a dot or a dash, and is never empty.
    """
    plain = re.sub(r"[^\w.\-#@+=,() ]", "_", name)
    return plain if re.match(r"[^.\- ]", plain) else f"_{plain}"
