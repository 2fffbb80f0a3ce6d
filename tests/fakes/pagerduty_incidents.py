"""PagerDuty's incidents in memory, strict about headers, users and what a state allows."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.loopback import Asked, Reply

KEY = "plain-k3y-of-the-test"
BOT, PERSON, CHIEF = "PBOT001", "PANNA01", "PBERT01"
USERS = {"bot@shop.example": BOT, "anna@shop.example": PERSON, "bert@shop.example": CHIEF}


@dataclass
class PagerDutyServer:
    """One incident. `read_only`: the key may not write; `lost`: answers computed, but not sent."""

    incident: dict[str, Any] = field(
        default_factory=lambda: {
            "id": "PT4KHLK",
            "type": "incident",
            "incident_number": 1234,
            "title": "checkout is slow",
            "status": "triggered",
            "service": {"id": "PSHOP01", "summary": "Shop checkout"},
            "escalation_policy": {"id": "PPOLICY"},
            "assignments": [{"assignee": {"id": PERSON}}],
            "incidents_responders": [],
        }
    )
    on_call: dict[int, list[str]] = field(default_factory=lambda: {1: [PERSON], 2: [CHIEF]})
    notes: list[str] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)  # (method and path, who)
    read_only: bool = False
    lost: int = 0
    instead: Reply | None = None

    def __call__(self, asked: Asked) -> Reply:
        refused = self.instead or self._refused(asked)
        if refused is not None:
            return refused
        if asked.method == "GET":
            return self._read(asked)
        reply = self._write(asked, json.loads(asked.body))
        if reply.status < 300:
            self.writes.append((f"{asked.method} {asked.path}", asked.headers["From"]))
            if self.lost:
                self.lost -= 1
                return Reply(drop=True)
        return reply

    def _refused(self, asked: Asked) -> Reply | None:
        if asked.headers.get("Authorization") != f"Token token={KEY}":
            return Reply(status=401, body={"error": {"message": "no", "key": KEY}})
        if asked.headers.get("Accept") != "application/vnd.pagerduty+json;version=2":
            return Reply(status=406)
        if self.read_only and asked.method != "GET":
            return Reply(status=403, body={"error": {"message": "Access Denied", "code": 2010}})
        if asked.method != "GET" and asked.headers.get("From", "") not in USERS:
            return Reply(status=400, body={"error": {"errors": ["Requester User Not Found"]}})
        return None

    def _read(self, asked: Asked) -> Reply:
        own = f"/incidents/{self.incident['id']}"
        if asked.path == own:
            return Reply(body={"incident": self.incident})
        if asked.path == f"{own}/notes":
            return Reply(body={"notes": [{"content": text} for text in self.notes]})
        if asked.path == "/users":
            wanted = asked.query["query"]
            found = [{"id": i, "email": e} for e, i in USERS.items() if wanted in e]
            return Reply(body={"users": found})
        if asked.path == "/oncalls":
            assert asked.query["escalation_policy_ids[]"] == "PPOLICY"
            calls = [
                {"escalation_level": level, "user": {"id": user}}
                for level, users in self.on_call.items()
                for user in users
            ]
            return Reply(body={"oncalls": calls})
        return Reply(status=404, body={"error": {"message": "Not Found"}})

    def _write(self, asked: Asked, body: Any) -> Reply:
        own = f"/incidents/{self.incident['id']}"
        if asked.method == "PUT" and asked.path == own:
            return self._update(body["incident"])
        if asked.method == "POST" and asked.path == f"{own}/notes":
            self.notes.append(body["note"]["content"])
            return Reply(body={"note": body["note"]})
        if asked.method == "POST" and asked.path == f"{own}/responder_requests":
            assert re.fullmatch("P[A-Z0-9]{6}", body["requester_id"])
            for target in body["responder_request_targets"]:
                user = target["responder_request_target"]
                assert user["type"] == "user_reference"
                self.incident["incidents_responders"].append({"user": {"id": user["id"]}})
            return Reply(body={"responder_request": {}})
        return Reply(status=404)

    def _update(self, change: dict[str, Any]) -> Reply:
        assert change.pop("type") == "incident_reference"
        if self.incident["status"] == "resolved":
            return Reply(status=400, body={"error": {"errors": ["Incident Already Resolved"]}})
        if "escalation_level" in change:
            called = self.on_call[change.pop("escalation_level")]
            self.incident["assignments"] = [{"assignee": {"id": user}} for user in called]
            self.incident["status"] = "triggered"
        assert set(change) <= {"status"}
        assert change.get("status", "resolved") in ("acknowledged", "resolved")
        self.incident.update(change)
        return Reply(body={"incident": self.incident})
