"""Reading the command line: wrong usage is an error of ours, in one line."""

import argparse
from typing import NoReturn, TypeAlias

from ..messages import UsageError

__all__ = ["Commands", "Parser", "common_options"]


class Parser(argparse.ArgumentParser):
    """An argument parser that keeps the layout of its texts and raises UsageError."""

    def __init__(self, **options: object) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options)  # type: ignore[arg-type] # passed on as they come

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print together with a usage nobody reads."""
        raise UsageError(f"{message} (see '{self.prog} --help')")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - no public name
"""Where a command adds its parser."""


def common_options() -> Parser:
    """Return the options that stand before a command or behind it."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    levels = common.add_mutually_exclusive_group()
    for flags, level, what in (
        (("-v", "--verbose"), "INFO", "log more than warnings"),
        (("-q", "--quiet"), "ERROR", "log errors only"),
    ):
        levels.add_argument(*flags, dest="level", action="store_const", const=level, help=what)
    return common
