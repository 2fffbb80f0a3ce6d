"""Diffs about deployment manifests and images, and what only looks like them."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples


def _of(path: str, body: str) -> str:
    return f"--- a/{path}\n+++ b/{path}\n@@ -4,6 +4,6 @@\n{body}\n"


def _set(path: str, before: str, after: str, above: str = "") -> str:
    return _of(path, f"{above}-{before}\n+{after}")


def _numbers(first: tuple[str, str, str, str], second: tuple[str, str, str, str]) -> Examples:
    """Path, lines above, line before and after: blamed one way and harmless the other."""
    return Examples(
        reads=tuple(_set(p, old, new, above) for p, above, old, new in (first, second)),
        ignores=tuple(_set(p, new, old, above) for p, above, old, new in (first, second)),
    )


def _texts(first: tuple[str, str, str, str], second: tuple[str, str, str, str]) -> Examples:
    """Any other value is of interest: harmless are a comment's change and a line that moved."""
    path, above, old, new = first
    return Examples(
        reads=tuple(_set(p, o, n, a) for p, a, o, n in (first, second)),
        ignores=(
            _of(path, f"{above}-# {old.strip()}\n+# {new.strip()}\n {old}"),
            _of(path, f"{above}-{old}\n   other: 1\n+{old}"),
        ),
    )


Y, TF = "deploy/parcel.yaml", "infra/tariff.tf"
_LIMITS = " resources:\n   limits:\n"
_DOCKER = "Dockerfile"

EXAMPLES: Mapping[str, Examples] = {
    "memory_limit_lowered": _numbers(
        (Y, _LIMITS, "    memory: 1Gi", "    memory: 256Mi"),
        (TF, "", "  memory = 2048", "  memory = 512"),
    ),
    "cpu_limit_lowered": _numbers(
        (Y, _LIMITS, "    cpu: 2", "    cpu: 200m"),
        (TF, "", "  cpu = 1024", "  cpu = 256"),
    ),
    "requests_raised": _numbers(
        (Y, " resources:\n   requests:\n", "    cpu: 500m", "    cpu: 16"),
        ("chart/values.yaml", " resources:\n   requests:\n", "    memory: 1Gi", "    memory: 64Gi"),
    ),
    "limit_gone": Examples(
        reads=(
            _of(Y, f"{_LIMITS}     cpu: 1\n-    memory: 512Mi"),
            _of("compose.yml", " tariff:\n   image: tariff:3\n-  mem_limit: 512m"),
        ),
        ignores=(
            _of(Y, f"{_LIMITS}     cpu: 1\n+    memory: 512Mi"),
            _of(Y, f"{_LIMITS}-    memory: 512Mi\n     cpu: 1\n+    memory: 512Mi"),
        ),
    ),
    "replicas_lowered": _numbers(
        (Y, " spec:\n", "  replicas: 6", "  replicas: 1"),
        (TF, "", "  desired_count = 8", "  desired_count = 2"),
    ),
    "replicas_raised": _numbers(
        (Y, " spec:\n", "  replicas: 3", "  replicas: 40"),
        (TF, "", "  desired_count = 2", "  desired_count = 30"),
    ),
    "scaling_target_changed": _texts(
        (Y, " target:\n", "  averageUtilization: 60", "  averageUtilization: 95"),
        (TF, "", "  target_value = 50", "  target_value = 92"),
    ),
    "probe_tightened": _numbers(
        (Y, " livenessProbe:\n", "  failureThreshold: 6", "  failureThreshold: 1"),
        (TF, "", "  health_check_grace_period = 300", "  health_check_grace_period = 10"),
    ),
    "probe_target_changed": _texts(
        (Y, " readinessProbe:\n   httpGet:\n", "    path: /ready", "    path: /readyz"),
        (Y, " livenessProbe:\n   tcpSocket:\n", "    port: 8080", "    port: 9090"),
    ),
    "disruption_changed": _texts(
        (Y, " rollingUpdate:\n", "  maxUnavailable: 0", "  maxUnavailable: 4"),
        ("chart/values.yaml", " strategy:\n", "  type: RollingUpdate", "  type: Recreate"),
    ),
    "placement_changed": _texts(
        (Y, " nodeSelector:\n", '  local-disk: "true"', '  local-disk: "false"'),
        (TF, "", '  node_pool = "general"', '  node_pool = "large"'),
    ),
    "image_changed": _texts(
        (Y, " containers:\n", "  image: parcel:1.4", "  image: parcel:1.5"),
        ("chart/values.yaml", " image:\n", "  tag: v7", "  tag: v8"),
    ),
    "instance_smaller": _texts(
        (TF, "", '  instance_class = "db.r6g.xlarge"', '  instance_class = "db.t4g.small"'),
        ("infra/node.yaml", " node:\n", "  vmSize: Standard_D8", "  vmSize: Standard_B2"),
    ),
    "engine_upgraded": _texts(
        (TF, "", '  engine_version = "14.9"', '  engine_version = "16.1"'),
        ("infra/db.yaml", " db:\n", "  postgresVersion: v13", "  postgresVersion: v16"),
    ),
    "command_changed": _texts(
        (Y, " web:\n", "  command: ./serve", "  command: ./serve-all"),
        ("compose.yml", " web:\n", "  entrypoint: /start.sh", "  entrypoint: /run.sh"),
    ),
    "policy_of_restart_changed": _texts(
        (Y, " spec:\n", "  restartPolicy: Always", "  restartPolicy: Never"),
        ("compose.yml", " web:\n", "  restart: always", '  restart: "no"'),
    ),
    "workload_paused": _numbers(
        (Y, " spec:\n", "  suspend: false", "  suspend: true"),
        ("conf/tariff.toml", "", "read_only = false", "read_only = true"),
    ),
    "database_limit_changed": _texts(
        ("infra/db.yaml", " db:\n", "  random_page_cost: 1.1", "  random_page_cost: 8"),
        ("postgresql.conf", "", "checkpoint_timeout = 15min", "checkpoint_timeout = 1min"),
    ),
    "database_switched_off": _numbers(
        ("postgresql.conf", "", "enable_indexscan = on", "enable_indexscan = off"),
        ("infra/db.yaml", " db:\n", "  autovacuum: true", "  autovacuum: false"),
    ),
    "database_switched_on": _numbers(
        ("postgresql.conf", "", "jit = off", "jit = on"),
        ("infra/db.yaml", " db:\n", "  general_log: off", "  general_log: on"),
    ),
    "descriptor_limit_lowered": _numbers(
        ("parcel.service", " [Service]\n", "LimitNOFILE=65536", "LimitNOFILE=1024"),
        ("compose.yml", " web:\n", "  pids_limit: 4096", "  pids_limit: 64"),
    ),
    "probe_removed": Examples(
        reads=(
            _of(Y, "-  readinessProbe:\n-    httpGet:\n-      path: /ready\n   ports:"),
            _of(_DOCKER, '-HEALTHCHECK CMD curl -f localhost/up\n CMD ["./serve"]'),
        ),
        ignores=(
            _of(Y, "+  readinessProbe:\n+    httpGet:\n+      path: /ready\n   ports:"),
            _of(Y, "-  # readinessProbe: later\n   ports:"),
        ),
    ),
    "probe_added": Examples(
        reads=(
            _of(Y, "+  livenessProbe:\n+    httpGet:\n+      path: /up\n   ports:"),
            _of("chart/values.yaml", " web:\n+  startupProbe:\n+    periodSeconds: 1"),
        ),
        ignores=(
            _of(Y, "-  livenessProbe:\n-    httpGet:\n-      path: /up\n   ports:"),
            _of(Y, "-  livenessProbe: {}\n   ports: []\n+  livenessProbe: {}"),
        ),
    ),
    "base_image_changed": Examples(
        reads=(
            _set(_DOCKER, "FROM python:3.11-slim", "FROM python:3.13-alpine"),
            _set("web/Dockerfile", "FROM node:18", "FROM node:22"),
        ),
        ignores=(
            _of(_DOCKER, "-# FROM python:3.11-slim\n+# FROM python:3.13\n FROM python:3.11-slim"),
            _of("notes/query.sql", "-FROM parcels\n+FROM parcels_all"),
        ),
    ),
    "container_command_changed": Examples(
        reads=(
            _set(_DOCKER, 'CMD ["./serve"]', 'CMD ["./serve", "--all"]'),
            _set("web/Dockerfile", "WORKDIR /app", "WORKDIR /srv"),
        ),
        ignores=(
            _set(_DOCKER, '# CMD ["./serve"]', '# CMD ["./serve", "--all"]'),
            _of(_DOCKER, "-WORKDIR /app\n ENV A=1\n+WORKDIR /app"),
        ),
    ),
    "image_content_removed": Examples(
        reads=(
            _of(_DOCKER, '-RUN apk add --no-cache ca-certificates tzdata\n CMD ["./serve"]'),
            _of("web/Dockerfile", '-COPY templates/ /app/templates/\n CMD ["node"]'),
        ),
        ignores=(
            _of(_DOCKER, '+RUN apk add --no-cache ca-certificates tzdata\n CMD ["./serve"]'),
            _of(_DOCKER, '-# RUN apk add tzdata\n CMD ["./serve"]'),
        ),
    ),
    "volume_changed": Examples(
        reads=(
            _of(Y, "   volumeMounts:\n     - name: rates\n-      mountPath: /etc/rates"),
            _of("chart/pod.yaml", "-    configMap:\n-      name: rates\n   ports:"),
        ),
        ignores=(
            _of(Y, "   volumeMounts:\n     - name: rates\n+      mountPath: /etc/rates"),
            _of(Y, "-    # configMap: rates\n   ports:"),
        ),
    ),
    "scaler_removed": Examples(
        reads=(
            _of("deploy/hpa.yaml", "-kind: HorizontalPodAutoscaler\n-metadata:\n-  name: parcel"),
            _of("chart/values.yaml", "-autoscaling:\n-  enabled: true\n web: {}"),
        ),
        ignores=(
            _of("deploy/hpa.yaml", "+kind: HorizontalPodAutoscaler\n+metadata:\n+  name: parcel"),
            _of("chart/values.yaml", "-# autoscaling: later\n web: {}"),
        ),
    ),
    "cloud_resource_removed": Examples(
        reads=(
            _of(TF, '-resource "aws_route" "tariff" {\n-  id = 1\n-}'),
            _of("deploy/svc.yaml", "-kind: Service\n-metadata:\n-  name: parcel"),
        ),
        ignores=(
            _of(TF, '+resource "aws_route" "tariff" {\n+  id = 1\n+}'),
            _of("deploy/svc.yaml", "-# kind: Service\n metadata:\n   name: parcel"),
        ),
    ),
}
