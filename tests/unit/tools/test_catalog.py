"""Discovery finds every tool, and is loud about a broken one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.environment import Environment, Tier
from tools import catalog
from tools.catalog import BrokenCatalog, actions, read_tools

READER = """
from tools.contract import ReadTool

class {kind}(ReadTool):
    name = "{name}"
    system = "x"
    answers = "x"
    @classmethod
    def for_environment(cls, environment): return None
    async def read(self, need): ...
    async def check(self): ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "extra_tools"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [n for n in sys.modules if n.startswith("extra_tools")]:
        del sys.modules[name]


def test_the_first_catalogue_of_actions_is_there() -> None:
    assert set(actions()) >= {
        "restart_deployment",
        "restart_pod",
        "revert_config",
        "rollback_deployment",
        "scale_deployment",
        "set_flag",
    }
    for name, kind in actions().items():
        assert kind.facts.name == name
        assert kind.facts.summary
        assert kind.facts.arguments


def test_only_configured_systems_have_read_tools() -> None:
    def names(*systems: str) -> list[str]:
        environment = Environment(
            name="dev",
            tier=Tier.DEVELOPMENT,
            namespaces=("shop",),
            connections={s: {"url": "http://127.0.0.1:9"} for s in systems},
        )
        return [tool.name for tool in read_tools(environment)]

    assert names() == []
    assert names("kubernetes") == ["changes.rollouts", "kubernetes.objects", "logs.pods"]
    assert names("prometheus") == [
        "prometheus.alerts",
        "prometheus.objectives",
        "prometheus.series",
    ]
    assert "logs.pods" not in names("kubernetes", "loki")
    assert names("tempo") == ["traces.tempo_edges", "traces.tempo_spans"]
    assert names("elasticsearch") == names("opensearch") == ["logs.elasticsearch"]
    assert names("github") == ["changes.github"]
    assert names("flags") == ["changes.flags"]
    assert names("flags", "changes") == ["changes.feed"]


def test_a_module_that_does_not_import_stops_the_start(package: Path) -> None:
    (package / "bad.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(BrokenCatalog, match=r"extra_tools\.bad does not import: ModuleNotFound"):
        catalog.read_tool_types("extra_tools")


def test_a_syntax_error_stops_the_start(package: Path) -> None:
    (package / "bad.py").write_text("def (:\n")
    with pytest.raises(BrokenCatalog, match=r"extra_tools\.bad does not import: SyntaxError"):
        catalog.read_tool_types("extra_tools")


def test_two_tools_of_one_name_stop_the_start(package: Path) -> None:
    (package / "one.py").write_text(READER.format(kind="One", name="same"))
    (package / "two.py").write_text(READER.format(kind="Two", name="same"))
    with pytest.raises(BrokenCatalog, match=r"two tools are called `same`: .*One and .*Two"):
        catalog.read_tool_types("extra_tools")


def test_a_tool_without_a_name_stops_the_start(package: Path) -> None:
    (package / "one.py").write_text(READER.format(kind="One", name=""))
    with pytest.raises(BrokenCatalog, match="One has no name"):
        catalog.read_tool_types("extra_tools")


def test_listing_read_tools_loads_no_vendor(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys; from tools.catalog import actions, read_tool_types; "
        "read_tool_types(); actions(); "
        "sys.exit(bool({'kubernetes', 'prometheus_api_client'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == 0
