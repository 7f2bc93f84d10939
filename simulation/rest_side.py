"""The REST side of a simulated exchange: what it answers, and to how many requests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import attrs

from ..messages import Snapshot
from .door import TOO_MANY
from .rest_replies import RestReply, RestRequest, VenueRest, reply

__all__ = ["RestSide", "Weights"]


class RestSide:
    """Answers requests with `answer`; more than `most_weight` in a minute are refused with 429."""

    def __init__(self, answer: VenueRest | None, most_weight: int | None) -> None:
        self._answer = answer
        self._weights = Weights(most_weight)

    def get(self, target: str, books: Mapping[str, Snapshot], now_s: float) -> RestReply:
        """Answer a GET request for `target`, a path with a query; `now_s` is unix time."""
        if self._answer is None:
            return reply({"error": "not simulated"}, status=404)
        if (wait_s := self._weights.wait_s(now_s)) > 0:
            refused = reply({"error": "too many requests"}, status=TOO_MANY)
            return attrs.evolve(refused, headers={"Retry-After": str(math.ceil(wait_s))})
        address = urlsplit(target)
        query = dict(parse_qsl(address.query))
        answer = self._answer(RestRequest(address.path, query, books, int(now_s * 1000)))
        used = self._weights.add(answer.weight, now_s)
        return attrs.evolve(answer, headers={"X-MBX-USED-WEIGHT-1M": str(used)})


class Weights:
    """How much was asked for in the current minute of the exchange's clock."""

    def __init__(self, most: int | None) -> None:
        self._most = math.inf if most is None else most
        self._minute = -1
        self._used = 0

    def wait_s(self, now_s: float) -> float:
        """Return how long until the next minute, where this one's limit is used up; else 0.0."""
        if int(now_s // 60) != self._minute or self._used < self._most:
            return 0.0
        return 60.0 - now_s % 60

    def add(self, weight: int, now_s: float) -> int:
        """Note a request; return how much was used in this minute."""
        minute = int(now_s // 60)
        if minute != self._minute:
            self._minute, self._used = minute, 0
        self._used += weight
        return self._used
