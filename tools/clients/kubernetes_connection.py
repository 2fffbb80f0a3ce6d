"""From an environment's settings to the vendor's client of its cluster."""

import threading
from typing import Any

import yaml

from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured
from tools.clients.settings import connection, is_loopback, token_of, url_of

POOL = 16

CONNECTING = threading.Lock()
"""Of all clusters: the vendor keeps a table of certificate files for the whole process, and tells
the name of a file to other threads before it has written it.
"""


def connect(environment: Environment) -> Any:
    """Return the vendor's client. Raises: NotConfigured: the settings do not name a cluster."""
    from kubernetes import client, config

    settings = connection(environment, "kubernetes") or {}
    configuration = client.Configuration()
    try:
        if "url" in settings:
            configuration.host = url_of(environment, "kubernetes") or ""
        elif "kubeconfig" in settings:
            config.load_kube_config(  # type: ignore[no-untyped-call]  # vendor
                config_file=str(settings["kubeconfig"]),
                context=settings.get("context"),
                client_configuration=configuration,
                persist_config=False,
            )
        else:
            config.load_incluster_config(  # type: ignore[no-untyped-call]  # vendor
                client_configuration=configuration
            )
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError) as error:
        raise NotConfigured(
            f"environment {environment.name}: connections.kubernetes does not name a cluster "
            f"({type(error).__name__}): give url, kubeconfig and context, or run inside a cluster"
        ) from None
    token = token_of(environment, "kubernetes")
    if token:
        configuration.api_key["BearerToken"] = f"Bearer {token}"
    if settings.get("ca_file"):
        configuration.ssl_ca_cert = str(settings["ca_file"])
    if is_loopback(configuration.host):
        configuration.proxy = None
    configuration.connection_pool_maxsize = POOL
    configuration.retries = False
    return client.ApiClient(configuration)
