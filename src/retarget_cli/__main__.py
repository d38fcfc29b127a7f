"""`python -m retarget_cli`."""

from retarget_cli.cli.app import main

if __name__ == "__main__":
    main()
