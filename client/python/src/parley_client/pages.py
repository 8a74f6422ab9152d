"""Pages: history calls without an answer. A call survives reconnects until its deadline."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Callable

from .bounds import AFTER_MAX, PAGE_DEADLINE, jitter
from .outcome import Page, Refused


@dataclass(eq=False)
class Call:
    room: str
    fields: dict[str, Any]
    done: asyncio.Future[Page]
    until: float = field(default_factory=lambda: time.monotonic() + PAGE_DEADLINE)
    ref: int | None = None
    not_before: float = 0.0
    attempt: int = 0


class Pages:
    def __init__(self) -> None:
        self._calls: list[Call] = []

    def add(self, room: str, fields: dict[str, Any]) -> Call:
        call = Call(room, fields, asyncio.get_running_loop().create_future())
        self._calls.append(call)
        return call

    def remove(self, call: Call) -> None:
        if call in self._calls:
            self._calls.remove(call)

    def take(
        self, new_ref: Callable[[], int], is_joined: Callable[[str], bool]
    ) -> list[dict[str, Any]]:
        frames = []
        for call in self._calls:
            if call.ref is None and call.not_before <= time.monotonic() and is_joined(call.room):
                call.ref = new_ref()
                frames.append({"t": "history", "ref": call.ref, "room": call.room, **call.fields})
        return frames

    def on_page(self, frame: dict[str, Any]) -> None:
        call = self._find(frame["ref"])
        if call is not None and not call.done.done():
            more = [frame.get(key) for key in ("first", "last", "asOf")]
            call.done.set_result(Page(frame["events"], frame["more"], *more))

    def on_refused(self, ref: int, error: dict[str, Any]) -> None:
        call = self._find(ref)
        if call is None:
            return
        if not error.get("retry"):
            self._fail(call, error["name"], error.get("message", ""))
            return
        wait = min(float(error.get("afterMs", 0)) / 1000, AFTER_MAX)
        call.not_before = time.monotonic() + max(wait, jitter(call.attempt, 0.5, 10))
        call.attempt += 1
        call.ref = None

    def on_disconnected(self) -> None:
        for call in self._calls:
            call.ref = None

    def fail(self, code: str, is_affected: Callable[[Call], bool]) -> None:
        for call in [call for call in self._calls if is_affected(call)]:
            self._fail(call, code)

    def _find(self, ref: int) -> Call | None:
        return next((call for call in self._calls if call.ref == ref), None)

    def _fail(self, call: Call, code: str, message: str = "") -> None:
        self.remove(call)
        if not call.done.done():
            call.done.set_exception(Refused(code, message))
