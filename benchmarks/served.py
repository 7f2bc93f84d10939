"""A simulated exchange in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ticklane import Feed
from ticklane.simulation import demo_keys

__all__ = ["served", "upbit_keys"]


def upbit_keys(symbols: int) -> list[str]:
    """Return so many keys of Upbit."""
    return [key for key in demo_keys(2 * symbols) if key.startswith("upbit:")]


@contextmanager
def served(keys: list[str], *, per_s: float, depth: int) -> Iterator[Feed]:
    """Serve `keys` over a socket, `per_s` books a second in all; yield the feed to receive them.

    Time begins when the feed has subscribed.
    """
    rate = ["--rate", str(per_s / len(keys)), "--depth", str(depth)]
    command = [sys.executable, "-m", "ticklane.simulation.serve", "--exchange", "upbit", *rate]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, "--keys", *keys], stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        url = process.stdout.readline().strip()
        try:
            yield Feed("upbit", [key.partition(":")[2] for key in keys], url=url)
        finally:
            process.communicate()
