"""Diffs about timeouts and deadlines, and what only looks like them."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples


def _of(path: str, body: str) -> str:
    return f"--- a/{path}\n+++ b/{path}\n@@ -4,6 +4,6 @@\n{body}\n"


EXAMPLES: Mapping[str, Examples] = {
    "timeout_cut": Examples(
        reads=(
            _of("parcel/conf.yaml", " quotes:\n-  timeout: 20s\n+  timeout: 2s"),
            _of("tariff/call.py", "-    timeout=30,\n+    timeout=3,"),
        ),
        ignores=(
            _of("parcel/conf.yaml", " quotes:\n-  timeout: 2s\n+  timeout: 5s"),
            _of("tariff/call.py", "-# timeout = 30\n+# timeout = 3\n     timeout=30,"),
        ),
    ),
    "timeout_zero": Examples(
        reads=(
            _of("parcel/conf.yaml", " quotes:\n-  read_timeout: 15\n+  read_timeout: 0"),
            _of("tariff.properties", "-quotes.timeout=5000\n+quotes.timeout=0"),
        ),
        ignores=(
            _of("parcel/conf.yaml", " quotes:\n-  read_timeout: 0\n+  read_timeout: 15"),
            _of("tariff.properties", "-session.timeout=1800\n+session.timeout=0"),
        ),
    ),
    "timeout_set_very_short": Examples(
        reads=(
            _of("parcel/conf.yaml", " quotes:\n   url: http://quotes\n+  timeout: 50ms"),
            _of(
                "tariff/call.go", " client := &http.Client{\n+\tTimeout: 80 * time.Millisecond,\n }"
            ),
        ),
        ignores=(
            _of("parcel/conf.yaml", " quotes:\n   url: http://quotes\n+  timeout: 10s"),
            _of("parcel/conf.yaml", " quotes:\n   url: http://quotes\n-  timeout: 50ms"),
        ),
    ),
    "timeout_lengthened": Examples(
        reads=(
            _of("parcel/conf.yaml", " quotes:\n-  timeout: 2s\n+  timeout: 60s"),
            _of("tariff.properties", "-quotes.timeout=1000\n+quotes.timeout=90000"),
        ),
        ignores=(
            _of("parcel/conf.yaml", " quotes:\n-  timeout: 60s\n+  timeout: 2s"),
            _of("tariff.properties", "-session.timeout=600\n+session.timeout=7200"),
        ),
    ),
    "shutdown_grace_cut": Examples(
        reads=(
            _of(
                "deploy/parcel.yaml",
                " spec:\n-  terminationGracePeriodSeconds: 60\n+  terminationGracePeriodSeconds: 2",
            ),
            _of(
                "tariff/main.go",
                "-shutdownTimeout = 30 * time.Second\n+shutdownTimeout = time.Second * 1",
            ),
        ),
        ignores=(
            _of(
                "deploy/parcel.yaml",
                " spec:\n-  terminationGracePeriodSeconds: 2\n+  terminationGracePeriodSeconds: 60",
            ),
            _of("tariff/main.go", "-// shutdownTimeout = 30\n+// shutdownTimeout = 1\n wait()"),
        ),
    ),
    "idle_timeout_cut": Examples(
        reads=(
            _of(
                "parcel/server.js",
                "-server.keepAliveTimeout = 65000;\n+server.keepAliveTimeout = 5000;",
            ),
            _of("tariff/conf.yaml", " http:\n-  idle_timeout: 90s\n+  idle_timeout: 10s"),
        ),
        ignores=(
            _of(
                "parcel/server.js",
                "-server.keepAliveTimeout = 5000;\n+server.keepAliveTimeout = 65000;",
            ),
            _of("tariff/conf.yaml", " http:\n-  idle_timeout: 90s\n+  idle_timeout: 1m30s"),
        ),
    ),
    "deadline_removed": Examples(
        reads=(
            _of(
                "parcel/quote.go",
                "-\tctx, cancel := context.WithTimeout(ctx, limit)\n-\tdefer cancel()\n \treturn q.Ask(ctx)",
            ),
            _of(
                "tariff/call.py",
                "-    return await asyncio.wait_for(ask(item), 3)\n+    return await ask(item)",
            ),
        ),
        ignores=(
            _of(
                "parcel/quote.go",
                "+\tctx, cancel := context.WithTimeout(ctx, limit)\n+\tdefer cancel()\n \treturn q.Ask(ctx)",
            ),
            _of("tariff/page.js", "-  clearTimeout(this.timer);\n+  this.timer.stop();"),
        ),
    ),
    "deadline_detached": Examples(
        reads=(
            _of(
                "parcel/quote.go",
                "-\treturn q.Ask(ctx, id)\n+\treturn q.Ask(context.Background(), id)",
            ),
            _of(
                "tariff/web.go",
                "-\trate, err := load(r.Context())\n+\trate, err := load(context.TODO())",
            ),
        ),
        ignores=(
            _of(
                "parcel/quote.go",
                "-\treturn q.Ask(context.Background(), id)\n+\treturn q.Ask(ctx, id)",
            ),
            _of(
                "tariff/web.go",
                "-\trate, err := load(ctx)\n+\tc, stop := context.WithTimeout(context.Background(), limit)\n"
                "+\trate, err := load(c)",
            ),
        ),
    ),
    "call_without_timeout": Examples(
        reads=(
            _of("parcel/quote.go", "+\tresp, err := http.Get(url)\n \tif err != nil {"),
            _of("tariff/call.py", "+    reply = requests.get(url)\n     return reply.json()"),
        ),
        ignores=(
            _of(
                "parcel/quote.go",
                "-\tresp, err := http.Get(url)\n+\tresp, err := q.client.Get(url)",
            ),
            _of(
                "tariff/call.py",
                "+    reply = requests.get(url, timeout=3)\n     return reply.json()",
            ),
        ),
    ),
    "unit_of_duration_changed": Examples(
        reads=(
            _of("parcel/quote.go", "-\twait := 5 * time.Second\n+\twait := 5 * time.Millisecond"),
            _of(
                "Tariff.java",
                "-  call.limit(Duration.ofSeconds(8));\n+  call.limit(Duration.ofMillis(8));",
            ),
        ),
        ignores=(
            _of("parcel/quote.go", "-\twait := 5 * time.Millisecond\n+\twait := 5 * time.Second"),
            _of(
                "Tariff.java",
                "-  call.limit(Duration.ofSeconds(8));\n+  call.limit(Duration.ofMillis(8000));",
            ),
        ),
    ),
    "duration_without_unit": Examples(
        reads=(
            _of(
                "parcel/quote.go",
                "-\twait := time.Duration(cfg.Wait) * time.Second\n+\twait := time.Duration(cfg.Wait)",
            ),
            _of("tariff/web.go", "-\tTimeout: 30 * time.Second,\n+\tTimeout: time.Duration(30),"),
        ),
        ignores=(
            _of(
                "parcel/quote.go",
                "-\twait := time.Duration(cfg.Wait)\n+\twait := time.Duration(cfg.Wait) * time.Second",
            ),
            _of(
                "tariff/web.go",
                "-\tTimeout: 30 * time.Second,\n+\tTimeout: time.Duration(cfg.Limit) * time.Second,",
            ),
        ),
    ),
    "unit_factor_dropped": Examples(
        reads=(
            _of(
                "parcel/token.js",
                "-  const at = now + ttlSeconds * 1000;\n+  const at = now + ttlSeconds;",
            ),
            _of("tariff/call.py", "-    wait = delay_seconds * 1000\n+    wait = delay_seconds"),
        ),
        ignores=(
            _of(
                "parcel/token.js",
                "-  const at = now + ttlSeconds;\n+  const at = now + ttlSeconds * 1000;",
            ),
            _of(
                "tariff/call.py",
                "-    wait = delay_seconds * 1000\n+    wait = delay_seconds * 1_000",
            ),
        ),
    ),
}
