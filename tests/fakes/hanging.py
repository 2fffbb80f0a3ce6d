"""A door in front of systems that hangs or refuses, by the name in the path, while told to."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web


@dataclass
class Hanging:
    """Forwards to `target`, but to what is told to "hang" (no answer) or "refuse" (503)."""

    target: str = ""
    mode: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    _runner: web.AppRunner | None = None
    _http: aiohttp.ClientSession | None = None

    @classmethod
    async def start(cls) -> "Hanging":
        """Listen on a free loopback port."""
        made = cls()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", made._forward)
        made._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await made._runner.setup()
        site = web.TCPSite(made._runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
        made._http = aiohttp.ClientSession(auto_decompress=False)
        return made

    async def close(self) -> None:
        """Stop."""
        assert self._runner is not None
        assert self._http is not None
        await self._http.close()
        await self._runner.cleanup()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        for system, mode in self.mode.items():
            if f"/{system}/" not in request.path:
                continue
            if mode == "refuse":
                return web.Response(status=503, headers={"Connection": "close"})
            await asyncio.sleep(60)
        assert self._http is not None
        kept = {k: v for k, v in request.headers.items() if k.lower() != "host"}
        async with self._http.request(
            request.method, f"{self.target}{request.raw_path}", data=await request.read(),
            headers=kept, allow_redirects=False,
        ) as answer:  # fmt: skip
            body = await answer.read()
            kind = answer.headers.get("Content-Type", "application/json")
            return web.Response(status=answer.status, body=body, headers={"Content-Type": kind})
