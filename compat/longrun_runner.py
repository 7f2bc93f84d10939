"""The older design's long runs of several symbols."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..analysis import LongrunReport
from ..messages import InvalidOption, MissingExtra
from ..simulation import Campaign, Fault, read_plan
from ..supervisors.options import positive, several

__all__ = ["MultiSymbolLongrunRunner"]

_OPTIONS = ("faults", "log", "rate", "real_time", "seed")


class MultiSymbolLongrunRunner:
    """Run several symbols against simulated exchanges for long, and judge that.

    `config_path`: a YAML or TOML file, whose table `campaign` may hold `seed` (0), `rate` (0.75),
    `faults` (`none`, `random` or a plan's file), `log` and `real_time` (false); what else is in it
    is not looked at. `symbols`: keys like `upbit:KRW-BTC`; a bare `KRW-BTC` is Upbit's, any other
    is Binance's. `scenario`: S0, S1, S2 or S3. `duration_minutes`: as long as the scenario lasts,
    by default.

    Raises InvalidOption; MissingExtra for a YAML file without the extra `yaml`.
    """

    def __init__(
        self,
        config_path: str | Path,
        symbols: Iterable[str],
        scenario: str = "S1",
        duration_minutes: float | None = None,
    ) -> None:
        options = _options(Path(config_path))
        faults = _faults(options.pop("faults", "none"))
        if duration_minutes is not None:
            options["seconds"] = positive("duration_minutes", duration_minutes) * 60.0
        keys = [_key(symbol) for symbol in several(str, "symbols", symbols, "a list of symbols")]
        self.campaign = Campaign(scenario=scenario, keys=keys, faults=faults, **options)

    def run(self) -> LongrunReport:
        """Run it to its end, in virtual time unless the file says otherwise; return the report."""
        return self.campaign.run().report


def _key(symbol: str) -> str:
    if ":" in symbol:
        return symbol
    return f"upbit:{symbol}" if symbol.startswith("KRW-") else f"binance:{symbol}"


def _faults(given: object) -> tuple[Fault, ...] | None:
    if given == "random":
        return None
    return () if given == "none" else read_plan(str(given))


def _options(path: Path) -> dict[str, Any]:
    config = _read(path)
    # YAML makes nothing of an empty file.
    config = {} if config is None else config
    options = config.get("campaign") or {} if isinstance(config, Mapping) else None
    if not isinstance(options, Mapping):
        raise InvalidOption("config_path", str(path), "a file with options by name")
    for name in options:
        if name not in _OPTIONS:
            raise InvalidOption("campaign", name, f"named among {', '.join(_OPTIONS)}")
    return dict(options)


def _read(path: Path) -> Any:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidOption("config_path", str(path), f"a file to be read ({error})") from error
    if path.suffix in {".yaml", ".yml"}:
        return _yaml(path, text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidOption("config_path", str(path), f"TOML, or named .yaml ({error})") from error


def _yaml(path: Path, text: str) -> Any:
    try:
        import yaml  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("a configuration in YAML", "yaml") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidOption("config_path", str(path), f"YAML ({error})") from error
