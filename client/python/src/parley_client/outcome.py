"""What the calls of the SDK return and raise. Compare `code`, never a message."""

from dataclasses import dataclass
from typing import Any

RETRY = frozenset({"rate_limited", "busy", "unavailable", "internal"})


@dataclass(frozen=True)
class Acked:
    """The event of a write has this number."""

    seq: int
    at: int


@dataclass(frozen=True)
class Page:
    """A page of a room, ascending. `more`: there are more events in its direction."""

    events: list[dict[str, Any]]
    more: bool
    first: int | None = None
    last: int | None = None
    as_of: int | None = None


class Refused(Exception):
    """A call was refused; with the code `unavailable` its outcome is not known."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code

    @property
    def retry(self) -> bool:
        """True when the same call can succeed later."""
        return self.code in RETRY


class Removed(Exception):
    """The user lost the right to read the room."""

    def __init__(self, room: str, reason: str) -> None:
        super().__init__(f"{room}: {reason}")
        self.room = room
        self.reason = reason


class Reset(Exception):
    """The room was recreated: discard everything stored of it. `events()` can go on."""

    def __init__(self, room: str) -> None:
        super().__init__(room)
        self.room = room
