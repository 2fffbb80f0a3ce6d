"""More examples of work: blocking, compression, hashing, logging, telemetry, copies."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples, diff, four

MORE: Mapping[str, Examples] = {
    "blocking_in_event_loop": four(
        diff("menu.py", " async def dish(id):", "+    found = requests.get(url(id))"),
        diff(
            "Menu.kt", " suspend fun dish(id: Id): Dish {", "+    return runBlocking { find(id) }"
        ),
        diff("menu.py", " async def dish(id):", "-    found = requests.get(url(id))"),
        diff(
            "menu.py",
            " async def dish(id):",
            "+    found = await asyncio.to_thread(requests.get, url(id))",
        ),
    ),
    "async_made_sync": four(
        diff("menu.go", "-\tgo audit(order)", "+\taudit(order)"),
        diff("menu.py", "-    send_receipt.delay(order.id)", "+    send_receipt(order.id)"),
        diff("menu.go", "-\taudit(order)", "+\tgo audit(order)"),
        diff(
            "menu.py",
            "-    send_receipt.delay(order.id)",
            "+    send_receipt.apply_async([order.id])",
        ),
    ),
    "compression_raised": four(
        diff("nginx.conf", "-gzip_comp_level 4;", "+gzip_comp_level 9;"),
        diff("menu.yaml", " broker:", "-  compressionLevel: 3", "+  compressionLevel: 19"),
        diff("nginx.conf", "-gzip_comp_level 9;", "+gzip_comp_level 4;"),
        diff("nginx.conf", "-gzip_min_length 256;", "+gzip_min_length 1024;"),
    ),
    "compression_added": four(
        diff("menu.go", " \tw := out(path)", "+\tw = gzip.NewWriter(w)"),
        diff("broker.properties", "+compression.type=zstd", " linger.ms=5"),
        diff("menu.go", " \tw := out(path)", "-\tw = gzip.NewWriter(w)"),
        diff("broker.properties", "-compression.type=gzip", "+compression.type=zstd"),
    ),
    "compression_removed": four(
        diff("nginx.conf", " server {", "-  gzip on;", "   listen 80;"),
        diff("app.js", "-app.use(compression());", " app.get('/menu', menu);"),
        diff("nginx.conf", " server {", "+  gzip on;", "   listen 80;"),
        diff("nginx.conf", " server {", "-  gzip on;", "+  brotli on;", "   listen 80;"),
    ),
    "hash_cost_raised": four(
        diff("staff.js", "-const saltRounds = 10;", "+const saltRounds = 14;"),
        diff("staff.py", "-PBKDF2_ITERATIONS = 100000", "+PBKDF2_ITERATIONS = 900000"),
        diff("staff.js", "-const saltRounds = 14;", "+const saltRounds = 10;"),
        diff("menu.py", "-SHIPPING_COST = 10", "+SHIPPING_COST = 14"),
    ),
    "precision_raised": four(
        diff("search.yaml", " dishes:", "-  ef_search: 64", "+  ef_search: 2048"),
        diff("menu.py", "-LOOKBACK_DAYS = 7", "+LOOKBACK_DAYS = 365"),
        diff("search.yaml", " dishes:", "-  ef_search: 2048", "+  ef_search: 64"),
        diff("menu.py", "-RETENTION_DAYS = 7", "+RETENTION_DAYS = 365"),
    ),
    "log_level_lowered": four(
        diff("menu.yaml", " logging:", "-  level: info", "+  level: debug"),
        diff("menu.properties", "-logging.level.root=WARN", "+logging.level.root=TRACE"),
        diff("menu.yaml", " logging:", "-  level: debug", "+  level: info"),
        diff("menu.properties", "-logging.level.root=WARN", "+logging.level.root=ERROR"),
    ),
    "debug_on": four(
        diff("menu.py", "-DEBUG = False", "+DEBUG = True"),
        diff("menu.properties", "-spring.jpa.show-sql=false", "+spring.jpa.show-sql=true"),
        diff("menu.py", "-DEBUG = True", "+DEBUG = False"),
        diff("menu.py", "+# DEBUG = True", " NAME = 'menu'"),
    ),
    "sampling_raised": four(
        diff("menu.yaml", " tracing:", "-  sampling: 0.01", "+  sampling: 1.0"),
        diff(
            "menu.go",
            "-\ts := trace.TraceIDRatioBased(0.05)",
            "+\ts := trace.TraceIDRatioBased(0.9)",
        ),
        diff("menu.yaml", " tracing:", "-  sampling: 1.0", "+  sampling: 0.01"),
        diff("menu.yaml", " tracing:", "-  sampleWindow: 1", "+  sampleWindow: 60"),
    ),
    "sampler_always_on": four(
        diff("menu.go", "-\ts := ratio()", "+\ts := trace.AlwaysSample()"),
        diff("menu.py", "+sampler = ALWAYS_ON", " tracer = make(sampler)"),
        diff("menu.go", "-\ts := trace.AlwaysSample()", "+\ts := ratio()"),
        diff("pod.yaml", "-  imagePullPolicy: IfNotPresent", "+  imagePullPolicy: Always"),
    ),
    "log_in_hot_path": four(
        diff("menu.py", " def order(request):", '+    logger.info("got %s", request.body)'),
        diff(
            "menu.js",
            " app.post('/o', (req, res) => {",
            "+  console.log(JSON.stringify(req.body));",
        ),
        diff("menu.py", " def order(request):", '-    logger.info("got %s", request.body)'),
        diff("menu.py", " def order(request):", '+    logger.info("got an order")'),
    ),
    "metric_label_unbounded": four(
        diff("menu.go", "-\tserved.Inc()", "+\tserved.WithLabelValues(order.UserID).Inc()"),
        diff("menu.py", "-    SERVED.labels(kind).inc()", "+    SERVED.labels(request.path).inc()"),
        diff("menu.go", "-\tserved.WithLabelValues(order.UserID).Inc()", "+\tserved.Inc()"),
        diff("menu.py", "-    span.set(a=1)", "+    span.set_attributes({'order_id': order.id})"),
    ),
    "text_format_replaces_binary": four(
        diff("menu.go", "-\traw, err := proto.Marshal(m)", "+\traw, err := json.Marshal(m)"),
        diff("menu.py", "-    return msgpack.packb(menu)", "+    return json.dumps(menu)"),
        diff("menu.go", "-\traw, err := json.Marshal(m)", "+\traw, err := proto.Marshal(m)"),
        diff("menu.py", "-    return json.dumps(menu)", "+    return json.dumps(menu, indent=1)"),
    ),
    "reflection_or_copy_added": four(
        diff("menu.py", " def serve(menu):", "+    mine = copy.deepcopy(menu)"),
        diff("menu.js", "-  const mine = menu;", "+  const mine = structuredClone(menu);"),
        diff("menu.py", " def serve(menu):", "-    mine = copy.deepcopy(menu)"),
        diff(
            "menu.js", "-  const mine = cloneDeep(menu);", "+  const mine = cloneDeep(menu.dishes);"
        ),
    ),
}
