"""`ticklane simulate`: exchanges on this machine, for whoever wants to connect."""

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from ..exchanges import exchange_named, parse_key
from ..messages import InvalidOption
from ..simulation import (
    ExchangeFault,
    Fault,
    LiveClock,
    LiveScene,
    LoopbackExchange,
    StreamFault,
    SyntheticMarket,
    demo_symbols,
    play,
    read_plan,
)
from ..supervisors import MarketData
from .arguments import Commands, Parser
from .output import tell

__all__ = ["add_simulate", "simulate"]

_EPILOG = """\
examples:
  ticklane simulate binance --port 9443
  ticklane simulate upbit:KRW-BTC upbit:KRW-ETH bybit --rate 20
  ticklane simulate upbit --faults plan.toml
  ticklane watch upbit:KRW-BTC --url upbit=ws://127.0.0.1:8765

Each exchange speaks its real protocol, with its pings, limits and errors, on a port of its own; the
REST side of Upbit, Bithumb and Binance answers there, too (http://). The address of each is printed
first. Needs the extra 'simulation'.
"""

_LAST_PORT = 65535


def add_simulate(commands: Commands, common: Parser) -> None:
    """Add the command `simulate`."""
    parser = commands.add_parser(
        "simulate",
        parents=[common],
        help="be an exchange, for any client on this machine",
        description="Serve synthetic order books as the exchanges would, until Ctrl-C.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "what", nargs="+", metavar="EXCHANGE", help="upbit, or one of its keys: upbit:KRW-BTC"
    )
    for flag, type_, default, what in (
        ("--port", int, 8765, "of the first exchange; the others have those after it; 0: any"),
        ("--symbols", int, 10, "how many, where only the exchange is named"),
        ("--rate", float, 5.0, "books a second and symbol"),
        ("--depth", int, 15, "levels on each side"),
        ("--seed", int, 1, "of the market: the same seed is the same market"),
    ):
        parser.add_argument(
            flag, type=type_, default=default, metavar="N", help=f"{what} (default {default:g})"
        )
    parser.add_argument("--faults", metavar="PLAN", help="what goes wrong, and when: a TOML file")
    parser.set_defaults(run=simulate)


def simulate(options: argparse.Namespace) -> int:
    """Run the command until Ctrl-C; returns the exit status."""
    plan, exchanges = _plan(options.faults), {each.exchange: each for each in _exchanges(options)}
    last = _LAST_PORT - len(exchanges) + 1
    if not 0 <= options.port <= last:
        raise InvalidOption("--port", options.port, f"from 0 to {last}")
    with ExitStack() as stack:
        for exchange in exchanges.values():
            try:
                stack.enter_context(exchange)
            except OSError as error:
                allowed = f"a port that is free ({error.strerror})"
                raise InvalidOption("--port", options.port, allowed) from error
            tell(f"{exchange.exchange} {exchange.url}")
        with suppress(KeyboardInterrupt):
            # A scene needs market data, and none of these faults touches it.
            scene = LiveScene(MarketData(), exchanges, LiveClock())
            play(plan, scene)
            while True:
                scene.run_for(3600.0)
    return 0


def _plan(path: str | None) -> tuple[Fault, ...]:
    plan = () if path is None else read_plan(path)
    for fault in plan:
        if not isinstance(fault, ExchangeFault | StreamFault):
            allowed = "a plan of what exchanges do wrong"
            raise InvalidOption("--faults", type(fault).__name__, allowed)
    return plan


def _exchanges(options: argparse.Namespace) -> Iterator[LoopbackExchange]:
    now_ms = int(time.time() * 1000)
    for number, (name, symbols) in enumerate(_symbols(options).items()):
        market = SyntheticMarket(
            [f"{name}:{symbol}" for symbol in symbols],
            seed=options.seed,
            rate=options.rate,
            depth=options.depth,
            start_unix_ms=now_ms,
        )
        port = options.port + number if options.port else 0
        yield LoopbackExchange(name, market.books(), port=port, waits=False)


def _symbols(options: argparse.Namespace) -> dict[str, list[str]]:
    if options.symbols < 1:
        raise InvalidOption("--symbols", options.symbols, "at least 1")
    symbols: dict[str, list[str]] = {}
    for what in options.what:
        if ":" in what:
            exchange, symbol = parse_key(what)
            symbols.setdefault(exchange, []).append(symbol)
        else:
            named = symbols.setdefault(exchange_named(what).name, [])
            named.extend(demo_symbols(what, options.symbols))
    return {exchange: list(dict.fromkeys(some)) for exchange, some in symbols.items()}
