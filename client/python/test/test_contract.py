"""The Python SDK against client/contract, on a real WebSocket."""

import asyncio
import json
import os
import time
import unittest
from pathlib import Path
from typing import Any, Awaitable

from websockets.asyncio.server import ServerConnection, serve

from parley_client import Acked, Page, Parley, Refused, Removed, Reset, Room

SCENARIOS = Path(
    os.environ.get("PARLEY_SCENARIOS", Path(__file__).parents[2] / "contract" / "scenarios")
)
PATIENCE = 20.0


class Names:
    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def fill(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            return self._values.get(value, value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        return value

    def difference(self, expected: Any, actual: Any, place: str = "") -> str | None:
        if isinstance(expected, str) and expected.startswith("$"):
            known = self._values.setdefault(expected, actual)
            return None if known == actual else f"{place}: {actual} is not {known}"
        if not isinstance(expected, dict):
            return None if expected == actual else f"{place}: {actual} is not {expected}"
        if not isinstance(actual, dict):
            return f"{place}: {actual} is no object"
        for key, item in expected.items():
            found = self.difference(item, actual.get(key), f"{place}.{key}")
            if found is not None:
                return found
        return None


class ContractRun:
    def __init__(self) -> None:
        self.names = Names()
        self.frames: asyncio.Queue[Any] = asyncio.Queue()
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self.news: asyncio.Queue[Any] = asyncio.Queue()
        self.done: dict[str, Awaitable[Any]] = {}
        self.rooms: dict[str, Room] = {}
        self.readers: list[asyncio.Task[None]] = []
        self.tokens = 0
        self.socket: ServerConnection | None = None

    async def play(self, steps: list[dict[str, Any]]) -> None:
        async with serve(self.on_connection, "127.0.0.1", 0, subprotocols=["parley.v1"]) as server:
            port = server.sockets[0].getsockname()[1]
            self.parley = Parley(f"ws://127.0.0.1:{port}/v1/ws", self.token)
            try:
                for index, step in enumerate(steps):
                    place = f"step {index + 1}: {json.dumps(step)}"
                    try:
                        found = await asyncio.wait_for(self.take(step), PATIENCE)
                    except TimeoutError as error:
                        raise AssertionError(f"{place}\nnothing came") from error
                    if found is not None:
                        raise AssertionError(f"{place}\n{found}")
                assert self.frames.empty() and self.events.empty(), "something is left"
            finally:
                for reader in self.readers:
                    reader.cancel()
                await self.parley.close()

    async def token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"

    async def on_connection(self, socket: ServerConnection) -> None:
        self.socket = socket
        async for text in socket:
            for line in str(text).split("\n"):
                frame = json.loads(line)
                if frame["t"] != "ping":
                    self.frames.put_nowait(frame)

    async def take(self, step: dict[str, Any]) -> str | None:
        names = self.names
        match step:
            case {"call": _}:
                self.call(**step)
            case {"expect": frame}:
                return names.difference(frame, await self.frames.get())
            case {"frame": frame}:
                await self.socket.send(json.dumps(names.fill(frame)))
            case {"text": text}:
                await self.socket.send(text)
            case {"event": fields}:
                return names.difference(fields, await self.events.get())
            case {"result": name, **fields} | {"page": name, **fields}:
                return names.difference(fields, await outcome(self.done[name]))
            case {"removed": _} | {"reset": _}:
                return names.difference(step, await self.news.get())
            case {"state": state}:
                while self.parley.state != state:
                    await asyncio.sleep(0.01)
            case {"session": session}:
                return names.difference(session, self.parley.session_id)
            case {"close": code}:
                await self.socket.close(code)
            case {"quiet": ms}:
                before = (self.frames.qsize(), self.events.qsize())
                await asyncio.sleep(ms / 1000)
                after = (self.frames.qsize(), self.events.qsize())
                return None if before == after else f"{before} became {after}"
        return None

    def call(self, call: str, room: str = "", **given: Any) -> None:
        name = given.pop("as", "")
        if call == "connect":
            self.parley.connect()
        elif call == "join":
            self.rooms[room] = self.parley.join(room, **given)
            self.readers.append(asyncio.create_task(self.read(self.rooms[room])))
        elif call == "leave":
            self.rooms[room].leave()
        elif call == "history":
            self.done[name] = asyncio.create_task(self.rooms[room].history(**given))
        else:
            if "replyTo" in given:
                given["reply_to"] = given.pop("replyTo")
            self.done[name] = getattr(self.rooms[room], call)(**given)

    async def read(self, room: Room) -> None:
        while room.status != "left":
            try:
                async for event in room.events():
                    self.events.put_nowait(event)
            except Removed as removed:
                self.news.put_nowait({"removed": removed.room, "reason": removed.reason})
            except Reset as reset:
                self.news.put_nowait({"reset": reset.room})
            except Refused:
                return


async def outcome(done: Awaitable[Any]) -> dict[str, Any]:
    try:
        result = await done
    except Refused as refused:
        return {"kind": "refused", "error": refused.code}
    if isinstance(result, Acked):
        return {"kind": "acked", "seq": result.seq}
    assert isinstance(result, Page)
    return {"seqs": [event["seq"] for event in result.events], "more": result.more}


class Contract(unittest.IsolatedAsyncioTestCase):
    """One test for each scenario."""

    async def test_ids(self) -> None:
        from parley_client.ids import uuid7

        form = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        for _ in range(200):
            self.assertRegex(uuid7(), form)
        self.assertLess(abs(int(uuid7().replace("-", "")[:12], 16) / 1000 - time.time()), 5)


def add(path: Path) -> None:
    scenario = json.loads(path.read_text())

    async def test(self: Contract) -> None:
        await ContractRun().play(scenario["steps"])

    test.__doc__ = f"{path.stem}: {scenario['what']}"
    setattr(Contract, f"test_{path.stem.replace('-', '_')}", test)


for _path in sorted(SCENARIOS.glob("*.json")):
    add(_path)

if __name__ == "__main__":
    unittest.main()
