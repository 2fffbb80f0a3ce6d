"""What the Web API refuses with: Slack's error name, its messages, and the HTTP status."""

from collections.abc import Mapping, Sequence


class SlackError(Exception):
    """An answer `{"ok": false, "error": …}`. HTTP 200, except 429 and injected failures."""

    def __init__(
        self,
        error: str,
        *,
        messages: Sequence[str] = (),
        status: int = 200,
        retry_after_s: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.messages = tuple(messages)
        self.status = status
        self.retry_after_s = retry_after_s
        self.extra = dict(extra or {})

    def body(self) -> dict[str, object]:
        """Return the answer's JSON."""
        answer: dict[str, object] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            answer["response_metadata"] = {"messages": list(self.messages)}
        return answer


def missing(name: str) -> SlackError:
    """Return the refusal of a call without a required argument."""
    return SlackError("invalid_arguments", messages=[f"[ERROR] missing required field: {name}"])
