"""A running sandbox company with the bot, and a person's hands in it, for whole stories."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from bot.cli.company import INCIDENT_CHANNEL, Company

Json = dict[str, Any]
PATIENCE_S = 60.0
ASKED = 3


@dataclass
class Hands:
    """What a person does at the workspace, over the page's own API."""

    company: Company
    poll_s: float = 0.1

    def __post_init__(self) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        # a connection that was kept may be closed by the other side at any time; GETs are repeated
        self.http.mount("http://", HTTPAdapter(pool_maxsize=16, max_retries=3))

    def url(self, path: str) -> str:
        return f"{self.company.url}/{path}"

    def post(self, path: str, body: Mapping[str, Any]) -> Json:
        answer: Json = self.http.post(self.url(path), json=body, timeout=PATIENCE_S).json()
        return answer

    def get(self, path: str, **query: str) -> Any:
        return self.http.get(self.url(path), params=query, timeout=PATIENCE_S).json()

    def start_incident(self, incident: str, seed: int = 1, environment: str = "prod") -> None:
        body = {"incident": incident, "seed": seed, "environment": environment}
        answer = self.post("control/incidents", body)
        assert answer.get("ok", True), answer

    def say(
        self, text: str, *, user: str = "U0RESPONDER", thread_ts: str = "",
        channel: str = INCIDENT_CHANNEL,
    ) -> str:  # fmt: skip
        body = {"user": user, "channel": channel, "text": text}
        answer = self.post(
            "client/messages", {**body, **({"thread_ts": thread_ts} if thread_ts else {})}
        )
        assert answer["ok"], answer
        return str(answer["ts"])

    def ask(self, question: str, *, patience_s: float = PATIENCE_S) -> str:
        """Ask the bot, a few times if it does not see enough; return the last question's ts."""
        for _ in range(ASKED):
            ts = self.say(f"@sre-bot {question}")
            if self.saw_enough(ts, patience_s=patience_s):
                break
        return ts

    def saw_enough(self, ts: str, *, patience_s: float = PATIENCE_S) -> bool:
        """Wait for the report; whether it is sure of a cause, or there is nothing it did not see.

        On a machine that is busy with other tests a system may answer too late to be seen.
        """
        report = self.wait(ts, with_button("verdict_right"), patience_s=patience_s)
        sure = saying("root cause found")(self.thread(ts)[:1])
        return sure is not None or "Could not see" not in text_of(report)

    def card(self, ts: str, *, patience_s: float = PATIENCE_S) -> Json:
        """Return the card to approve, when the bot has on record which message that is.

        It has when the head says that it waits; until then it takes no click for one on the card.
        """
        found: Json = self.wait(ts, waiting_card, patience_s=patience_s)
        return found

    def thread(self, ts: str, *, user: str = "", channel: str = INCIDENT_CHANNEL) -> list[Json]:
        query = {"user": user} if user else {}
        found = self.get(f"client/channels/{channel}/threads/{ts}", **query)["messages"]
        return list(found[1:])

    def newest(self, *, after: str | None = None, channel: str = INCIDENT_CHANNEL) -> str:
        """Return the newest message's ts in the channel; with `after`, wait for a newer one."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            messages = self.get(f"client/channels/{channel}/messages")["messages"]
            found = str(messages[-1]["ts"]) if messages else ""
            if after is None or found > after:
                return found
            time.sleep(0.05)
        raise AssertionError("no new message in the channel")

    def wait(
        self, ts: str, done: Callable[[list[Json]], Any], *, user: str = "",
        patience_s: float = PATIENCE_S,
    ) -> Any:  # fmt: skip
        """Return what `done` returns of the thread's replies as soon as that is true."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if found := done(replies := self.thread(ts, user=user)):
                return found
            time.sleep(self.poll_s)
        shown = "\n---\n".join(text_of(reply) for reply in replies)
        raise AssertionError(f"not seen within {patience_s:g} s; the thread says:\n{shown}")

    def click(self, message: Json, action_id: str, *, user: str) -> Json:
        element, block_id = find_element(message, action_id)
        return self.post(
            "client/actions",
            {
                "user": user, "channel": INCIDENT_CHANNEL, "message_ts": message["ts"],
                "block_id": block_id, "action_id": action_id, "type": "button",
                "value": element.get("value", ""),
            },
        )  # fmt: skip

    def actions_done(self) -> list[Json]:
        """Return what changed the world, as the world itself recorded it."""
        found = self.get("control/actions")
        return list(found["actions"])

    def executions(self) -> int:
        """Return how many executions changed the world; one may write more than one object."""
        return len({action["key"] for action in self.actions_done()})


def find_element(message: Json, action_id: str) -> tuple[Json, str]:
    for block in message.get("blocks", ()):
        for element in [*block.get("elements", ()), block.get("accessory") or {}]:
            if element.get("action_id") == action_id:
                return element, block["block_id"]
    raise AssertionError(f"no {action_id} in {text_of(message)}")


def has(message: Json, action_id: str) -> bool:
    try:
        find_element(message, action_id)
    except AssertionError:
        return False
    return True


def with_button(action_id: str, *words: str) -> Callable[[list[Json]], Json | None]:
    """Find the message with that button, and those words if an earlier card may have it still."""

    def found(replies: list[Json]) -> Json | None:
        return next(
            (m for m in replies if has(m, action_id) and all(w in text_of(m) for w in words)), None
        )

    return found


def saying(*words: str) -> Callable[[list[Json]], Json | None]:
    return lambda replies: next((m for m in replies if all(w in text_of(m) for w in words)), None)


def waiting_card(replies: list[Json]) -> Json | None:
    """Find the card to approve, if the head says that a decision is waited for."""
    waits = saying("waiting for who may decide")(replies[:1])
    return with_button("approve")(replies) if waits else None


def text_of(message: Json) -> str:
    """Return everything a reader sees of a message."""
    parts = [message.get("text", "")]

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                parts.append(node["text"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(message.get("blocks", []))
    return "\n".join(parts)
