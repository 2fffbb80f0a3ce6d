"""Fixtures that several suites share."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.fakes.kube_server import running_kubernetes
from tests.fakes.postgres import program, running_postgres
from tests.fakes.real_cluster import RealCluster
from tests.fakes.servers import require

# Also on a machine of one's own: no deadline of 200 ms for an example, and the same ones each time.
settings.load_profile("ci")


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what shares the tests among the processes of `-n`; the long ones say loadgroup."""
    from tests.fakes.schedule import LongestFirst, OneCompany

    scheduler = {"loadscope": LongestFirst, "loadgroup": OneCompany}.get(config.getvalue("dist"))
    return scheduler(config, log) if scheduler else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Yield the URL of a real PostgreSQL server's default database."""
    require(program("initdb"), "postgresql", "PostgreSQL")
    with running_postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """Return the URL of a fresh database on the real server."""
    import uuid

    import psycopg

    name = f"t{uuid.uuid4().hex[:12]}"
    plain = postgres_server.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return postgres_server.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium."""
    require(
        shutil.which("chromium"), "chromium fonts-dejavu-core fonts-noto-color-emoji", "Chromium"
    )
    found = shutil.which("chromium")
    assert found
    return found


@pytest.fixture(scope="session")
def prometheus_program() -> str:
    """Return the path of a real Prometheus server."""
    require(shutil.which("prometheus"), "prometheus", "Prometheus")
    found = shutil.which("prometheus")
    assert found
    return found


@pytest.fixture(scope="session")
def real_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """Yield a real Kubernetes with one node on which pods really run."""
    with running_kubernetes() as kubeconfig:
        yield RealCluster(kubeconfig=kubeconfig, scratch=tmp_path_factory.mktemp("kubeconfigs"))


@pytest.fixture
def kube_namespace(real_cluster: RealCluster) -> Iterator[str]:
    """Yield a namespace of this test's own on the real Kubernetes."""
    with real_cluster.namespace() as name:
        yield name
