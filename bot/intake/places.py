"""Which of our environments a source means by a name."""

from collections.abc import Iterable, Mapping

from bot.domain.environment import Environment

LABELS = ("environment", "env", "deployment_environment", "cluster", "stage")


class Places:
    """The environments by name and alias, whatever the case."""

    def __init__(self, environments: Iterable[Environment]) -> None:
        self._by_name = {
            name.lower(): e.name for e in environments for name in (*e.aliases, e.name)
        }

    def named(self, name: str) -> str:
        """Return the environment that is called so, "" if none is."""
        return self._by_name.get(name.strip().lower(), "")

    def labelled(self, labels: Mapping[str, str]) -> str:
        """Return the environment that labels speak of, "" if they speak of none of ours."""
        found = (self.named(labels.get(label, "")) for label in LABELS)
        return next((name for name in found if name), "")
