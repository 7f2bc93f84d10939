"""Durations as Prometheus' histograms: one for each exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..analysis import LagHistogram, bucket_middle
from ..runtime import Mailbox
from ..supervisors import Vitals
from .families import Family, Labels

__all__ = ["histogram_families"]

BOUNDS_NS = tuple(128_000 << octave for octave in range(20))
"""128 us to 67 s, each twice the one before."""


def histogram_families(mailboxes: Sequence[Mailbox], vitals: Vitals) -> list[Family]:
    """Return lags, handlers' times and exchanges' delays since the start, by exchange.

    A histogram for each symbol would be 25 times as many lines.
    """
    lags = _by_exchange(mailboxes, lambda mailbox: mailbox.lags)
    times = _by_exchange(mailboxes, lambda mailbox: mailbox.times.copy())
    delays = vitals.delays()
    return [
        _family("mailbox_time", "Time from acceptance to the start of handling.", lags),
        _family("processing_time", "Time in a handler, of one snapshot in 16.", times),
        _family("exchange_delay", "Receive time less exchange's stamp, once a second.", delays),
    ]


def _family(name: str, told: str, by_exchange: Mapping[str, LagHistogram]) -> Family:
    name = f"ticklane_{name}_seconds"
    samples = [
        sample
        for exchange, durations in sorted(by_exchange.items())
        for sample in _samples(name, exchange, durations)
    ]
    return Family(name, "histogram", told, samples)


def _by_exchange(
    mailboxes: Iterable[Mailbox], read: Callable[[Mailbox], LagHistogram]
) -> Mapping[str, LagHistogram]:
    found: dict[str, LagHistogram] = {}
    for mailbox in mailboxes:
        found.setdefault(mailbox.key.partition(":")[0], LagHistogram()).add(read(mailbox))
    return found


def _samples(name: str, exchange: str, lags: LagHistogram) -> list[tuple[str, Labels, float]]:
    counts, total_ns = _cumulative(lags)
    total = counts[-1]
    samples: list[tuple[str, Labels, float]] = [
        (f"{name}_bucket", Labels(exchange=exchange, le=f"{bound / 1e9:g}"), count)
        for bound, count in zip(BOUNDS_NS, counts, strict=False)
    ]
    samples.append((f"{name}_bucket", Labels(exchange=exchange, le="+Inf"), total))
    samples.append((f"{name}_count", Labels(exchange=exchange), total))
    samples.append((f"{name}_sum", Labels(exchange=exchange), total_ns / 1e9))
    return samples


def _cumulative(lags: LagHistogram) -> tuple[list[int], int]:
    """Return how many lags were within each bound, then how many there were, and their sum."""
    lags_ns = [(bucket_middle(bucket), count) for bucket, count in lags.counts.items()]
    counts = [sum(count for ns, count in lags_ns if ns <= bound) for bound in BOUNDS_NS]
    return [*counts, lags.total], sum(ns * count for ns, count in lags_ns)
