"""What the HTTP door answers: JSON, and a refusal says what is wrong and what to do."""

from collections.abc import Mapping

from starlette.responses import JSONResponse

from bot.domain.errors import Permanent, Transient

RETRY_AFTER_S = 5


class TurnedAway(Permanent):
    """A request that is not taken, with the HTTP status that says so."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, dict(headers or {})


def accepted(signals: int) -> JSONResponse:
    """Return the answer to what is committed: 202, with the number of its signals."""
    return JSONResponse({"signals": signals}, 202)


def set_aside() -> JSONResponse:
    """Return the answer to what is authentic but unusable: kept for a person, not to be resent."""
    return JSONResponse({"signals": 0, "kept": "dead letter"}, 202)


def turned_away(error: TurnedAway) -> JSONResponse:
    """Return the answer to what is not taken."""
    return JSONResponse(_problem(error.code, str(error)), error.status, error.headers)


def malformed(message: str) -> JSONResponse:
    """Return the answer to a body that does not have the documented form."""
    return JSONResponse(_problem("malformed", message), 400)


def later(error: Transient, words: str = "Nothing was kept. Send it again.") -> JSONResponse:
    """Return the answer to what could not be kept or done: 503, and when to send it again."""
    wait = max(1, round(error.retry_after_s))
    return JSONResponse(_problem("unavailable", words), 503, {"Retry-After": str(wait)})


def _problem(code: str, message: str) -> dict[str, dict[str, str]]:
    return {"error": {"code": code, "message": message[:500]}}
