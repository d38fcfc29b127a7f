"""`python -m retarget_cli`."""

import sys

from retarget_cli.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
