"""Parley: a client of one cluster, with one connection at a time.

client.1. It reconnects, resumes each room from its cursor, and writes unanswered writes again: the
    joins first, then the writes of each joined room in their order.
client.2. The close code decides what follows (`_after`). After "stop" each pending call is refused.
client.3. A connection is dropped when a request has no answer and nothing arrives for
    ANSWER_SILENCE, or a ping has no answer for 1.5 periods.
client.4. After `reconnect` nothing is written: it would be written twice.
"""

import asyncio
import json
import time
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException
from websockets.typing import Subprotocol

from . import tokens
from .bounds import (
    AFTER_MAX,
    ANSWER_SILENCE,
    CONNECT_TIMEOUT,
    EVENTS_MAX,
    FINAL,
    REFRESH_AHEAD,
    STEADY,
    jitter,
)
from .outbox import Outbox
from .outcome import Acked, Page, Refused, Removed
from .pages import Pages
from .room import Room


class Parley:
    """`url`: the WebSocket, `ws://host:port/v1/ws`. `token`: a JWT, or an async function."""

    def __init__(self, url: str, token: tokens.Token, *, client: str = "parley-python/0.1") -> None:
        self.user: str | None = None
        """The user id of the token, from the server."""
        self._url = url
        self._token = token
        self._client = client
        self._rooms: dict[str, Room] = {}
        self._not_before: dict[str, tuple[float, int]] = {}
        self._outbox = Outbox()
        self._pages = Pages()
        self._refs = 0
        self._state = "idle"
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._session: str | None = None
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self._taken = asyncio.Event()
        self._is_blocked = False
        self._return_at: float | None = None
        self._since = self._received_at = self._written_at = 0.0
        self._pinged_at: float | None = None
        self._ping_period = 25.0
        self._refresh_at: float | None = None
        self._refresh_ref: int | None = None

    @property
    def state(self) -> str:
        """`idle`, `connecting`, `online`, `waiting` (for the next attempt) or `closed`."""
        return self._state

    @property
    def session_id(self) -> str | None:
        """The id of this client in the list of the user's sessions; None before the first
        `welcome`. Each connection has another one."""
        return self._session

    async def __aenter__(self) -> "Parley":
        self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def connect(self) -> None:
        """Connects; without an effect while the client runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Closes the connection. Pending writes are refused with `unavailable`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._stop()

    async def online(self) -> None:
        """Waits until the client is online. Raises `Refused` when it is closed."""
        while self._state != "online":
            if self._state == "closed":
                raise Refused("unavailable", "The connection is closed.")
            self._changed.clear()
            await self._changed.wait()

    def join(
        self,
        room: str,
        *,
        after: int | None = None,
        born: str | None = None,
        tail: int | None = None,
    ) -> Room:
        """Joins a room, now or after the next connect; the same handle until it is left."""
        known = self._rooms.get(room)
        if known is None:
            known = self._rooms[room] = Room(self, room, after, born, tail)
            self._flush()
        return known

    def _submit(self, room: Room, frame: dict[str, Any]) -> asyncio.Future[Acked]:
        code = "unavailable" if self._state == "closed" else "not_joined"
        if self._state == "closed" or self._rooms.get(room.room) is not room:
            refused: asyncio.Future[Acked] = asyncio.get_running_loop().create_future()
            refused.set_exception(Refused(code))
            refused.exception()
            return refused
        done = self._outbox.add(json.loads(json.dumps(frame)))
        self._flush()
        return done

    async def _page(self, room: Room, **fields: Any) -> Page:
        if room.status == "left":
            raise Refused("not_joined", "The room was left.")
        given = {key: value for key, value in fields.items() if value is not None}
        call = self._pages.add(room.room, given)
        self._flush()
        try:
            return await call.done
        finally:
            self._pages.remove(call)

    def _leave(self, room: Room, code: str, news: Exception | None = None) -> None:
        if self._rooms.pop(room.room, None) is None:
            return
        if code == "not_joined" and room._may_be_member:
            self._write({"t": "leave", "ref": self._new_ref(), "room": room.room})
        self._outbox.on_left(room.room, code)
        self._pages.fail(code, lambda call: call.room == room.room)
        room._end(news)

    def _on_taken(self) -> None:
        self._taken.set()

    def _new_ref(self) -> int:
        self._refs += 1
        return self._refs

    def _is_joined(self, room: str) -> bool:
        known = self._rooms.get(room)
        return known is not None and known.status in ("catching-up", "live")

    def _enter(self, state: str) -> None:
        self._state = state
        self._changed.set()

    async def _run(self) -> None:
        attempt = 0
        has_tried_fresh = False
        while True:
            self._enter("connecting")
            code, reached = await self._attempt()
            if reached:
                has_tried_fresh = False
                if time.monotonic() - self._since >= STEADY:
                    attempt = 0
            wait = self._after(code, has_tried_fresh, attempt)
            if wait is None:
                self._stop()
                return
            has_tried_fresh = has_tried_fresh or code == 4500
            attempt += 1
            self._enter("waiting")
            await asyncio.sleep(wait)

    def _after(self, code: int, has_tried_fresh: bool, attempt: int) -> float | None:
        """The wait before the next attempt; None: there is none (client.2)."""
        can_renew = not isinstance(self._token, str)
        if code == 4003 and not can_renew:
            return None
        if code == 4500:
            return 0.0 if can_renew and not has_tried_fresh else None
        if code == 4503:
            return 15 + jitter(attempt, 15, 60)
        if code in FINAL or 4500 <= code <= 4999:
            return None
        if self._return_at is not None:
            return max(0.0, self._return_at - time.monotonic())
        return jitter(attempt, 0.25, 20)

    async def _attempt(self) -> tuple[int, bool]:
        """One connection. Its close code, and whether it came online."""
        self._return_at = None
        self._out = asyncio.Queue()
        reached = False
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT) as limit:
                token = await tokens.ask(self._token)
                async with connect(
                    self._url,
                    subprotocols=[Subprotocol("parley.v1")],
                    ping_interval=None,
                    max_size=8 * 1024 * 1024,
                    close_timeout=1,
                ) as socket:
                    await socket.send(json.dumps(self._hello(token)))
                    reached = await self._welcome(socket, token)
                    limit.reschedule(None)
                    if reached:
                        await self._serve(socket)
                    return socket.close_code or 1006, reached
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006, reached
        except (OSError, TimeoutError, InvalidHandshake, WebSocketException):
            return 1006, reached
        except Exception:  # The token function of the application.
            return 1006, reached
        finally:
            self._refresh_at = self._refresh_ref = None
            self._outbox.on_disconnected()
            self._pages.on_disconnected()
            for room in self._rooms.values():
                room._on_disconnected()

    def _hello(self, token: str) -> dict[str, Any]:
        hello = {"t": "hello", "token": token, "client": self._client}
        return hello if self._session is None else {**hello, "session": self._session}

    async def _welcome(self, socket: ClientConnection, token: str) -> bool:
        async for text in socket:
            for line in str(text).split("\n"):
                frame = decode(line)
                if frame is None or frame["t"] != "welcome":
                    continue
                self._session, self.user = frame["session"], frame["user"]
                self._ping_period = frame["pingMs"] / 1000
                self._since = self._received_at = time.monotonic()
                self._pinged_at = None
                self._set_refresh(tokens.expiry_ms(token), frame["at"])
                return True
        return False

    async def _serve(self, socket: ClientConnection) -> None:
        self._enter("online")
        self._flush()
        tasks = [asyncio.create_task(self._send(socket)), asyncio.create_task(self._tick(socket))]
        try:
            async for text in socket:
                self._received_at = time.monotonic()
                self._pinged_at = None
                for line in str(text).split("\n"):
                    frame = decode(line)
                    if frame is not None:
                        self._on_frame(frame)
                self._flush()
                while sum(room._inbox.qsize() for room in self._rooms.values()) > EVENTS_MAX:
                    self._is_blocked = True
                    self._taken.clear()
                    await self._taken.wait()
                self._is_blocked = False
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, socket: ClientConnection) -> None:
        while True:
            await socket.send(await self._out.get())

    async def _tick(self, socket: ClientConnection) -> None:
        while True:
            is_busy = self._outbox.has_unanswered or self._state != "online"
            await asyncio.sleep(0.1 if is_busy else 0.25)
            now = time.monotonic()
            self._outbox.expire()
            self._pages.fail("unavailable", lambda call: call.until <= now)
            if self._refresh_at is not None and now >= self._refresh_at:
                await self._refresh()
            if self._is_dead(now):
                await socket.close()
                return
            if self._pinged_at is None and now >= self._received_at + self._ping_period:
                self._pinged_at = now
                self._write({"t": "ping", "ref": self._new_ref()})
            self._flush()

    def _is_dead(self, now: float) -> bool:
        """client.3, and a server that does not close after `reconnect`."""
        if self._is_blocked:
            return False
        if self._return_at is not None:
            return now >= self._written_at + ANSWER_SILENCE
        if self._pinged_at is not None and now >= self._pinged_at + self._ping_period * 1.5:
            return True
        silent_since = max(self._received_at, self._written_at)
        return self._outbox.has_unanswered and now >= silent_since + ANSWER_SILENCE

    async def _refresh(self) -> None:
        self._refresh_at = None
        try:
            token = await tokens.ask(self._token)
        except Exception:  # The token function of the application; the server closes with 4003.
            self._refresh_at = time.monotonic() + 1 + jitter(1, 0.5, 10)
            return
        self._refresh_ref = self._new_ref()
        self._write({"t": "refresh", "ref": self._refresh_ref, "token": token})

    def _set_refresh(self, expires_ms: float | None, server_ms: float) -> None:
        if expires_ms is None or isinstance(self._token, str):
            return
        valid = (expires_ms - server_ms) / 1000
        self._refresh_at = time.monotonic() + max(valid - REFRESH_AHEAD, valid * 0.75, 1)

    def _flush(self) -> None:
        """Writes everything that is due: joins, then writes, then pages (client.1)."""
        if self._state != "online" or self._return_at is not None:
            return
        now = time.monotonic()
        for room in list(self._rooms.values()):
            if room.status == "joining" and self._not_before.get(room.room, (0.0, 0))[0] <= now:
                for frame in room._join_frames(self._new_ref):
                    self._write(frame)
        for frame in self._outbox.take(self._is_joined):
            self._write(frame)
        for frame in self._pages.take(self._new_ref, self._is_joined):
            self._write(frame)

    def _write(self, frame: dict[str, Any]) -> None:
        if self._state == "online" and self._return_at is None:
            self._written_at = time.monotonic()
            self._out.put_nowait(json.dumps(frame, ensure_ascii=False))

    def _on_frame(self, frame: dict[str, Any]) -> None:
        t = frame["t"]
        room = self._rooms.get(frame.get("room", ""))
        if t == "ack":
            self._outbox.on_ack(frame["id"], frame["seq"], frame["at"])
        elif t == "error":
            self._on_error(frame)
        elif t == "page":
            self._pages.on_page(frame)
        elif t == "refreshed" and frame.get("ref") == self._refresh_ref:
            self._set_refresh(frame["until"], time.time() * 1000)
        elif t == "reconnect":
            wait = min(max(float(frame.get("afterMs", 0)) / 1000, 0), AFTER_MAX)
            self._written_at = time.monotonic()
            self._return_at = time.monotonic() + wait
        elif room is None:
            return
        elif t == "joined":
            room._on_joined(frame)
            self._not_before.pop(room.room, None)
        elif t == "caught-up":
            room._on_caught_up(frame["seq"])
        elif t == "left":
            if "ref" not in frame:
                self._leave(room, "forbidden", Removed(room.room, frame.get("reason", "removed")))
        elif isinstance(frame.get("seq"), int) and "id" in frame and "from" in frame:
            room._on_event(frame)

    def _on_error(self, error: dict[str, Any]) -> None:
        ref = error.get("ref")
        if error["name"] == "token_expired":
            return  # A close follows.
        if ref is not None and ref == self._refresh_ref:
            self._refresh_at = time.monotonic() + 1 + jitter(1, 0.5, 10)
        elif "id" in error:
            self._outbox.on_refused(error["id"], error)
        elif ref is not None:
            asked = [room for room in self._rooms.values() if room._ref == ref]
            for room in asked:
                self._on_refused_join(room, error)
            if not asked:
                self._pages.on_refused(ref, error)

    def _on_refused_join(self, room: Room, error: dict[str, Any]) -> None:
        if room.status != "asked":
            return
        room._may_be_member = False
        if not error.get("retry"):
            self._leave(room, error["name"], Refused(error["name"], error.get("message", "")))
            return
        _, attempt = self._not_before.get(room.room, (0.0, 0))
        wait = max(jitter(attempt, 0.5, 10), min(float(error.get("afterMs", 0)) / 1000, AFTER_MAX))
        self._not_before[room.room] = (time.monotonic() + wait, attempt + 1)
        room.status = "joining"

    def _stop(self) -> None:
        self._outbox.close()
        self._pages.fail("unavailable", lambda _: True)
        self._enter("closed")


def decode(line: str) -> dict[str, Any] | None:
    """A frame; None for what is none."""
    try:
        frame = json.loads(line)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) and isinstance(frame.get("t"), str) else None
