"""What each figure is held against."""

from collections.abc import Callable

import attrs
from figures import Tree

__all__ = ["BARS", "Bar"]


@attrs.frozen
class Bar:
    """One promise: a figure out of all, and its limit."""

    figure: str
    value: Callable[[Tree], float]
    limit: float
    unit: str = ""
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Say whether the figure keeps the promise."""
        return value >= self.limit if self.at_least else value <= self.limit


def _hop(design: str, symbols: int) -> Callable[[Tree], float]:
    return lambda results: float(results["hop_us"][design][str(symbols)])


def _ratio(
    above: Callable[[Tree], float], below: Callable[[Tree], float]
) -> Callable[[Tree], float]:
    return lambda results: above(results) / below(results)


def _at(*path: str) -> Callable[[Tree], float]:
    def value(results: Tree) -> float:
        found = results
        for name in path:
            found = found[name]
        return float(found)  # type: ignore[arg-type]

    return value


def _hop_bars(design: str, how: str) -> tuple[Bar, ...]:
    hundred, thousand = _hop(design, 100), _hop(design, 1_000)
    return (
        Bar(
            f"hop, {how}, 100 symbols: cheaper than the older design",
            _ratio(_hop("asyncio", 100), hundred),
            8,
            "x",
            at_least=True,
        ),
        Bar(
            f"hop, {how}, 1,000 symbols: cheaper than `ThreadingActor`",
            _ratio(_hop("pykka", 1_000), thousand),
            30,
            "x",
            at_least=True,
        ),
        Bar(
            f"hop, {how}, 10,000 symbols against 10",
            _ratio(_hop(design, 10_000), _hop(design, 10)),
            1.5,
            "x",
        ),
    )


BARS = (
    *_hop_bars("ticklane", "by a feed's reader"),
    *_hop_bars("ticklane_offered", "offered by a host's thread"),
    Bar("`offer` to a full mailbox, handler stuck, p99", _at("offer_full_p99_us"), 20, "µs"),
    Bar("isolation, offered: p99 lag of the others", _at("isolation_p99_ms"), 5, "ms"),
    Bar("isolation, fed: p99 lag of the others", _at("isolation", "fed", "p99_ms"), 5, "ms"),
    # What the other process reached: without the pace the lag would say nothing.
    Bar("lag over a socket: snapshots a second", _at("lag", "per_s"), 9_500, at_least=True),
    Bar("lag over a socket, p50", _at("lag", "p50_us"), 100, "µs"),
    Bar("lag over a socket, p99", _at("lag", "p99_us"), 1_000, "µs"),
    Bar("lag over a socket, p99.9", _at("lag", "p999_us"), 5_000, "µs"),
    Bar("a frame of Upbit, from the socket to handled", _at("wire_us", "upbit"), 12, "µs"),
    Bar(
        "a frame of Upbit: cheaper than cryptofeed",
        _ratio(_at("wire_us", "cryptofeed_upbit"), _at("wire_us", "upbit")),
        8,
        "x",
        at_least=True,
    ),
    Bar("threefold overload, adaptive: p99 lag", _at("overload", "lag_p99_ms"), 25, "ms"),
    Bar(
        "threefold overload, adaptive: share of capacity",
        _at("overload", "throughput"),
        0.9,
        at_least=True,
    ),
    Bar(
        "threefold overload, adaptive: time in the handler",
        _at("overload", "busy"),
        0.9,
        at_least=True,
    ),
    Bar("an idle symbol of 10,000", _at("idle_bytes_per_symbol"), 10_000, "B"),
    Bar(
        "an idle symbol of 10,000, after one snapshot",
        _at("idle_bytes", "rss", "one_handled"),
        10_000,
        "B",
    ),
    Bar("start 10,000 symbols", _at("startstop", "start_s"), 2, "s"),
    Bar("stop 10,000 symbols", _at("startstop", "stop_s"), 2, "s"),
    Bar("watching 1,000 symbols, share of a core", _at("watching", "1000"), 0.05),
    Bar("watching 10,000 symbols, share of a core", _at("watching", "10000"), 0.4),
    # Of all rounds: one that goes wrong once is wrong.
    Bar(
        "restart storm: symbols lost, disordered, miscounted",
        lambda results: float(results["spread"]["storm"]["wrong"][1]),
        0,
    ),
)
"""Design, sections 3 to 5, and the runtime's bars."""
