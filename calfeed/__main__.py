"""`python -m calfeed` is the same as the `calfeed` command."""

from calfeed.cli import main

if __name__ == "__main__":
    main()
