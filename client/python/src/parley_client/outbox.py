"""Outbox: the writes without an outcome, in the order of submission.

outbox.1. A write ends once, and survives any number of connections.
outbox.2. The writes of a room go out in their order, with the first id. After a temporary refusal
    nothing of that room goes out until the wait is over and its other writes have their answers.
outbox.3. It holds at most OUTBOX_MAX writes; at most WIRE_MAX of them are unanswered.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Callable

from .bounds import AFTER_MAX, OUTBOX_MAX, SEND_DEADLINE, WIRE_MAX, jitter
from .outcome import Acked, Refused


@dataclass
class Item:
    frame: dict[str, Any]
    done: asyncio.Future[Acked]
    until: float = field(default_factory=lambda: time.monotonic() + SEND_DEADLINE)
    is_written: bool = False
    is_abandoned: bool = False


@dataclass
class Hold:
    id: str
    until: float
    attempt: int = 0
    is_retried: bool = False


class Outbox:
    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._holds: dict[str, Hold] = {}

    @property
    def has_unanswered(self) -> bool:
        return any(item.is_written for item in self._items.values())

    def add(self, frame: dict[str, Any]) -> asyncio.Future[Acked]:
        known = self._items.get(frame["id"])
        if known is not None:
            return known.done
        done: asyncio.Future[Acked] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_seen)
        if len(self._items) >= OUTBOX_MAX:
            done.set_exception(Refused("busy", "Too many messages wait to be sent."))
        else:
            self._items[frame["id"]] = Item(frame, done)
        return done

    def take(self, is_joined: Callable[[str], bool]) -> list[dict[str, Any]]:
        """The frames to write now."""
        now = time.monotonic()
        waiting = {item.frame["room"] for item in self._items.values() if item.is_written}
        on_wire = sum(item.is_written for item in self._items.values())
        frames = []
        for item in self._items.values():
            room = item.frame["room"]
            if on_wire >= WIRE_MAX:
                break
            if item.is_written or not (is_joined(room) or item.frame["t"] == "create"):
                continue
            hold = self._holds.get(room)
            if hold is not None and (hold.until > now or room in waiting):
                continue
            if hold is not None:
                hold.is_retried = True
            item.is_written = True
            on_wire += 1
            frames.append(item.frame)
        return frames

    def on_ack(self, id: str, seq: int, at: int) -> None:
        item = self._remove(id)
        if item is not None and not item.done.done():
            item.done.set_result(Acked(seq, at))

    def on_refused(self, id: str, error: dict[str, Any]) -> None:
        item = self._items.get(id)
        if item is None:
            return
        if not error.get("retry") or item.is_abandoned:
            self._refuse(id, error["name"], error.get("message", ""))
            return
        item.is_written = False
        least = time.monotonic() + min(float(error.get("afterMs", 0)) / 1000, AFTER_MAX)
        hold = self._holds.get(item.frame["room"])
        if hold is not None and not hold.is_retried:
            hold.until = max(hold.until, least)
            return
        attempt = 0 if hold is None else hold.attempt + 1
        until = max(least, time.monotonic() + jitter(attempt, 0.5, 10))
        self._holds[item.frame["room"]] = Hold(id, until, attempt)

    def on_disconnected(self) -> None:
        for id, item in list(self._items.items()):
            item.is_written = False
            if item.is_abandoned:
                self._refuse(id, "unavailable")

    def on_left(self, room: str, code: str) -> None:
        self._holds.pop(room, None)
        for id, item in list(self._items.items()):
            if item.frame["room"] != room:
                continue
            item.is_abandoned = True
            if not item.is_written:
                self._refuse(id, code)

    def expire(self) -> None:
        now = time.monotonic()
        for id, item in list(self._items.items()):
            if item.until <= now:
                self._refuse(id, "unavailable")

    def close(self) -> None:
        for id in list(self._items):
            self._refuse(id, "unavailable", "The connection is closed.")

    def _refuse(self, id: str, code: str, message: str = "") -> None:
        item = self._remove(id)
        if item is not None and not item.done.done():
            item.done.set_exception(Refused(code, message))

    def _remove(self, id: str) -> Item | None:
        item = self._items.pop(id, None)
        if item is not None:
            hold = self._holds.get(item.frame["room"])
            if hold is not None and hold.id == id:
                del self._holds[item.frame["room"]]
        return item


def _seen(done: asyncio.Future[Acked]) -> None:
    """A caller need not wait: a refusal that is not read is no warning of asyncio."""
    if not done.cancelled():
        done.exception()
