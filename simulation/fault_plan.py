"""A plan of faults: a list, or a TOML file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from ..messages import InvalidOption
from .fault import Fault, SymbolFault
from .faults import FAULTS
from .scene import Scene

__all__ = ["parse_plan", "play", "read_plan", "write_plan"]


def read_plan(path: str | Path) -> tuple[Fault, ...]:
    """Return the plan in a TOML file (`parse_plan`).

    Raises InvalidOption, naming the file, for one that cannot be read or is no plan.
    """
    try:
        return parse_plan(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidOption("plan", str(path), f"a file that can be read ({error})") from error


def parse_plan(text: str) -> tuple[Fault, ...]:
    """Return the faults of a plan in TOML: a table `[[fault]]` for each.

    `name` is one of `FAULTS`, the rest are its fields: `at_s`, mostly `target`, and its own.

    Raises InvalidOption for what is no plan, and for names, fields and values not allowed.
    """
    try:
        plan = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidOption("plan", str(error), "TOML") from error
    rows = plan.get("fault", [])
    tables = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    if plan.keys() - {"fault"} or not tables:
        raise InvalidOption("plan", sorted(plan), "tables [[fault]] and nothing else")
    return tuple(_fault(row) for row in rows)


def write_plan(plan: Iterable[Fault]) -> str:
    """Return a plan as TOML, which `parse_plan` reads."""
    return "\n".join(_table(fault) for fault in plan)


def play(plan: Iterable[Fault], scene: Scene) -> None:
    """Let every fault of a plan begin at its time, counted from now.

    Raises InvalidOption for a target that is not there.
    """
    faults = [*plan]
    for fault in faults:
        if fault.place:
            scene.exchange(fault.place)
        if isinstance(fault, SymbolFault):
            scene.market.queue(fault.place)
    for fault in faults:
        scene.later(fault.at_s, partial(fault.begin, scene))


def _fault(row: Mapping[str, Any]) -> Fault:
    fields = dict(row)
    name = fields.pop("name", None)
    if not isinstance(name, str) or name not in FAULTS:
        raise InvalidOption("name", name, f"one of {', '.join(FAULTS)}")
    allowed = attrs.fields_dict(FAULTS[name])
    for field in fields:
        if field not in allowed:
            raise InvalidOption(f"field of {name}", field, f"one of {', '.join(allowed)}")
    for field, of in allowed.items():
        if of.default is attrs.NOTHING and field not in fields:
            raise InvalidOption(f"{field} of {name}", None, "given")
    fault: Fault = FAULTS[name](**fields)
    return fault


def _table(fault: Fault) -> str:
    fields = attrs.asdict(fault).items()
    # Strings and numbers are written in JSON as in TOML.
    rows = "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields)
    return f'[[fault]]\nname = "{type(fault).__name__}"\n{rows}'
