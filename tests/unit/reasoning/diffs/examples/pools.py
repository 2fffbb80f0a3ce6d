"""Examples of pools of connections and workers that changed, and of their look-alikes."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples


def _d(path: str, *lines: str) -> str:
    return "\n".join((f"--- a/{path}", f"+++ b/{path}", "@@ -3,5 +3,5 @@", *lines, ""))


def _e(a: str, b: str, c: str, d: str) -> Examples:
    return Examples(reads=(a, b), ignores=(c, d))


EXAMPLES: Mapping[str, Examples] = {
    "connection_pool_lowered": _e(
        _d("conf/quay.yaml", " berths:", "-  maximumPoolSize: 40", "+  maximumPoolSize: 4"),
        _d("db.go", "-\tdb.SetMaxOpenConns(50)", "+\tdb.SetMaxOpenConns(5)"),
        _d("conf/quay.yaml", " berths:", "-  maximumPoolSize: 4", "+  maximumPoolSize: 40"),
        _d("db.go", "-\t// db.SetMaxOpenConns(50)", "+\t// db.SetMaxOpenConns(5)"),
    ),
    "connection_pool_raised": _e(
        _d("quay.properties", "-quay.db.pool.max=20", "+quay.db.pool.max=400"),
        _d("db.py", "     url,", "-    pool_size=5,", "+    pool_size=80,"),
        _d("quay.properties", "-quay.db.pool.max=400", "+quay.db.pool.max=20"),
        _d("db.py", "     url,", "-    pool_timeout=5,", "+    pool_timeout=80,"),
    ),
    "connection_pool_bounded_low": _e(
        _d("conf/quay.yaml", " berths:", "   url: db", "+  maxPoolSize: 2"),
        _d("db.go", " \tdb := open(url)", "+\tdb.SetMaxOpenConns(3)"),
        _d("conf/quay.yaml", " berths:", "   url: db", "+  maxPoolSize: 60"),
        _d("db.go", " \tdb := open(url)", "-\tdb.SetMaxOpenConns(3)"),
    ),
    "workers_lowered": _e(
        _d(
            "crane.py",
            "-pool = ThreadPoolExecutor(max_workers=32)",
            "+pool = ThreadPoolExecutor(max_workers=2)",
        ),
        _d(
            "Crane.java",
            "-  var lifts = Executors.newFixedThreadPool(24);",
            "+  var lifts = Executors.newFixedThreadPool(3);",
        ),
        _d(
            "crane.py",
            "-pool = ThreadPoolExecutor(max_workers=2)",
            "+pool = ThreadPoolExecutor(max_workers=32)",
        ),
        _d(
            "Crane.java",
            "-  // Executors.newFixedThreadPool(24)",
            "+  // Executors.newFixedThreadPool(3)",
        ),
    ),
    "workers_raised": _e(
        _d("crane.toml", "-num_workers = 4", "+num_workers = 64"),
        _d("deploy/crane.yaml", " lift:", "-  concurrency: 10", "+  concurrency: 300"),
        _d("crane.toml", "-num_workers = 64", "+num_workers = 4"),
        _d("deploy/crane.yaml", " lift:", "-  threadTimeout: 10", "+  threadTimeout: 300"),
    ),
    "idle_connections_lowered": _e(
        _d("db.go", "-\tdb.SetMaxIdleConns(25)", "+\tdb.SetMaxIdleConns(1)"),
        _d("quay.properties", "-quay.db.minimum-idle=12", "+quay.db.minimum-idle=1"),
        _d("db.go", "-\tdb.SetMaxIdleConns(1)", "+\tdb.SetMaxIdleConns(25)"),
        _d("quay.properties", "-quay.db.max-idle-time=600", "+quay.db.max-idle-time=60"),
    ),
    "keepalive_off": _e(
        _d(
            "call.js",
            "-const agent = new Agent({ keepAlive: true });",
            "+const agent = new Agent({ keepAlive: false });",
        ),
        _d("conf/quay.yaml", " berths:", "-  pooling: true", "+  pooling: false"),
        _d(
            "call.js",
            "-const agent = new Agent({ keepAlive: false });",
            "+const agent = new Agent({ keepAlive: true });",
        ),
        _d("conf/quay.yaml", " berths:", "-  # pooling: true", "+  # pooling: false"),
    ),
    "keepalives_disabled": _e(
        _d("call.go", " \tt := &transport{", "+\t\tDisableKeepAlives: true,", " \t}"),
        _d("quay.toml", "-disable_pooling = false", "+disable_pooling = true"),
        _d("call.go", " \tt := &transport{", "-\t\tDisableKeepAlives: true,", " \t}"),
        _d("quay.toml", "-disable_pooling = true", "+disable_pooling = false"),
    ),
    "connection_lifetime_cut": _e(
        _d(
            "db.go",
            "-\tdb.SetConnMaxLifetime(30 * time.Minute)",
            "+\tdb.SetConnMaxLifetime(5 * time.Second)",
        ),
        _d("conf/quay.yaml", " berths:", "-  connectionMaxAge: 1h", "+  connectionMaxAge: 10s"),
        _d(
            "db.go",
            "-\tdb.SetConnMaxLifetime(5 * time.Second)",
            "+\tdb.SetConnMaxLifetime(30 * time.Minute)",
        ),
        _d("conf/quay.yaml", " berths:", "-  connectionMaxAge: 60m", "+  connectionMaxAge: 1h"),
    ),
    "client_per_call": _e(
        _d(
            "berth.py",
            " def berth(ship):",
            "+    channel = grpc.insecure_channel(HOST)",
            "     return ask(channel, ship)",
        ),
        _d(
            "Berth.cs",
            " public async Task<Berth> Find(Ship ship) {",
            "+  using var http = new HttpClient();",
            "   var found = await Ask(http, ship);",
        ),
        _d(
            "berth.py",
            " def berth(ship):",
            "-    channel = grpc.insecure_channel(HOST)",
            "     return ask(channel, ship)",
        ),
        _d(
            "berth.js",
            " class Berths {",
            "   constructor() {",
            "+    this.db = new Pool({ host: HOST });",
            "   }",
        ),
    ),
    "shared_client_replaced": _e(
        _d("berth.py", "-    conn = self.pool.acquire()", "+    conn = psycopg2.connect(URL)"),
        _d(
            "berth.go",
            "-\tresp, err := s.client.Do(req)",
            "+\tresp, err := (&http.Client{}).Do(req)",
        ),
        _d("berth.py", "-    conn = psycopg2.connect(URL)", "+    conn = self.pool.acquire()"),
        _d("berth.go", "-\t// s.client.Do(req)", "+\t// (&http.Client{}).Do(req)"),
    ),
    "pool_settings_removed": _e(
        _d("db.go", " \tdb := open(url)", "-\tdb.SetMaxOpenConns(40)"),
        _d("quay.properties", "-quay.db.maximum-pool-size=20", " quay.db.url=db"),
        _d("db.go", " \tdb := open(url)", "+\tdb.SetMaxOpenConns(40)"),
        _d(
            "quay.properties",
            "-quay.db.maximum-pool-size=20",
            " quay.db.url=db",
            "+quay.db.maximum-pool-size=20",
        ),
    ),
}
