"""Where alerts go: the receivers a host names, and the actors that serve them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from functools import partial

from ..actors import AlertActor, Receiver, ReceiverActor, Sink, sink_of
from ..actors.endpoint import Endpoint
from ..analysis import AlertRules, AlertSettings
from ..messages import InvalidOption
from ..runtime import Dispatcher, Dispatching, Inbox
from .children import ChildSpec

__all__ = ["Alerting"]


class Alerting:
    """The receivers of alerts, by URL or as sinks of the host's own.

    Raises InvalidOption for a URL that names no receiver, and for any URL where time is virtual;
    MissingExtra for one that needs apprise.
    """

    def __init__(
        self,
        alerts: Iterable[str | Sink],
        settings: AlertSettings,
        *,
        cut_off: Callable[[set[str]], Container[str]],
        dispatcher: Dispatching,
    ) -> None:
        if isinstance(alerts, str) or not isinstance(alerts, Iterable):
            given = Endpoint(alerts) if isinstance(alerts, str) else alerts
            raise InvalidOption("alerts", given, "several URLs or sinks: a tuple")
        sinks = [_sink(each, dispatcher) for each in alerts]
        self.receivers = tuple(Receiver(sink, dispatcher) for sink in sinks)
        self.inbox = Inbox(dispatcher)
        self._rules = AlertRules(settings, cut_off)
        self._dispatcher = dispatcher

    @property
    def hears(self) -> tuple[Inbox, ...]:
        """Who is to be told of anomalies: nobody where nobody receives anything."""
        return (self.inbox,) if self.receivers else ()

    def children(self) -> Iterator[ChildSpec]:
        """Yield how to start the actors; none where nobody receives anything."""
        if self.receivers:
            yield ChildSpec("alerts", self.inbox, self._start)
        for number, receiver in enumerate(self.receivers, 1):
            key = f"receiver {number}"
            yield ChildSpec(key, receiver.inbox, partial(self._start_receiver, key, receiver))

    def _start(self, supervisor: Inbox) -> object:
        return AlertActor.start(
            rules=self._rules,
            receivers=self.receivers,
            dispatcher=self._dispatcher,
            inbox=self.inbox,
            supervisor=supervisor,
        )

    def _start_receiver(self, key: str, receiver: Receiver, supervisor: Inbox) -> object:
        return ReceiverActor.start(
            key=key, receiver=receiver, dispatcher=self._dispatcher, supervisor=supervisor
        )


def _sink(given: str | Sink, dispatcher: Dispatching) -> Sink:
    if isinstance(given, str) and not isinstance(dispatcher, Dispatcher):
        allowed = "sinks of your own where the dispatcher is no Dispatcher"
        raise InvalidOption("alerts", Endpoint(given), allowed)
    return sink_of(given)
