"""Garbage collection, heap, workers and file descriptors, as each runtime's client tells."""

from collections.abc import Iterator

from bot.domain.snapshot import Signal
from tools.read.prometheus.template import EXPORTER, EXPORTER_BY, Template

_HEAP = '{0}{{area="heap"}}'


def templates() -> Iterator[Template]:
    """Yield the templates: runtimes are different sources, all asked; names of one, the first."""
    rate = "rate({0}{{}}[2m])"
    rows = (
        (Signal.GC_TIME, "jvm", ("jvm_gc_pause_seconds_sum",), rate),
        (Signal.GC_TIME, "jvm", ("jvm_gc_duration_seconds_sum",), rate),
        (Signal.GC_TIME, "jvm", ("jvm_gc_collection_seconds_sum",), rate),
        (Signal.GC_TIME, "node.js", ("nodejs_gc_duration_seconds_sum",), rate),
        (Signal.GC_TIME, "node.js", ("v8js_gc_duration_seconds_sum",), rate),
        (Signal.GC_TIME, "go", ("go_gc_duration_seconds_sum",), rate),
        (Signal.HEAP_OF_LIMIT, "jvm", ("jvm_memory_used_bytes", "jvm_memory_max_bytes"), _HEAP),
        (Signal.HEAP_OF_LIMIT, "jvm", ("jvm_memory_used_bytes", "jvm_memory_limit_bytes"),
         '{0}{{jvm_memory_type="heap"}}'),
        (Signal.HEAP_OF_LIMIT, "jvm", ("jvm_memory_bytes_used", "jvm_memory_bytes_max"), _HEAP),
        (Signal.HEAP_OF_LIMIT, "jvm",
         ("process_runtime_jvm_memory_usage_bytes", "process_runtime_jvm_memory_limit_bytes"),
         '{0}{{type="heap"}}'),
        (Signal.HEAP_OF_LIMIT, "node.js",
         ("v8js_memory_heap_used_bytes", "v8js_memory_heap_limit_bytes"), "{0}{{}}"),
        (Signal.THREADS_OF_LIMIT, "tomcat",
         ("tomcat_threads_busy_threads", "tomcat_threads_config_max_threads"), "{0}{{}}"),
        (Signal.THREADS_OF_LIMIT, "jetty", ("jetty_threads_busy", "jetty_threads_config_max"),
         "{0}{{}}"),
        (Signal.THREADS_OF_LIMIT, "executor",
         ("executor_active_threads", "executor_pool_max_threads"), "{0}{{}}"),
        (Signal.THREADS_OF_LIMIT, "php", ("phpfpm_active_processes", "phpfpm_total_processes"),
         "{0}{{}}"),
        (Signal.THREADS_OF_LIMIT, "puma", ("puma_busy_threads", "puma_max_threads"), "{0}{{}}"),
    )  # fmt: skip
    for signal, source, needs, selector in rows:
        yield _template(signal, source, needs, selector, "sum")
    files = ("process_open_fds", "process_max_fds")
    yield _template(Signal.FILES_OF_LIMIT, "files", files, "{0}{{}}", "max")
    jvm = ("process_files_open_files", "process_files_max_files")
    yield _template(Signal.FILES_OF_LIMIT, "jvm", jvm, "{0}{{}}", "max")
    limit = "go_gc_gomemlimit_bytes"  # 2^63-1 where none is set
    yield Template(
        signal=Signal.HEAP_OF_LIMIT, needs=("go_memstats_heap_inuse_bytes", limit), source="go",
        promql=f"max by ({EXPORTER_BY})(go_memstats_heap_inuse_bytes{{}})"
        f" / (max by ({EXPORTER_BY})({limit}{{}}) < 9e18)",
        service=EXPORTER, reduce="max", breakdowns={"pod": "pod"},
    )  # fmt: skip


def _template(
    signal: Signal, source: str, needs: tuple[str, ...], selector: str, operator: str
) -> Template:
    terms = [f"{operator} by ({EXPORTER_BY})({selector.format(m)})" for m in needs]
    return Template(signal=signal, needs=needs, promql=" / ".join(terms), source=source,
                    service=EXPORTER, reduce="max", breakdowns={"pod": "pod"})  # fmt: skip
