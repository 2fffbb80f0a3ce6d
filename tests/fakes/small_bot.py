"""A bot that is nothing but its HTTP door, in processes like the real one's: for tests of the door.

It prints one line of JSON when the door is open: the port, and the process of the door.
"""

import asyncio
import json
import signal
import sys

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.app.doorkeeper import Doorkeeper, doorkeeper
from bot.app.metrics import Metrics
from bot.domain.errors import SreBotError
from bot.domain.telemetry import watched
from bot.settings import load
from bot.storage.migrate import prepared


async def serve(door: Doorkeeper, database: str) -> None:
    metrics, stop = Metrics(version="small"), asyncio.Event()
    metrics.beside("door", door.pid)
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)

    async def measured(_request: Request) -> Response:
        return Response(metrics.text())

    async def healthy(_request: Request) -> Response:
        return Response("well")

    prepared(database).close()
    routes = [Route("/metrics", measured), Route("/healthz", healthy)]
    with watched(metrics):
        async with door.open(routes, stop.set):
            sys.stdout.write(json.dumps({"port": door.port, "door": door.pid}) + "\n")
            sys.stdout.flush()
            await stop.wait()
        sys.stdout.write(metrics.text().decode())


def main() -> None:
    settings = load()
    with doorkeeper(settings) as door:
        asyncio.run(serve(door, settings.database))


if __name__ == "__main__":
    try:
        main()
    except SreBotError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
