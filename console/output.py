"""What the command line says: results on stdout, complaints on stderr."""

import sys

__all__ = ["complain", "tell"]


def tell(text: str) -> None:
    """Print a result at once, so that whoever reads a pipe sees it when it happens."""
    print(text, flush=True)  # noqa: T201 - a command line prints


def complain(text: object) -> None:
    """Print one line on stderr that says who complains."""
    print(f"ticklane: {text}", file=sys.stderr, flush=True)  # noqa: T201 - as above
