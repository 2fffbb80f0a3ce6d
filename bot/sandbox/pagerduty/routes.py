"""PagerDuty's APIs under `/pagerduty`, and a hand for the demo under `/control/pagerduty`."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.domain.time import Clock
from bot.sandbox.pagerduty.account import Account, Opening
from bot.sandbox.pagerduty.calls import MAX_BODY, Answer, Call
from bot.sandbox.pagerduty.delivering import Deliverer
from bot.sandbox.pagerduty.directory import SECRET, directory
from bot.sandbox.pagerduty.enqueue import enqueue
from bot.sandbox.pagerduty.records import HIGH, Incident, Json, Wrong, invalid
from bot.sandbox.pagerduty.rest import Rest
from bot.sandbox.world.shop import shop
from bot.sandbox.world.topology import Role

EVERY = ["GET", "POST", "PUT", "DELETE"]


class PagerDuty:
    """The account, its two APIs and its webhooks as one part of the sandbox."""

    def __init__(self, account: Account) -> None:
        self.account, self.rest, self.deliverer = account, Rest(account), Deliverer()
        account.listeners.append(self.deliverer.tell)

    def routes(self) -> list[BaseRoute]:
        """Return all routes."""
        return [
            Route("/pagerduty/v2/enqueue", self._enqueue, methods=["POST"]),
            Route("/pagerduty/{path:path}", self._rest, methods=EVERY),
            Route("/control/pagerduty", self._control, methods=["GET", "POST"]),
        ]

    async def _enqueue(self, request: Request) -> Response:
        return _sent(enqueue(self.account, await _call(request)))

    async def _rest(self, request: Request) -> Response:
        return _sent(self.rest.answer(await _call(request)))

    async def _control(self, request: Request) -> Response:
        try:
            if request.method == "POST":
                call = await _call(request)
                self._deed(call.json())
            return JSONResponse(self._state())
        except Wrong as wrong:
            return JSONResponse(wrong.body, status_code=wrong.status)

    def _deed(self, body: Json) -> None:
        """Do what a person would do in PagerDuty itself. Raises: Wrong."""
        deed, by = body.get("do"), str(body.get("by") or "")
        if by and by not in self.account.directory.users:
            raise invalid("by must be the id of a user")
        if deed == "subscribe":
            self._subscribe(body)
        elif deed == "open":
            self.account.open(self._opening(body), by)
        elif deed == "limit":
            self.rest.limited, self.rest.down = _count(body, "answers"), _count(body, "down")
        else:
            self._on_incident(str(deed), self.account.get(str(body.get("incident"))), body, by)

    def _subscribe(self, body: Json) -> None:
        url, secrets = str(body.get("url") or ""), body.get("secrets") or [SECRET]
        if not url.startswith("http://127.0.0.1:") or not isinstance(secrets, list):
            raise invalid("url must be on 127.0.0.1, secrets a list")
        name = str(body.get("name") or "PSUB001")
        self.deliverer.subscribe(name, url, tuple(map(str, secrets)))

    def _opening(self, body: Json) -> Opening:
        return Opening(
            service=str(body.get("service") or ""),
            title=str(body.get("title") or "Something is wrong")[:1_024],
            urgency=str(body.get("urgency") or HIGH),
            priority=str(body.get("priority") or ""),
        )

    def _on_incident(self, deed: str, incident: Incident, body: Json, by: str) -> None:
        account, value = self.account, str(body.get("value") or "")
        deeds: dict[str, Callable[[], object]] = {
            "acknowledge": lambda: account.acknowledge(incident, by),
            "unacknowledge": lambda: account.unacknowledge(incident, by),
            "resolve": lambda: account.resolve(incident, by),
            "reopen": lambda: account.reopen(incident, by),
            "escalate": lambda: account.escalate(incident, _level(value), by),
            "reassign": lambda: account.reassign(incident, [value], by),
            "priority": lambda: account.prioritise(incident, value, by),
            "urgency": lambda: account.urge(incident, value, by),
            "note": lambda: account.note(incident, value, by),
        }
        if deed not in deeds:
            raise invalid(f"do must be one of open, subscribe, limit, {', '.join(deeds)}")
        deeds[deed]()

    def _state(self) -> Json:
        account = self.account
        return {
            "ok": True,
            "incidents": [
                account.shapes.incident(i) | {"notes": [account.shapes.note(n) for n in i.notes]}
                for i in account.incidents.values()
            ],
            "users": [{"id": u.id, "name": u.name} for u in account.directory.users.values()],
            "services": [
                {"id": s.id, "name": s.name, "routing_key": s.routing_key}
                for s in account.directory.services.values()
            ],
            "priorities": account.directory.priorities,
            "called": [{"incident": i, "user": u} for i, u in account.called],
            "deliveries": [{"webhook": w, "status": s} for w, s in self.deliverer.log[-50:]],
            "subscriptions": [s.url for s in self.deliverer.subscriptions.values()],
        }


def sandbox_pagerduty(clock: Clock) -> PagerDuty:
    """Return the account of the sandbox's shop: a service for each of its own, per environment."""
    names = [service.name for service in shop().services if service.role is not Role.EXTERNAL]
    return PagerDuty(Account(clock, directory({"prod": names, "staging": names})))


def _count(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name, 0)
    return value if isinstance(value, int) and 0 <= value < 100_000 else 0


def _level(value: str) -> int:
    if not value.isdecimal():
        raise invalid("value must be a level")
    return int(value)


async def _call(request: Request) -> Call:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            break
    return Call(
        method=request.method,
        path="/" + request.path_params.get("path", ""),
        query=tuple(request.query_params.multi_items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=bytes(raw),
    )


def _sent(answer: Answer) -> Response:
    return Response(
        json.dumps(answer.body),
        status_code=answer.status,
        headers=dict(answer.headers),
        media_type="application/json",
    )
