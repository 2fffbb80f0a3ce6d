"""Diffs about memory and disk, and what only looks like them."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples


def _of(path: str, body: str) -> str:
    return f"--- a/{path}\n+++ b/{path}\n@@ -4,6 +4,6 @@\n{body}\n"


def _set(path: str, before: str, after: str) -> str:
    return _of(path, f"-{before}\n+{after}")


def _both(first: tuple[str, str, str], second: tuple[str, str, str]) -> Examples:
    """Path, line before and after: blamed one way and harmless the other."""
    return Examples(
        reads=tuple(_set(path, old, new) for path, old, new in (first, second)),
        ignores=tuple(_set(path, new, old) for path, old, new in (first, second)),
    )


def _gone(first: tuple[str, str, str], second: tuple[str, str, str]) -> Examples:
    """Path, line that goes, line that stays: harmless are its coming and its moving."""
    path, line, stays = second
    return Examples(
        reads=tuple(_of(p, f"-{gone}\n {kept}") for p, gone, kept in (first, second)),
        ignores=(
            _of(first[0], f"+{first[1]}\n {first[2]}"),
            _of(path, f"-{line}\n {stays}\n+{line}"),
        ),
    )


GO, PY, Y, ENV = "parcel/scan.go", "tariff/job.py", "conf/parcel.yaml", "tariff.properties"
JAVA = "Tariff.java"

EXAMPLES: Mapping[str, Examples] = {
    "whole_read": _both(
        (GO, "\tsc := bufio.NewScanner(file)", "\tbody, err := io.ReadAll(file)"),
        (PY, "    for row in cursor:", "    rows = cursor.fetchall()"),
    ),
    "streaming_removed": _gone(
        (PY, "        yield parcel", "    return done"),
        ("parcel/send.js", "  source.pipe(res);", "  done();"),
    ),
    "global_growth": Examples(
        reads=(
            _of(PY, " def handle(self, call):\n+    self.history.append(call)"),
            _of(GO, " func (s *Scan) Run(id string) {\n+\ts.seen = append(s.seen, id)"),
        ),
        ignores=(
            _of(PY, " def handle(self, call):\n-    self.history.append(call)"),
            _of(
                PY,
                "+    self.history.append(call)\n+    if len(self.history) > 50:\n+        self.history.pop(0)",
            ),
        ),
    ),
    "bound_removed": _gone(
        (GO, "\tbody := http.MaxBytesReader(w, r.Body, 1<<20)", "\tuse(w)"),
        (PY, "    recent.popleft()", "    recent.append(call)"),
    ),
    "queue_made_unbounded": _both(
        (JAVA, "  q = new ArrayBlockingQueue<>(100);", "  q = new LinkedBlockingQueue<>();"),
        (PY, "    jobs = asyncio.Queue(maxsize=50)", "    jobs = asyncio.Queue()"),
    ),
    "buffer_raised": _both(
        (Y, "buffer_size: 4096", "buffer_size: 67108864"),
        (ENV, "import.batch.size=100", "import.batch.size=50000"),
    ),
    "body_limit_lowered": _both(
        ("nginx.conf", "client_max_body_size 20m;", "client_max_body_size 1m;"),
        (ENV, "max.request.size=10485760", "max.request.size=65536"),
    ),
    "queue_bound_lowered": _both(
        (Y, "queue_size: 1000", "queue_size: 10"),
        (ENV, "server.tomcat.accept-count=200", "server.tomcat.accept-count=5"),
    ),
    "heap_lowered": _both(
        ("run.sh", "java -Xmx4g -jar tariff.jar", "java -Xmx512m -jar tariff.jar"),
        (Y, "GOMEMLIMIT: 2GiB", "GOMEMLIMIT: 256MiB"),
    ),
    "heap_raised": _both(
        ("run.sh", "java -Xmx1g -jar tariff.jar", "java -Xmx8g -jar tariff.jar"),
        ("postgresql.conf", "work_mem = 4MB", "work_mem = 512MB"),
    ),
    "gc_tuned": Examples(
        reads=(_set(Y, "GOGC: 100", "GOGC: 800"), _set(ENV, "gc.threshold=700", "gc.threshold=9")),
        ignores=(
            _of(Y, "-# GOGC: 100\n+# GOGC: 800\n other: 1"),
            _of(ENV, "-gc.threshold=700\n other=1\n+gc.threshold=700"),
        ),
    ),
    "gc_flag_changed": Examples(
        reads=(
            _set("run.sh", "java -XX:+UseG1GC -jar a.jar", "java -XX:+UseSerialGC -jar a.jar"),
            _of(PY, " import gc\n+gc.disable()"),
        ),
        ignores=(
            _of(PY, "-gc.disable()\n import gc\n+gc.disable()"),
            _of(PY, "+# gc.disable() was tried here\n import gc"),
        ),
    ),
    "heap_limit_removed": _gone(
        ("run.sh", "OPTS=-Xmx2g", "java -jar tariff.jar"),
        ("Dockerfile", "ENV NODE_OPTIONS=--max-old-space-size=1024", "USER web"),
    ),
    "pooling_of_objects_removed": _gone(
        (GO, "\tbuf := bufPool.Get().(*bytes.Buffer)", "\tuse(buf)"),
        ("Tariff.cs", "  var b = ArrayPool<byte>.Shared.Rent(64);", "  Use(b);"),
    ),
    "listener_or_reference_kept": _gone(
        ("parcel/map.js", "const known = new WeakMap();", "start();"),
        (JAVA, "    CURRENT.remove();", "    done();"),
    ),
    "temporary_file_kept": _gone(
        (PY, "    os.remove(path)", "    return total"),
        (GO, "\tdefer os.RemoveAll(dir)", "\tuse(dir)"),
    ),
    "rotation_removed": _gone(
        (PY, "    handler = RotatingFileHandler(path)", "    start()"),
        ("compose.yml", "        max-size: 10m", "    image: parcel"),
    ),
    "retention_raised": _both(
        (Y, "retention_days: 7", "retention_days: 365"),
        (ENV, "log.maxBackups=3", "log.maxBackups=500"),
    ),
    "retention_lowered": _both(
        (Y, "retention_days: 90", "retention_days: 1"),
        (ENV, "orders.keep.days=365", "orders.keep.days=7"),
    ),
    "retention_off": _both(
        ("postgresql.conf", "autovacuum = on", "autovacuum = off"),
        (Y, "cleanup: true", "cleanup: false"),
    ),
    "volume_lowered": _both(
        ("deploy/pvc.yaml", "storage: 100Gi", "storage: 5Gi"),
        ("infra/db.tf", "allocated_storage = 500", "allocated_storage = 20"),
    ),
    "written_to_disk": Examples(
        reads=(
            _of(PY, "+    handle, path = tempfile.mkstemp()\n     return path"),
            _of("parcel/send.js", "+  fs.writeFileSync(`/tmp/${id}`, body);\n   done();"),
        ),
        ignores=(
            _of(PY, "-    handle, path = tempfile.mkstemp()\n     return path"),
            _of(GO, '+\tf, _ := os.CreateTemp("", "p")\n+\tdefer os.Remove(f.Name())'),
        ),
    ),
}
