"""Run Autobahn's WebSocket cases against our connection, which echoes what it gets.

`make autobahn AUTOBAHN_URL=ws://127.0.0.1:9001` runs those that the fuzzing server there offers,
prints how often each behaviour was seen, and fails where one is worse than non-strict. How each
connection was closed is in the report that the server writes at the end.
"""

import json
import sys
import threading
from collections import Counter
from typing import Any

import attrs

from ticklane.messages import Refusal
from ticklane.runtime import Dispatcher, Link, WebSocketTransport
from ticklane.runtime.websocket_transport import WebSocketLink

AGENT = "ticklane"
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
PATIENCE_S = 60.0


@attrs.define
class Echo:
    """Send back what comes, as it came, and keep it."""

    answers: bool = True
    heard_last: bytes = b""
    reason: str = ""
    over: threading.Event = attrs.field(factory=threading.Event)
    link: Link | None = None

    def opened(self, link: Link) -> None:
        self.link = link

    def received(self, payload: bytes, _: int) -> None:
        self.heard_last = payload
        if self.answers and isinstance(self.link, WebSocketLink):
            self.link.send(payload.decode() if self.link.text else payload)

    def oversized(self, length: int, _: int) -> None:
        raise AssertionError(length)

    def heard(self, _: int) -> None:
        """Do nothing: a ping is answered by the transport."""

    def closed(self, reason: str, refusal: Refusal | None = None) -> None:  # noqa: ARG002
        self.reason = reason
        self.over.set()


@attrs.frozen
class Server:
    """The fuzzing server, as an agent talks to it."""

    url: str
    transport: WebSocketTransport

    def talk(self, path: str, *, answers: bool) -> Echo:
        """Stay connected until the server has had enough; return what was heard."""
        echo = Echo(answers)
        self.transport.open("autobahn", f"{self.url}/{path}", echo)
        if not echo.over.wait(PATIENCE_S):
            raise TimeoutError(path)
        return echo

    def ask(self, question: str) -> Any:
        echo = self.talk(question, answers=False)
        if not echo.heard_last:
            raise ConnectionError(f"{self.url} did not answer {question}: {echo.reason}")
        return json.loads(echo.heard_last)


def run(server: Server) -> Counter[str]:
    """Run every case and return how often each behaviour was seen."""
    seen: Counter[str] = Counter()
    for case in range(1, server.ask("getCaseCount") + 1):
        server.talk(f"runCase?case={case}&agent={AGENT}", answers=True)
        behaviour = server.ask(f"getCaseStatus?case={case}&agent={AGENT}")["behavior"]
        seen[behaviour] += 1
        if behaviour not in GOOD:
            say(f"case {case}: {behaviour}")
    server.talk(f"updateReports?agent={AGENT}", answers=False)
    return seen


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main(url: str) -> int:
    dispatcher = Dispatcher()
    dispatcher.start()
    seen = run(Server(url, WebSocketTransport(dispatcher)))
    dispatcher.stop()
    for behaviour, times in seen.most_common():
        say(f"{times:4} {behaviour}")
    return 0 if seen.keys() <= GOOD else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
