"""Where the manifests of an environment's services are, for what GitOps or Helm owns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured
from tools.clients.github import Repository, repository_of
from tools.clients.manifests import objects, steps
from tools.clients.settings import connection

Value = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The manifest of one service: a file, or a folder of files; `repository.path` says which.

    `fields` translates an object's paths to those of a Helm values file: {"spec.replicas":
    "replicaCount"}. Empty: the file holds the object itself.
    """

    repository: Repository
    fields: Mapping[str, str] = field(default_factory=dict)

    def translated(self, values: Mapping[str, Value], text: str) -> Mapping[str, Value]:
        """Return the values by the paths of the values file. Raises: Malformed: one has none.

        An image goes in whole, or as its tag where the file holds a tag.
        """
        missing = sorted(set(values) - set(self.fields))
        if missing:
            raise Malformed(f"the settings do not say where {missing[0]} is in the values file")
        documents = objects(text)
        there = documents[0] if len(documents) == 1 else {}
        return {
            self.fields[path]: _fitting(value, _at(there, self.fields[path]))
            for path, value in values.items()
        }


def places_of(environment: Environment) -> Mapping[str, Place]:
    """Return the manifests' places by service. Raises: NotConfigured: names the setting."""
    settings = connection(environment, "github") or {}
    raw = settings.get("manifests") or {}
    where = f"environment {environment.name}: connections.github.manifests"
    if not isinstance(raw, Mapping):
        raise NotConfigured(f"{where} must be an object of services")
    return {str(service): _place(value, f"{where}.{service}") for service, value in raw.items()}


def _place(raw: Any, where: str) -> Place:
    settings = dict(raw) if isinstance(raw, Mapping) else {"repository": raw}
    fields = settings.pop("fields", {})
    if not isinstance(fields, Mapping) or not all(
        isinstance(text, str) for pair in fields.items() for text in pair
    ):
        raise NotConfigured(f"{where}.fields must be an object of paths")
    try:
        for text in (*fields, *fields.values()):
            steps(text)
    except Malformed as error:
        raise NotConfigured(f"{where}.fields: {error}") from error
    return Place(repository=repository_of(settings, where), fields=dict(fields))


def _at(document: Any, path: str) -> Any:
    for step in steps(path):
        document = document.get(step) if isinstance(document, Mapping) else None
    return document


def _fitting(value: Value, now: Any) -> Value:
    """Return the tag of an image where a tag stands now, else the value itself."""
    if not isinstance(value, str) or not isinstance(now, str) or "/" in now or ":" in now:
        return value
    name, colon, tag = value.rpartition(":")
    return tag if colon and name and "/" not in tag and "@" not in value else value
