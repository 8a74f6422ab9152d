"""A bot: it greets each user who writes "hello", and counts the messages that it has seen."""

import asyncio
import os
import signal

from parley_client import Parley, dev_token

GATEWAY = os.environ.get("PARLEY_URL", "http://localhost:8080")


async def main() -> None:
    url = f"{GATEWAY.replace('http', 'ws', 1)}/v1/ws"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    async with Parley(url, lambda: dev_token(GATEWAY, "greeter")) as parley:
        room = parley.join("general", tail=0)
        await parley.online()
        print("listening", flush=True)
        seen = 0
        async for event in room.events():
            if event["t"] != "msg" or event["from"] == parley.user:
                continue
            seen += 1
            if event["body"].get("text", "").lower().startswith("hello"):
                await room.send({"text": f"Hello {event['from']}, message {seen}."}, reply_to=event["seq"])


try:
    asyncio.run(main())
except asyncio.CancelledError:
    print("stopped")
