"""For how long nobody may connect after an exchange has refused an address."""

from __future__ import annotations

import attrs

__all__ = ["Lockout"]

RATE_LIMIT_S = 10.0
BAN_S = 60.0
LONGEST_BAN_S = 3600.0
LONGEST_S = 3 * 24 * 3600.0
"""The longest ban an exchange speaks of: Binance's, "from 2 minutes to 3 days"."""


@attrs.define
class Lockout:
    """Keep away from an exchange for as long as it asks; one thread at a time.

    It asks by `Retry-After`, which is obeyed up to three days. Where it does not, a rate limit
    (HTTP 429) is 10 s, a ban (418) 60 s, doubled up to an hour with each further one until a
    connection is made.
    """

    _until_s: float = attrs.field(init=False, default=0.0)
    _ban_s: float = attrs.field(init=False, default=BAN_S)

    def wait_s(self, now_s: float) -> float:
        """Return the seconds left to keep away, 0.0 if none; `now_s` is monotonic."""
        return max(0.0, self._until_s - now_s)

    def refused(self, now_s: float, *, ban: bool, retry_after_s: float | None) -> None:
        """Note that an attempt was refused.

        Those under way when the first of them was refused tell nothing new, so a default does not
        grow by them.
        """
        if retry_after_s is None and self._until_s > now_s:
            return
        if retry_after_s is None:
            retry_after_s = self._ban_s if ban else RATE_LIMIT_S
            if ban:
                self._ban_s = min(2 * self._ban_s, LONGEST_BAN_S)
        self._until_s = max(self._until_s, now_s + min(retry_after_s, LONGEST_S))

    def admitted(self) -> None:
        """Note that a connection was made: the next ban is a first one again."""
        self._ban_s = BAN_S
