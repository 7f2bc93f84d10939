"""Which alerts say nothing new while another one fires."""

import pytest

from ticklane.analysis import AlertSettings, exchange_of, is_muted
from ticklane.messages import AnomalyAlert, Severity


def anomaly(kind: str, key: str | None) -> AnomalyAlert:
    return AnomalyAlert(kind=kind, severity=Severity.WARN, message="look", key=key)


@pytest.mark.parametrize(
    ("key", "exchange"),
    [("upbit:KRW-BTC", "upbit"), ("upbit", "upbit"), ("upbit#2", "upbit"), (None, "")],
)
def test_a_key_names_its_exchange(key: str | None, exchange: str) -> None:
    assert exchange_of(key) == exchange


@pytest.mark.parametrize(
    ("kind", "key", "muted"),
    [
        ("FEED_DELAY", "upbit#2", True),
        ("FEED_SILENT", "upbit#2", True),
        ("FEED_SILENT", "upbit", False),
        ("FEED_LOST", "upbit#2", False),
        ("QUARANTINED", "upbit#2", False),
        ("RUN_LOG", None, False),
    ],
)
def test_a_lost_feed_mutes_its_own(kind: str, key: str | None, muted: bool) -> None:
    lost = anomaly("FEED_LOST", "upbit#2")

    assert is_muted(anomaly(kind, key), [lost], AlertSettings()) is muted


@pytest.mark.parametrize(
    ("kind", "key", "muted"),
    [
        ("WS_QUEUE_LAG", "upbit:A", True),
        ("FLAPPING", "upbit:A", True),
        ("WS_QUEUE_LAG", "upbit:B", False),
        ("QUEUE_STALL", "upbit:A", False),
    ],
)
def test_a_symbol_that_is_cut_off_is_muted(kind: str, key: str, muted: bool) -> None:
    lost = anomaly("FEED_LOST", "upbit")

    assert is_muted(anomaly(kind, key), [lost], AlertSettings(), cut_off={"upbit:A"}) is muted
