"""Room: one joined room.

room.1. Events are delivered once and in order. Behind a gap the room joins again from its cursor,
    and delivers nothing until that join is answered.
room.2. A room with another birth is another room: `Reset` is raised before its first event.
"""

import asyncio
from typing import TYPE_CHECKING, Any, AsyncIterator

from .ids import uuid7
from .outcome import Acked, Page, Refused, Removed, Reset

if TYPE_CHECKING:
    from .client import Parley


class Room:
    """One joined room. `Parley.join` returns it; it survives reconnects until `leave`."""

    def __init__(
        self, client: "Parley", room: str, after: int | None, born: str | None, tail: int | None
    ) -> None:
        self.room = room
        self.complete_through = after or 0
        """Every event up to this number was delivered."""
        self.head = 0
        self.born = born
        self.status = "joining"
        """`joining`, `catching-up`, `live` or `left`."""
        self._client = client
        self._last = after
        self._tail = tail
        self._ref: int | None = None
        self._may_be_member = False
        self._inbox: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()

    def send(
        self,
        body: dict[str, Any],
        *,
        reply_to: int | None = None,
        thread: int | None = None,
        mentions: list[str] | str | None = None,
        id: str | None = None,
    ) -> asyncio.Future[Acked]:
        """Sends a message that mentions the users of a list, or everyone with `@room`. The future
        has its number, or raises `Refused`."""
        content = {"body": body, "replyTo": reply_to, "thread": thread, "mentions": mentions}
        return self._write("send", id, **content)

    def edit(
        self, target: int, body: dict[str, Any], *, mentions: list[str] | str | None = None
    ) -> asyncio.Future[Acked]:
        """Replaces the body of an own message, and its mentions when `mentions` is a list or
        `@room`."""
        return self._write("edit", target=target, body=body, mentions=mentions)

    def delete(self, target: int, reason: str | None = None) -> asyncio.Future[Acked]:
        """Deletes a message: its text is erased everywhere."""
        return self._write("delete", target=target, reason=reason)

    def react(self, target: int, emoji: str, on: bool = True) -> asyncio.Future[Acked]:
        """Reacts to a message with one emoji, or takes the reaction back."""
        return self._write("react", target=target, emoji=emoji, on=on)

    def pin(self, target: int, on: bool = True) -> asyncio.Future[Acked]:
        """Pins a message to the room, or unpins it."""
        return self._write("pin", target=target, on=on)

    async def history(
        self, *, limit: int, before: int | None = None, after: int | None = None
    ) -> Page:
        """One page of events. Raises `Refused`."""
        return await self._client._page(self, limit=limit, before=before, after=after)

    async def messages(
        self,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        thread: int | None = None,
    ) -> Page:
        """One page of messages as they are now, each with its `state`. Raises `Refused`."""
        return await self._client._page(
            self, limit=limit, before=before, after=after, view="messages", thread=thread
        )

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Every event once and in order, also those before this call. One caller at a time."""
        while True:
            item = await self._inbox.get()
            self._client._on_taken()
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    def leave(self) -> None:
        """Leaves the room. Writes that were not written yet are refused."""
        if self.status != "left":
            self._client._leave(self, "not_joined")

    def _write(self, t: str, id: str | None = None, **fields: Any) -> asyncio.Future[Acked]:
        given = {key: value for key, value in fields.items() if value is not None}
        frame = {"t": t, "room": self.room, "id": id or uuid7(), **given}
        return self._client._submit(self, frame)

    def _join_frames(self, new_ref: Any) -> list[dict[str, Any]]:
        frames = []
        if self._may_be_member:
            frames.append({"t": "leave", "ref": new_ref(), "room": self.room})
        self._ref = new_ref()
        join = {"t": "join", "ref": self._ref, "room": self.room}
        if self._last is not None:
            join["after"] = self._last
        elif self._tail is not None:
            join["tail"] = self._tail
        self._may_be_member = True
        self.status = "asked"
        return [*frames, join]

    def _on_joined(self, frame: dict[str, Any]) -> None:
        if self.status != "asked" or frame["ref"] != self._ref:
            return
        head, first, born = frame["head"], frame["from"], frame["born"]
        is_other = self.born not in (None, "") and self.born != born
        if self._last is not None and (head < self._last or is_other):
            self._last, self.born, self.head = None, None, 0
            self.status = "joining"
            self._inbox.put_nowait(Reset(self.room))
            return
        self.born, self.head = born, head
        if self._last is None:
            self._last = first - 1
        elif first > self._last + 1:
            self.status = "joining"
            return
        self.complete_through = self._last
        self.status = "catching-up"

    def _on_event(self, event: dict[str, Any]) -> None:
        if self.status not in ("catching-up", "live") or self._last is None:
            return
        seq = event["seq"]
        if seq <= self._last:
            return
        if seq > self._last + 1:
            self.status = "joining"
            return
        self._last = self.complete_through = seq
        self.head = max(self.head, seq)
        if seq == 1 and self.born == "":
            self.born = event["id"]
        self._inbox.put_nowait(event)

    def _on_caught_up(self, seq: int) -> None:
        if self.status == "catching-up":
            self.status = "live" if (self._last or 0) >= seq else "joining"

    def _on_disconnected(self) -> None:
        if self.status != "left":
            self.status = "joining"
        self._may_be_member = False

    def _end(self, news: Exception | None) -> None:
        self.status = "left"
        if news is not None:
            self._inbox.put_nowait(news)
        self._inbox.put_nowait(None)


__all__ = ["Page", "Refused", "Removed", "Room"]
