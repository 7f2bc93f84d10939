"""Who restarts whom, and the object a host holds."""

from .children import ChildSpec, RestartPolicy
from .group import Group
from .market_data import MarketData
from .supervisor import StartChild, StopChildren, Supervisor
from .symbols import Symbols
from .vitals import Vitals

__all__ = [
    "ChildSpec",
    "Group",
    "MarketData",
    "RestartPolicy",
    "StartChild",
    "StopChildren",
    "Supervisor",
    "Symbols",
    "Vitals",
]
