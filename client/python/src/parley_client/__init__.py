"""The client of a Parley chat cluster. `Parley` is the begin of everything."""

from .client import Parley
from .dev import dev_token
from .outcome import Acked, Page, Refused, Removed, Reset
from .room import Room

__all__ = ["Acked", "Page", "Parley", "Refused", "Removed", "Reset", "Room", "dev_token"]
