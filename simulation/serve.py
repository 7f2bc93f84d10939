"""Runs a loopback exchange as a process of its own, for when the market must not share ours.

    python -m ticklane.simulation.serve --exchange upbit --keys upbit:KRW-BTC upbit:KRW-ETH

prints the exchange's address as its first line and serves until its standard input ends.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from ..messages import InvalidOption, UsageError
from .loopback import LoopbackExchange
from .market import SyntheticMarket

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve as the command line says, until the end of standard input.

    Exits with status 2 for wrong usage.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        exchange = _exchange(options)
    except UsageError as error:
        parser.error(str(error))
    with exchange:
        print(exchange.url, flush=True)  # noqa: T201 - who started us reads it
        sys.stdin.read()


def _exchange(options: argparse.Namespace) -> LoopbackExchange:
    foreign = [key for key in options.keys if not key.startswith(f"{options.exchange}:")]
    if foreign:
        raise InvalidOption("keys", foreign, f"of the exchange {options.exchange}")
    market = SyntheticMarket(
        options.keys,
        seed=options.seed,
        rate=options.rate,
        depth=options.depth,
        start_unix_ms=int(time.time() * 1000),
    )
    return LoopbackExchange(
        options.exchange, market.books(), port=options.port, speed=options.speed
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ticklane.simulation.serve",
        description="Serve a synthetic market on 127.0.0.1 until standard input ends.",
    )
    parser.add_argument("--exchange", required=True, help="whose protocol to speak")
    parser.add_argument("--keys", required=True, nargs="+", help="like upbit:KRW-BTC")
    parser.add_argument("--rate", type=float, default=5.0, help="books a second and symbol")
    parser.add_argument("--depth", type=int, default=15, help="levels on each side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--speed", type=float, default=1.0, help="times real time")
    return parser


if __name__ == "__main__":
    main()
