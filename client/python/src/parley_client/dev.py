"""Tokens of a cluster with AUTH=dev, for development."""

import asyncio
import json
import urllib.request


async def dev_token(gateway: str, user: str) -> str:
    """A token for `user`; `gateway` is `http://localhost:8080`, for example."""

    def ask() -> str:
        request = urllib.request.Request(
            f"{gateway}/v1/dev/token",
            data=json.dumps({"user": user}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(json.load(response)["token"])

    return await asyncio.to_thread(ask)
