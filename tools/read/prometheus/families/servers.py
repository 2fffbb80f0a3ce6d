"""Databases, caches and queues, as their exporters (and those of cloud providers) tell."""

from collections.abc import Iterator, Mapping

from bot.domain.snapshot import Signal
from tools.read.prometheus.template import EXPORTER, EXPORTER_BY, Template

_QUEUE_BY = f"by (queue, {EXPORTER_BY})"


def templates() -> Iterator[Template]:
    """Yield the templates, best first."""
    yield from _stores()
    yield from _rabbitmq()
    yield from _kafka()
    yield from _locks()


def _by(operator: str, metric: str) -> str:
    return f"{operator} by ({EXPORTER_BY})({metric})"


def _share(used: str, most: str, operator: str = "max") -> str:
    return f"{_by(operator, used)} / ({_by('max', most)} > 0)"


def _stores() -> Iterator[Template]:
    hits = _by("sum", "rate(redis_keyspace_hits_total{}[2m])")
    misses = _by("sum", "rate(redis_keyspace_misses_total{}[2m])")
    got = 'rate(memcached_commands_total{command="get"}[2m])'
    hit = 'rate(memcached_commands_total{command="get",status="hit"}[2m])'
    rows: tuple[tuple[Signal, str, tuple[str, ...], str, Mapping[str, str]], ...] = (
        (Signal.MEMORY_OF_LIMIT, "redis", ("redis_memory_used_bytes", "redis_memory_max_bytes"),
         _share("redis_memory_used_bytes{}", "redis_memory_max_bytes{}"),
         {"resource": "maxmemory"}),
        (Signal.MEMORY_FRAGMENTATION, "redis", ("redis_mem_fragmentation_ratio",),
         _by("max", "redis_mem_fragmentation_ratio{}"), {}),
        (Signal.EVICTIONS, "redis", ("redis_evicted_keys_total",),
         _by("sum", "rate(redis_evicted_keys_total{}[2m])"), {}),
        (Signal.CACHE_HIT_RATIO, "redis",
         ("redis_keyspace_hits_total", "redis_keyspace_misses_total"),
         f"{hits} / ({hits} + {misses})", {}),
        (Signal.CONNECTIONS_OF_LIMIT, "redis",
         ("redis_connected_clients", "redis_config_maxclients"),
         _share("redis_connected_clients{}", "redis_config_maxclients{}"), {}),
        (Signal.CONNECTIONS_OF_LIMIT, "postgres",
         ("pg_stat_activity_count", "pg_settings_max_connections"),
         _share("pg_stat_activity_count{}", "pg_settings_max_connections{}", "sum"), {}),
        (Signal.CONNECTIONS_OF_LIMIT, "postgres",
         ("pg_stat_database_numbackends", "pg_settings_max_connections"),
         _share("pg_stat_database_numbackends{}", "pg_settings_max_connections{}", "sum"), {}),
        (Signal.CONNECTIONS_OF_LIMIT, "postgres",
         ("cnpg_backends_total", "cnpg_pg_settings_setting"),
         _share("cnpg_backends_total{}", 'cnpg_pg_settings_setting{name="max_connections"}', "sum"),
         {}),
        (Signal.CONNECTIONS_OF_LIMIT, "mysql",
         ("mysql_global_status_threads_connected", "mysql_global_variables_max_connections"),
         _share("mysql_global_status_threads_connected{}",
                "mysql_global_variables_max_connections{}"), {}),
        (Signal.CONNECTIONS_OF_LIMIT, "mongodb", ("mongodb_ss_connections",),
         _by("sum", 'mongodb_ss_connections{conn_type="current"}') + " / "
         + _by("sum", 'mongodb_ss_connections{conn_type=~"current|available"}'), {}),
        (Signal.MEMORY_OF_LIMIT, "memcached",
         ("memcached_current_bytes", "memcached_limit_bytes"),
         _share("memcached_current_bytes{}", "memcached_limit_bytes{}"),
         {"resource": "limit_maxbytes"}),
        (Signal.EVICTIONS, "memcached", ("memcached_items_evicted_total",),
         _by("sum", "rate(memcached_items_evicted_total{}[2m])"), {}),
        (Signal.CACHE_HIT_RATIO, "memcached", ("memcached_commands_total",),
         f"{_by('sum', hit)} / {_by('sum', got)}", {}),
        (Signal.CONNECTIONS_OF_LIMIT, "memcached",
         ("memcached_current_connections", "memcached_max_connections"),
         _share("memcached_current_connections{}", "memcached_max_connections{}"), {}),
    )  # fmt: skip
    for signal, source, needs, promql, fixed in rows:
        yield Template(signal=signal, source=source, needs=needs, promql=promql, fixed=fixed,
                       service=EXPORTER, reduce="max", breakdowns={"pod": "pod"})  # fmt: skip


def _rabbitmq() -> Iterator[Template]:
    detailed = "rabbitmq_detailed_queue_messages_ready"
    rows = (
        (Signal.QUEUE_DEPTH, "rabbitmq_queue_messages_ready", "{0}{{}}"),
        (Signal.QUEUE_DEPTH, detailed, "{0}{{}}"),
        (Signal.QUEUE_DEPTH, "rabbitmq_queue_messages", "{0}{{}}"),
        (Signal.PRODUCED_RATE, "rabbitmq_queue_messages_published_total", "rate({0}{{}}[2m])"),
        (Signal.CONSUMED_RATE, "rabbitmq_queue_messages_ack_total", "rate({0}{{}}[2m])"),
        (Signal.CONSUMERS, "rabbitmq_queue_consumers", "{0}{{}}"),
        (Signal.CONSUMERS, "rabbitmq_detailed_queue_consumers", "{0}{{}}"),
    )
    for signal, metric, text in rows:
        yield Template(signal=signal, needs=(metric,), source="rabbitmq", service=EXPORTER,
                       promql=f"sum {_QUEUE_BY}({text.format(metric)})", reduce="sum",
                       labels={"resource": "queue"})  # fmt: skip
    sqs = "aws_sqs_approximate_number_of_messages_visible_average"
    yield Template(signal=Signal.QUEUE_DEPTH, needs=(sqs,), source="sqs", namespace="",
                   promql=f"max by (dimension_QueueName)({sqs}{{}})", reduce="max",
                   service=("dimension_QueueName",),
                   labels={"resource": "dimension_QueueName"})  # fmt: skip


def _kafka() -> Iterator[Template]:
    group, topic = "consumergroup", "topic"
    rows = (
        (Signal.QUEUE_DEPTH, "kafka_consumergroup_lag", "{0}{{}}", group, topic),
        (Signal.QUEUE_DEPTH, "kafka_consumergroup_group_lag", "{0}{{}}", "group", topic),
        (Signal.QUEUE_DEPTH, "kminion_kafka_consumer_group_topic_lag", "{0}{{}}", "group_id",
         "topic_name"),
        (Signal.CONSUMED_RATE, "kafka_consumergroup_current_offset", "rate({0}{{}}[2m])", group,
         topic),
        (Signal.PRODUCED_RATE, "kafka_topic_partition_current_offset", "rate({0}{{}}[2m])", "",
         topic),
    )  # fmt: skip
    for signal, metric, text, owner, what in rows:
        by = ", ".join(filter(None, (owner, what)))
        yield Template(signal=signal, needs=(metric,), source="kafka", service=(owner or what,),
                       promql=f"sum by ({by})({text.format(metric)})",
                       labels={"resource": what})  # fmt: skip
    members = "kafka_consumergroup_members"
    yield Template(signal=Signal.CONSUMERS, needs=(members,), source="kafka", service=(group,),
                   promql=f"sum by ({group})({members}{{}})",
                   labels={"resource": topic})  # fmt: skip


def _locks() -> Iterator[Template]:
    rows = (
        ("postgres", "pg_stat_activity_count", '{0}{{wait_event_type="Lock"}}'),
        ("postgres", "cnpg_backends_waiting_total", "{0}{{}}"),
        ("mysql", "mysql_global_status_innodb_row_lock_current_waits", "{0}{{}}"),
    )
    for source, metric, text in rows:
        yield Template(signal=Signal.LOCK_WAITERS, needs=(metric,), source=source,
                       promql=f"sum by ({EXPORTER_BY})({text.format(metric)})",
                       service=EXPORTER, reduce="sum")  # fmt: skip
