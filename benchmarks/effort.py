"""How much work a benchmark is to do."""

import attrs

__all__ = ["Effort"]


@attrs.frozen
class Effort:
    """A share of the whole: 1 for figures to quote, less for a look whether it runs."""

    share: float = 1.0

    def count(self, whole: int) -> int:
        """Return the share of a number of messages, at least 1."""
        return max(1, round(whole * self.share))

    def seconds(self, whole: float) -> float:
        """Return the share of a time to run."""
        return whole * self.share

    def lightened(self) -> "Effort":
        """Return a tenth of it, for a warm-up."""
        return Effort(self.share / 10)
