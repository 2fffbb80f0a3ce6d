"""The REST API, version 2: the part of it that a responder's tool needs, and strict about it."""

import re
from collections.abc import Callable

from bot.sandbox.pagerduty.account import Account, Opening
from bot.sandbox.pagerduty.calls import ACCEPT, Answer, Call, listed, referred, words, wrapped
from bot.sandbox.pagerduty.directory import TOKEN
from bot.sandbox.pagerduty.records import (
    ACKNOWLEDGED,
    HIGH,
    RESOLVED,
    Incident,
    Json,
    User,
    Wrong,
    invalid,
)
from bot.sandbox.pagerduty.shapes import reference

CHANGES = ("type", "status", "priority", "title", "escalation_level", "assignments", "urgency")
STATES = frozenset(("triggered", "acknowledged", "resolved"))


class Rest:
    """Answers calls. `limited`: so many more are turned away with 429; `read_only`: the key is."""

    def __init__(self, account: Account, *, token: str = TOKEN) -> None:
        self.account, self.token = account, token
        self.limited, self.read_only, self.down = 0, False, 0
        self.writes: list[tuple[str, str]] = []  # (method and path, on whose behalf)
        self._routes: tuple[tuple[str, str, Callable[[Call, str], Answer]], ...] = (
            ("GET", r"/incidents", self._incidents),
            ("POST", r"/incidents", self._open),
            ("GET", r"/incidents/(\w+)", self._incident),
            ("PUT", r"/incidents/(\w+)", self._update),
            ("GET", r"/incidents/(\w+)/notes", self._notes),
            ("POST", r"/incidents/(\w+)/notes", self._note),
            ("GET", r"/incidents/(\w+)/alerts", self._alerts),
            ("POST", r"/incidents/(\w+)/responder_requests", self._ask),
            ("GET", r"/oncalls", self._on_calls),
            ("GET", r"/users", self._users),
            ("GET", r"/users/(\w+)", self._user),
            ("GET", r"/services", self._services),
            ("GET", r"/priorities", self._priorities),
            ("GET", r"/escalation_policies/(\w+)", self._policy),
            ("GET", r"/change_events", lambda call, _: listed("change_events", [], call)),
        )

    def answer(self, call: Call) -> Answer:
        """Return what PagerDuty answers; never raises."""
        try:
            self._admit(call)
            answer = self._dispatch(call)
        except Wrong as wrong:
            headers = {"ratelimit-reset": "1"} if wrong.status == 429 else {}
            return Answer(status=wrong.status, body=wrong.body, headers=headers)
        if call.method != "GET":
            self.writes.append((f"{call.method} {call.path}", call.headers.get("from", "")))
        return answer

    def _admit(self, call: Call) -> None:
        if self.limited:
            self.limited -= 1
            raise Wrong(429, "Rate Limit Exceeded", code=2020)
        if self.down:
            self.down -= 1
            raise Wrong(503, "Service Unavailable", code=2000)
        if call.headers.get("authorization") != f"Token token={self.token}":
            raise Wrong(401, "Unauthorized", code=2006)
        if call.headers.get("accept") != ACCEPT:
            raise Wrong(406, "Not Acceptable")
        if call.method != "GET":
            self._admit_writing(call)

    def _admit_writing(self, call: Call) -> None:
        if self.read_only:
            raise Wrong(403, "Access Denied", code=2010)
        if not call.headers.get("content-type", "").startswith("application/json"):
            raise Wrong(415, "Unsupported Media Type")
        self._sender(call)

    def _sender(self, call: Call) -> User:
        user = self.account.directory.by_email(call.headers.get("from", ""))
        if user is None:
            raise invalid("Requester User Not Found")
        return user

    def _dispatch(self, call: Call) -> Answer:
        for method, pattern, handler in self._routes:
            found = re.fullmatch(pattern, call.path)
            if found and method == call.method:
                return handler(call, found[1] if found.groups() else "")
        raise Wrong(404, "Not Found", code=2100)

    def _shown(self, incident: Incident, status: int = 200) -> Answer:
        return Answer(status=status, body={"incident": self.account.shapes.incident(incident)})

    def _incidents(self, call: Call, _: str) -> Answer:
        states, services = call.all("statuses"), call.all("service_ids")
        urgencies, key = call.all("urgencies"), call.one("incident_key")
        if not set(states) <= STATES:
            raise invalid("Statuses must be triggered, acknowledged or resolved")
        found = [
            self.account.shapes.incident(i)
            for i in self.account.incidents.values()
            if (not states or i.status in states)
            and (not services or i.service in services)
            and (not urgencies or i.urgency in urgencies)
            and (not key or i.key == key)
        ]
        return listed("incidents", found, call)

    def _open(self, call: Call, _: str) -> Answer:
        raw = wrapped(call.json(), "incident", "type", "title", "service", "priority", "urgency",
                      "incident_key", "body")  # fmt: skip
        if raw.get("type") != "incident":
            raise invalid("Type must be incident")
        priority = referred(raw["priority"], "priority_reference") if raw.get("priority") else ""
        opening = Opening(
            service=referred(raw.get("service"), "service_reference"),
            title=words(raw, "title"),
            key=str(raw.get("incident_key") or ""),
            urgency=str(raw.get("urgency") or HIGH),
            priority=priority,
        )
        taken = [i for i in self.account.incidents.values() if i.key == opening.key]
        if any(i.status != RESOLVED for i in taken):
            raise invalid("Open incident with matching dedup key already exists on this service")
        return self._shown(self.account.open(opening, self._sender(call).id), 201)

    def _incident(self, _: Call, name: str) -> Answer:
        return self._shown(self.account.get(name))

    def _update(self, call: Call, name: str) -> Answer:
        incident, by = self.account.get(name), self._sender(call).id
        raw = wrapped(call.json(), "incident", *CHANGES)
        if raw.pop("type", None) not in ("incident", "incident_reference"):
            raise invalid("Type must be incident or incident_reference")
        if not raw:
            raise invalid("Nothing to update")
        if incident.status == RESOLVED:
            raise invalid("Incident Already Resolved")
        self._change(incident, raw, by)
        return self._shown(incident)

    def _change(self, incident: Incident, raw: Json, by: str) -> None:
        if "urgency" in raw:
            self.account.urge(incident, words(raw, "urgency"), by)
        if "priority" in raw:
            given = raw["priority"]
            name = referred(given, "priority", "priority_reference") if given else ""
            self.account.prioritise(incident, name, by)
        if "title" in raw:
            incident.title = words(raw, "title")
        if "escalation_level" in raw:
            self.account.escalate(incident, _level(raw["escalation_level"]), by)
        if "assignments" in raw:
            self.account.reassign(incident, _assignees(raw["assignments"]), by)
        if "status" in raw:
            self._status(incident, words(raw, "status"), by)

    def _status(self, incident: Incident, status: str, by: str) -> None:
        if status == ACKNOWLEDGED:
            self.account.acknowledge(incident, by)
        elif status == RESOLVED:
            self.account.resolve(incident, by)
        else:
            raise invalid("Status must be one of acknowledged, resolved")

    def _notes(self, _: Call, name: str) -> Answer:
        notes = self.account.get(name).notes
        return Answer(body={"notes": [self.account.shapes.note(n) for n in reversed(notes)]})

    def _note(self, call: Call, name: str) -> Answer:
        incident, by = self.account.get(name), self._sender(call).id
        content = words(wrapped(call.json(), "note", "content"), "content", most=25_000)
        note = self.account.note(incident, content, by)
        return Answer(body={"note": self.account.shapes.note(note)})

    def _alerts(self, call: Call, name: str) -> Answer:
        incident = self.account.get(name)
        found = [self.account.shapes.alert(incident, a) for a in incident.alerts]
        return listed("alerts", found, call)

    def _ask(self, call: Call, name: str) -> Answer:
        incident, body = self.account.get(name), call.json()
        self._sender(call)
        if set(body) != {"requester_id", "message", "responder_request_targets"}:
            raise invalid("requester_id, message and responder_request_targets are required")
        requester = words(body, "requester_id", most=32)
        if requester not in self.account.directory.users:
            raise invalid("Requester User Not Found")
        users, message = _targets(body["responder_request_targets"]), words(body, "message")
        self.account.ask(incident, users, message, requester)
        request = {
            "incident": reference("incident", incident.id, incident.title),
            "requester": self.account.shapes.user(requester),
            "requested_at": self.account.shapes.incident(incident)["updated_at"],
            "message": message,
            "responder_request_targets": [
                {"responder_request_target": {
                    "id": user, "type": "user",
                    "incident_responders": [
                        self.account.shapes.responder(incident, r)
                        for r in incident.responders if r.user == user
                    ]}}
                for user in users
            ],
        }  # fmt: skip
        return Answer(body={"responder_request": request})

    def _on_calls(self, call: Call, _: str) -> Answer:
        wanted, found = call.all("escalation_policy_ids"), []
        for policy in self.account.directory.policies.values():
            if wanted and policy.id not in wanted:
                continue
            ref = reference("escalation_policy", policy.id, policy.name)
            found += [
                {"escalation_policy": ref, "escalation_level": level, "schedule": None,
                 "user": self.account.shapes.user(user), "start": None, "end": None}
                for level, users in enumerate(policy.levels, start=1)
                for user in users
            ]  # fmt: skip
        return listed("oncalls", found, call)

    def _users(self, call: Call, _: str) -> Answer:
        query = call.one("query").lower()
        users = self.account.directory.users.values()
        found = [_user(u) for u in users if query in u.email.lower() or query in u.name.lower()]
        return listed("users", found, call)

    def _user(self, _: Call, name: str) -> Answer:
        user = self.account.directory.users.get(name)
        if user is None:
            raise Wrong(404, "Not Found", code=2100)
        return Answer(body={"user": _user(user)})

    def _services(self, call: Call, _: str) -> Answer:
        services = self.account.directory.services.values()
        found = [
            reference("service", s.id, s.name) | {"type": "service", "name": s.name,
            "status": "active",
            "escalation_policy": reference("escalation_policy", s.policy, s.policy)}
            for s in services
        ]  # fmt: skip
        return listed("services", found, call)

    def _priorities(self, call: Call, _: str) -> Answer:
        found = [
            reference("priority", id_, name) | {"type": "priority", "name": name}
            for id_, name in self.account.directory.priorities.items()
        ]
        return listed("priorities", found, call)

    def _policy(self, _: Call, name: str) -> Answer:
        policy = self.account.directory.policies.get(name)
        if policy is None:
            raise Wrong(404, "Not Found", code=2100)
        rules = [
            {"id": f"{policy.id}{level}", "escalation_delay_in_minutes": 30,
             "targets": [self.account.shapes.user(user) for user in users]}
            for level, users in enumerate(policy.levels, start=1)
        ]  # fmt: skip
        shown = reference("escalation_policy", policy.id, policy.name)
        shown |= {"type": "escalation_policy", "name": policy.name, "escalation_rules": rules}
        return Answer(body={"escalation_policy": shown})


def _user(user: User) -> Json:
    shown = reference("user", user.id, user.name)
    return shown | {"type": "user", "name": user.name, "email": user.email, "role": "user"}


def _level(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 1:
        raise invalid("Escalation level is invalid")
    return raw


def _assignees(raw: object) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise invalid("Assignments must be a list")
    return [referred(one.get("assignee"), "user_reference", "user") for one in raw]


def _targets(raw: object) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise invalid("responder_request_targets must be a list")
    return [referred(one.get("responder_request_target"), "user_reference", "user") for one in raw]
