"""What can be done about anomalies, for those who ask for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..actors import RemedyActor
from ..analysis import REMEDIES, RemedyPlan
from ..messages import Reconnect, RemedyTaken
from ..runtime import Dispatching, Inbox, Mailbox
from .children import ChildSpec
from .group import Group

__all__ = ["Remedying"]


class Remedying:
    """The remedies a host allows: all of them (True), none (False), or some by name.

    Raises InvalidOption for a name that is no remedy.
    """

    def __init__(
        self,
        auto_recover: bool | Iterable[str],
        *,
        mailboxes: Mapping[str, Mailbox],
        symbols: Group,
        feeds: Mapping[str, Inbox],
        tell: Callable[[RemedyTaken], object],
        dispatcher: Dispatching,
    ) -> None:
        self.plan = RemedyPlan(_names(auto_recover))
        self.inbox = Inbox(dispatcher)
        self._mailboxes = mailboxes
        self._symbols = symbols
        self._feeds = feeds
        self._tell = tell
        self._dispatcher = dispatcher

    @property
    def hears(self) -> tuple[Inbox, ...]:
        """Who is to be told of anomalies: nobody where nothing is allowed."""
        return (self.inbox,) if self.plan.names else ()

    def children(self) -> Iterator[ChildSpec]:
        """Yield how to start the actor; nothing where nothing is allowed."""
        if self.plan.names:
            yield ChildSpec("remedies", self.inbox, self._start)

    def _start(self, supervisor: Inbox) -> object:
        return RemedyActor.start(
            plan=self.plan,
            remedies={
                "restart_symbol": self._restart_symbol,
                "shed_symbol": self._shed_symbol,
                "reconnect_feed": self._reconnect_feed,
            },
            tell=self._tell,
            dispatcher=self._dispatcher,
            inbox=self.inbox,
            supervisor=supervisor,
        )

    def _restart_symbol(self, key: str) -> bool:
        mailbox = self._mailboxes.get(key)
        if mailbox is None or mailbox.status != "running":
            return False
        self._symbols.restart(key)
        return True

    def _shed_symbol(self, key: str) -> bool:
        mailbox = self._mailboxes.get(key)
        return mailbox is not None and mailbox.shed()

    def _reconnect_feed(self, key: str) -> bool:
        feed = self._feeds.get(key)
        if feed is None:
            return False
        feed.tell(Reconnect("silent, closed by auto_recover"))
        return True


def _names(auto_recover: bool | Iterable[str]) -> frozenset[str]:
    if isinstance(auto_recover, bool):
        return frozenset(REMEDIES.values() if auto_recover else ())
    one = isinstance(auto_recover, str) or not isinstance(auto_recover, Iterable)
    # What is no name at all is for the plan to refuse.
    names: Iterable[Any] = [auto_recover] if one else auto_recover
    return frozenset(names)
