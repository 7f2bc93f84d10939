"""What is done about a feed's connections, and symbols, that say nothing."""

from __future__ import annotations

from loguru import logger

from ..analysis import QuietSymbols, Rhythm, Silence, SilenceLimits, SilenceVerdict
from .feed_part import FeedPart
from .line import Line

__all__ = ["SilenceWatch"]


class SilenceWatch:
    """Give up connections that are half-open or stalled, and ask anew for symbols gone silent.

    Knows how a feed's data is wont to come, through all its connections, and is more patient with
    the next one after one that it gave up, until data flows. Used by the feed's actor.
    """

    def __init__(self, name: str, part: FeedPart, limits: SilenceLimits) -> None:
        self._name = name
        self._part = part
        self._limits = limits
        self._rhythm = Rhythm()
        self._quiet = QuietSymbols()
        self._patience = 1

    def opened(self, line: Line, now_ns: int) -> None:
        """Begin to watch a connection: what passed without one is nobody's silence."""
        self._rhythm.resume(now_ns)
        self._quiet.resume(now_ns)
        limit_s = line.exchange.silence_limit_s
        line.open(Silence(now_ns, limit_s, self._rhythm, self._patience, self._limits))

    def stalls(self, line: Line, now_ns: int) -> bool:
        """Look at a connection, and close it if need be; return whether its data has stalled."""
        verdict = line.look(now_ns)
        if (silence := line.silence) is None:
            return False
        if silence.flows:
            self._patience = 1
        silence_s = (now_ns - silence.data_ns) / 1e9
        if verdict is SilenceVerdict.HALF_OPEN:
            why = f"half-open: silent for {silence_s:.0f} s and no answer to a ping"
        elif verdict is SilenceVerdict.STALLED:
            why = f"stalled: no data for {silence_s:.0f} s"
            self._part.stalled(line.connection, silence_s)
        else:
            return False
        self._patience = 2 * silence.patience
        line.silence = None
        line.link.close(why)
        return verdict is SilenceVerdict.STALLED

    def ask_quiet_symbols(self, line: Line, now_ns: int) -> None:
        """Ask anew for symbols that are silent beyond their rhythm while others stream."""
        since_ns = now_ns - int(self._limits.probe_after_s * 1e9)
        if not line.streams or line.silence is None or line.silence.data_ns < since_ns:
            return
        quiet = self._quiet.look(now_ns, self._part.arrivals())
        for symbol, silence_s in quiet.items():
            logger.warning("{}: {} is silent for {:.0f} s", self._name, symbol, silence_s)
            self._part.quiet(symbol, silence_s)
        if quiet:
            line.ask_again(tuple(quiet))
            line.flush(now_ns)
