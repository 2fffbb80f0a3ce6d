"""More labelled diffs, written before the rules were tried on them."""

from tests.unit.reasoning.diffs.labelled import Case

MORE: tuple[Case, ...] = (
    (
        "goroutine ticker",
        "timer_leak",
        """@@ func (w *Watcher) Run(ctx context.Context) {
 	t := time.NewTicker(w.every)
-	defer t.Stop()
 	for {
""",
    ),
    (
        "global mutex",
        "lock_contention lock_across_call",
        """@@ public class Pricing {
-    public Price quote(String sku) {
+    public synchronized Price quote(String sku) {
         return engine.quote(sku);
""",
    ),
    (
        "hpa max",
        "too_few_replicas",
        """--- a/k8s/hpa.yaml
+++ b/k8s/hpa.yaml
@@ -8,4 +8,4 @@
   minReplicas: 4
-  maxReplicas: 40
+  maxReplicas: 6
""",
    ),
    (
        "unwrap",
        "panic nil_dereference",
        """@@ fn parse(s: &str) -> Config {
-    let port = env::var("PORT").ok().and_then(|p| p.parse().ok()).unwrap_or(8080);
+    let port: u16 = env::var("PORT").unwrap().parse().unwrap();
""",
    ),
    (
        "kafka autocommit",
        "message_loss messages_not_acknowledged",
        """--- a/consumer.yml
+++ b/consumer.yml
@@ -2,3 +2,3 @@
   consumer:
-    enable-auto-commit: false
+    enable-auto-commit: true
""",
    ),
    (
        "redis maxmemory policy",
        "cache_eviction_policy",
        """--- a/redis.conf
+++ b/redis.conf
@@ -1,2 +1,2 @@
-maxmemory-policy allkeys-lru
+maxmemory-policy noeviction
""",
    ),
    (
        "service port",
        "wrong_port",
        """--- a/svc.yaml
+++ b/svc.yaml
@@ -6,4 +6,4 @@
   ports:
     - port: 80
-      targetPort: 8080
+      targetPort: 8081
""",
    ),
    (
        "singleflight",
        "cache_stampede",
        """@@ func (c *C) Get(ctx context.Context, k string) (V, error) {
-	v, err, _ := c.group.Do(k, func() (any, error) { return c.load(ctx, k) })
+	v, err := c.load(ctx, k)
""",
    ),
    (
        "debug sql",
        "debug_logging",
        """--- a/app.properties
+++ b/app.properties
@@ -1 +1,2 @@
+spring.jpa.show-sql=true
""",
    ),
    (
        "promise all",
        "serialised_calls n_plus_one_queries",
        """@@ async function load(ids) {
-  return Promise.all(ids.map(id => api.fetchOne(id)));
+  const out = [];
+  for (const id of ids) {
+    out.push(await api.fetchOne(id));
+  }
+  return out;
""",
    ),
    (
        "timezone",
        "date_format",
        """@@ def cutoff():
-    return datetime.now(timezone.utc).replace(hour=0)
+    return datetime.now().replace(hour=0)
""",
    ),
    (
        "rounding",
        "rounding",
        """@@ public BigDecimal tax(BigDecimal net) {
-        return net.multiply(RATE).setScale(2, RoundingMode.HALF_UP);
+        return net.multiply(RATE).setScale(0, RoundingMode.DOWN);
""",
    ),
    (
        "N+1 ruby",
        "n_plus_one_queries",
        """--- a/app/controllers/posts_controller.rb
+++ b/app/controllers/posts_controller.rb
@@ def index
-    @posts = Post.includes(:author).order(:created_at)
+    @posts = Post.order(:created_at)
""",
    ),
    (
        "hibernate lazy",
        "n_plus_one_queries",
        """@@ class Order
-    @ManyToOne(fetch = FetchType.EAGER)
+    @ManyToOne(fetch = FetchType.LAZY)
""",
    ),
    (
        "goroutine loop var N+1 http",
        "n_plus_one_queries",
        """@@ def enrich(orders):
     for order in orders:
+        order.customer = customer_client.get(order.customer_id)
         order.total = sum(order.lines)
""",
    ),
    (
        "transaction remote",
        "transaction_across_remote_call",
        """@@ public class OrderService {
+    @Transactional
     public Order place(Cart cart) {
         Order order = orders.save(cart.toOrder());
         paymentClient.charge(order);
         return order;
""",
    ),
    (
        "event loop",
        "event_loop_blocked",
        """@@ async def handler(request):
-    async with session.get(url) as resp:
-        data = await resp.json()
+    data = requests.get(url, timeout=5).json()
""",
    ),
    (
        "mtls",
        "tls_mismatch",
        """--- a/mesh.yaml
+++ b/mesh.yaml
@@ -5,3 +5,3 @@
 spec:
   mtls:
-    mode: PERMISSIVE
+    mode: STRICT
""",
    ),
    (
        "secret",
        "credentials_changed",
        """--- a/deploy.yaml
+++ b/deploy.yaml
@@ -10,5 +10,5 @@
           valueFrom:
             secretKeyRef:
-              name: db-credentials
+              name: db-credentials-v2
               key: password
""",
    ),
    (
        "iam",
        "permission_removed",
        """--- a/iam.tf
+++ b/iam.tf
@@ -3,6 +3,5 @@
   actions = [
     "s3:GetObject",
-    "s3:PutObject",
   ]
""",
    ),
    (
        "rbac",
        "permission_removed",
        """--- a/role.yaml
+++ b/role.yaml
@@ -3,3 +3,3 @@
   - apiGroups: [""]
     resources: ["configmaps"]
-    verbs: ["get", "list", "watch"]
+    verbs: ["get"]
""",
    ),
    (
        "header rename",
        "auth_header_changed",
        """@@ func (c *Client) do(req *http.Request) {
-	req.Header.Set("Authorization", "Bearer "+c.token)
+	req.Header.Set("X-Auth-Token", c.token)
""",
    ),
    (
        "image tag",
        None,
        """--- a/web/Header.vue
+++ b/web/Header.vue
@@ -1 +1 @@
-  <h1 class="title">{{ title }}</h1>
+  <h1 class="title title--big">{{ title }}</h1>
""",
    ),
    (
        "GOMEMLIMIT",
        "heap_too_small",
        """--- a/Dockerfile
+++ b/Dockerfile
@@ -5,3 +5,3 @@
-ENV JAVA_OPTS="-Xmx2g"
+ENV JAVA_OPTS="-Xmx256m"
""",
    ),
    (
        "log rotate",
        "disk_filling",
        """@@ def setup():
-    handler = RotatingFileHandler(path, maxBytes=10_000_000, backupCount=5)
+    handler = FileHandler(path)
""",
    ),
    (
        "quadratic",
        "quadratic_work",
        """@@ def dedupe(rows):
-    seen = set()
+    seen = []
     out = []
     for row in rows:
-        if row.id not in seen:
-            seen.add(row.id)
+        if row.id not in seen:
+            seen.append(row.id)
             out.append(row)
""",
    ),
    (
        "cardinality",
        "metric_cardinality",
        """@@ func handle(w http.ResponseWriter, r *http.Request) {
-	requests.WithLabelValues(route).Inc()
+	requests.WithLabelValues(route, r.Header.Get("X-User-ID"), userID).Inc()
""",
    ),
    (
        "upstream keepalive",
        "connection_churn load_balancing_changed",
        """--- a/nginx.conf
+++ b/nginx.conf
@@ -1,5 +1,4 @@
 upstream api {
   server api:8080;
-  keepalive 64;
 }
""",
    ),
    (
        "statement timeout",
        "timeout_too_short",
        """--- a/pg.tf
+++ b/pg.tf
@@ -2,4 +2,4 @@
   parameter {
     name  = "statement_timeout"
-    value = "30000"
+    value = "300"
""",
    ),
    (
        "dns",
        "wrong_address",
        """@@
-  UPSTREAM_URL: http://inventory.prod.svc.cluster.local:8080
+  UPSTREAM_URL: http://inventory-v2.prod.svc.cluster.local:8080
""",
    ),
    (
        "percent",
        "feature_flag_on",
        """--- a/flags.json
+++ b/flags.json
@@ -1,4 +1,4 @@
   "new-ranking": {
-    "rolloutPercent": 1,
+    "rolloutPercent": 100,
""",
    ),
    (
        "channel unbuffered",
        "goroutine_leak",
        """@@ func query(ctx context.Context) Result {
-	ch := make(chan Result, 1)
+	ch := make(chan Result)
 	go func() { ch <- slow() }()
""",
    ),
    (
        "append slice global",
        "unbounded_growth",
        """@@ func (s *Server) handle(r *Request) {
+	s.history = append(s.history, r)
 	s.process(r)
""",
    ),
    (
        "type assertion",
        "type_assertion_panic",
        """@@ func userID(ctx context.Context) string {
-	id, ok := ctx.Value(userKey).(string)
-	if !ok {
-		return ""
-	}
-	return id
+	return ctx.Value(userKey).(string)
""",
    ),
    (
        "i logger context",
        None,
        """@@ func (s *Service) Place(ctx context.Context, o Order) error {
-	log.Printf("placing %s", o.ID)
+	s.log.Info("placing order", "id", o.ID, "lines", len(o.Lines))
 	return s.repo.Save(ctx, o)
""",
    ),
    (
        "i constant name",
        None,
        """@@ const (
-	statusOpen = "open"
+	StatusOpen = "open"
 )
""",
    ),
    (
        "i split function",
        None,
        """--- a/orders.py
+++ b/orders.py
@@ def place(cart):
-    total = 0
-    for line in cart.lines:
-        total += line.price * line.count
-    return Order(total=total)
+    return Order(total=_total(cart))
+
+
+def _total(cart):
+    total = 0
+    for line in cart.lines:
+        total += line.price * line.count
+    return total
""",
    ),
    (
        "i java streams",
        None,
        """@@ int count(List<Order> orders) {
-        int n = 0;
-        for (Order o : orders) {
-            if (o.isOpen()) {
-                n++;
-            }
-        }
-        return n;
+        return (int) orders.stream().filter(Order::isOpen).count();
""",
    ),
    (
        "i pool raised a bit",
        None,
        """--- a/app.yaml
+++ b/app.yaml
@@ -1,2 +1,2 @@
-poolSize: 20
+poolSize: 25
""",
    ),
    (
        "i add nil guard js",
        None,
        """@@ function city(order) {
-  return order.address.city;
+  return order.address?.city ?? "";
""",
    ),
    (
        "i context threading",
        None,
        """@@ func (s *Store) Get(id string) (*User, error) {
-	row := s.db.QueryRow("SELECT id, name FROM users WHERE id = $1", id)
+	row := s.db.QueryRowContext(ctx, "SELECT id, name FROM users WHERE id = $1", id)
""",
    ),
    (
        "i new endpoint",
        None,
        """@@ func routes(r *mux.Router) {
 	r.HandleFunc("/orders", listOrders).Methods("GET")
+	r.HandleFunc("/orders/{id}/notes", listNotes).Methods("GET")
""",
    ),
    (
        "i validation",
        None,
        """@@ def create(request):
     data = request.json
+    if not data.get("name"):
+        return {"error": "name is required"}, 400
     return service.create(data)
""",
    ),
    (
        "i swap to f-string",
        None,
        """@@ def key(sku):
-    return "price:%s" % sku
+    return f"price:{sku}"
""",
    ),
    (
        "i refactor switch",
        None,
        """@@ func label(s Status) string {
-	if s == Open {
-		return "open"
-	}
-	return "closed"
+	switch s {
+	case Open:
+		return "open"
+	default:
+		return "closed"
+	}
""",
    ),
    (
        "i sql format",
        None,
        """--- a/q.sql
+++ b/q.sql
@@ -1 +1,3 @@
-SELECT id, name FROM users WHERE id = $1;
+SELECT id, name
+FROM users
+WHERE id = $1;
""",
    ),
    (
        "i test helper with prod comment",
        None,
        """--- a/src/app.ts
+++ b/src/app.ts
@@ -1,3 +1,4 @@
+// see ADR 12
 export const app = express();
""",
    ),
    (
        "i timeout const extracted",
        None,
        """@@
+const dialTimeout = 5 * time.Second
+
 func dial(ctx context.Context) error {
-	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
+	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
 	defer cancel()
""",
    ),
    (
        "i span added",
        None,
        """@@ func (s *Service) Place(ctx context.Context, o Order) error {
+	ctx, span := tracer.Start(ctx, "Place")
+	defer span.End()
 	return s.repo.Save(ctx, o)
""",
    ),
    (
        "i structured error",
        None,
        """@@ def load(id):
     try:
         return repo.get(id)
     except NotFound as e:
-        raise ApiError("not found")
+        raise ApiError("user not found") from e
""",
    ),
    (
        "i label k8s",
        None,
        """--- a/d.yaml
+++ b/d.yaml
@@ -3,4 +3,4 @@
   labels:
-    version: "1.2.3"
+    version: "1.2.4"
""",
    ),
    (
        "i sort imports go",
        None,
        """@@ import (
-	"net/http"
 	"fmt"
+	"net/http"
 )
""",
    ),
    (
        "i patch go.mod",
        None,
        """--- a/go.mod
+++ b/go.mod
@@ -5,3 +5,3 @@
-	github.com/rs/zerolog v1.29.0
+	github.com/rs/zerolog v1.29.1
""",
    ),
    (
        "i rename private method",
        None,
        """@@ class Cart {
-    private int sumLines() {
+    private int totalOfLines() {
         return lines.stream().mapToInt(Line::price).sum();
     }
-    int total() { return sumLines(); }
+    int total() { return totalOfLines(); }
""",
    ),
    (
        "java hikari leak",
        "resource_leak",
        """--- a/src/main/java/x/ReportDao.java
+++ b/src/main/java/x/ReportDao.java
@@ -40,12 +40,11 @@ public class ReportDao {
     public List<Row> load(String tenant) throws SQLException {
         Connection conn = dataSource.getConnection();
-        try {
-            return query(conn, tenant);
-        } finally {
-            conn.close();
-        }
+        List<Row> rows = query(conn, tenant);
+        log.info("loaded {} rows", rows.size());
+        return rows;
     }
""",
    ),
    (
        "early return before release",
        "resource_leak",
        """@@ func (s *Server) Process(ctx context.Context, job Job) error {
 	conn, err := s.pool.Acquire(ctx)
 	if err != nil {
 		return err
 	}
+	if job.Empty() {
+		return nil
+	}
 	err = run(ctx, conn, job)
 	conn.Release()
 	return err
""",
    ),
    (
        "python requests session",
        "connection_churn",
        """@@ class Client:
     def get(self, path):
-        return self._session.get(self._base + path, timeout=3)
+        return requests.get(self._base + path, timeout=3)
""",
    ),
    (
        "gunicorn workers",
        "worker_starvation",
        """--- a/Dockerfile
+++ b/Dockerfile
@@ -9,2 +9,2 @@
-CMD ["gunicorn", "--workers=8", "app:app"]
+CMD ["gunicorn", "--workers=1", "app:app"]
""",
    ),
    (
        "envoy timeout",
        "timeout_too_short",
        """--- a/envoy.yaml
+++ b/envoy.yaml
@@ -9,4 +9,4 @@
               - match: { prefix: "/" }
                 route:
                   cluster: orders
-                  timeout: 15s
+                  timeout: 0.2s
""",
    ),
    (
        "istio retries",
        "retry_amplification",
        """--- a/vs.yaml
+++ b/vs.yaml
@@ -9,3 +9,3 @@
     retries:
-      attempts: 2
+      attempts: 10
""",
    ),
    (
        "k8s selector",
        "wrong_address",
        """--- a/svc.yaml
+++ b/svc.yaml
@@ -4,3 +4,3 @@
   selector:
-    app: payments
+    app: payment
""",
    ),
    (
        "c# null",
        "nil_dereference",
        """@@ public string Name(Order order)
-    return order.Customer?.Name ?? "guest";
+    return order.Customer.Name;
""",
    ),
    (
        "c# task result",
        "event_loop_blocked missing_await",
        """@@ public async Task<IActionResult> Get(int id)
-    var order = await _orders.GetAsync(id);
+    var order = _orders.GetAsync(id).Result;
""",
    ),
    (
        "ruby rescue removed",
        "unhandled_exception",
        """@@ def sync
-  client.push(record)
-rescue Faraday::TimeoutError => e
-  Rails.logger.warn(e.message)
+  client.push(record)
""",
    ),
    (
        "ruby sidekiq inline",
        "added_synchronous_call",
        """@@ def create
   order.save!
-  ReceiptMailer.with(order: order).receipt.deliver_later
+  ReceiptMailer.with(order: order).receipt.deliver_now
""",
    ),
    (
        "sql order by",
        "unindexed_sort index_not_used",
        """--- a/q.sql
+++ b/q.sql
@@ -1,4 +1,4 @@
 SELECT id, total FROM orders
 WHERE customer_id = $1
-ORDER BY id DESC
+ORDER BY lower(note), total DESC
 LIMIT 20;
""",
    ),
    (
        "gorm preload",
        "n_plus_one_queries",
        """@@ func (r *Repo) List(ctx context.Context) ([]Order, error) {
-	err := r.db.WithContext(ctx).Preload("Lines").Find(&orders).Error
+	err := r.db.WithContext(ctx).Find(&orders).Error
""",
    ),
    (
        "alembic index",
        "missing_index",
        """--- a/migrations/versions/0f3_x.py
+++ b/migrations/versions/0f3_x.py
@@ def upgrade():
+    op.drop_index("ix_events_account_id", table_name="events")
""",
    ),
    (
        "rename column rails",
        "renamed_column",
        """--- a/db/migrate/20240101_rename.rb
+++ b/db/migrate/20240101_rename.rb
@@ class Rename < ActiveRecord::Migration[7.0]
   def change
+    rename_column :users, :mail, :email
""",
    ),
    (
        "max idle zero",
        "connection_churn",
        """@@ func open() {
-	db.SetMaxIdleConns(20)
+	db.SetMaxIdleConns(0)
""",
    ),
    (
        "java heap in k8s env",
        "heap_too_small",
        """--- a/d.yaml
+++ b/d.yaml
@@ -20,3 +20,3 @@
         - name: JAVA_TOOL_OPTIONS
-          value: "-Xmx1536m -XX:+UseG1GC"
+          value: "-Xmx384m -XX:+UseG1GC"
""",
    ),
    (
        "rate limiter nginx",
        "rate_limit_too_low",
        """--- a/nginx.conf
+++ b/nginx.conf
@@ -3,3 +3,3 @@
-limit_req_zone $binary_remote_addr zone=api:10m rate=100r/s;
+limit_req_zone $binary_remote_addr zone=api:10m rate=1r/s;
""",
    ),
    (
        "proxy read",
        "timeout_too_short",
        """--- a/nginx.conf
+++ b/nginx.conf
@@ -3,3 +3,3 @@ location /api {
-    proxy_read_timeout 60s;
+    proxy_read_timeout 2s;
""",
    ),
    (
        "liveness path",
        "probe_wrong_target",
        """--- a/d.yaml
+++ b/d.yaml
@@ -20,5 +20,5 @@
         livenessProbe:
           httpGet:
-            path: /healthz
+            path: /health
             port: 8080
""",
    ),
    (
        "insecureskip removed",
        "certificate_trust tls_verification",
        """@@ func client() *http.Client {
-	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
+	tr := &http.Transport{TLSClientConfig: &tls.Config{}}
""",
    ),
    (
        "jwt algorithm",
        "token_validation",
        """@@ def decode(token):
-    return jwt.decode(token, KEY, algorithms=["RS256"], audience="api")
+    return jwt.decode(token, KEY, algorithms=["ES256"], audience="api")
""",
    ),
    (
        "topic",
        "wrong_channel",
        """--- a/app.properties
+++ b/app.properties
@@ -1 +1 @@
-orders.topic=orders.created
+orders.topic=order-created
""",
    ),
    (
        "off by one",
        "off_by_one flipped_comparison",
        """@@ for page
-    for (int i = 0; i < pages.size(); i++) {
+    for (int i = 0; i <= pages.size(); i++) {
""",
    ),
    (
        "negated",
        "inverted_condition",
        """@@ def allowed?(user)
-    return true if user.admin?
+    return true if !user.admin?
""",
    ),
    (
        "enum removed",
        "enum_value_removed",
        """--- a/src/Status.java
+++ b/src/Status.java
@@ public enum Status {
     OPEN,
-    PENDING,
     CLOSED
""",
    ),
    (
        "pagination cursor removed",
        "unbounded_query",
        """@@ def list_orders(request):
-    page = Paginator(Order.objects.all(), 50).get_page(request.GET.get("page"))
-    return render(page)
+    return render(Order.objects.all())
""",
    ),
    (
        "semaphore",
        "concurrency_overload worker_starvation",
        """@@ async function crawl(urls) {
-  const limit = pLimit(10);
-  await Promise.all(urls.map(u => limit(() => get(u))));
+  await Promise.all(urls.map(u => get(u)));
""",
    ),
    (
        "maxconns semaphore",
        "worker_starvation connection_pool_exhaustion",
        """@@
-const maxConcurrent = 64
+const maxConcurrent = 2
""",
    ),
    (
        "lambda memory",
        "memory_limit_too_low",
        """--- a/l.tf
+++ b/l.tf
@@ resource "aws_lambda_function" "x" {
-  memory_size = 1024
+  memory_size = 128
""",
    ),
    (
        "new column in query",
        "renamed_column",
        """@@ func (s *Store) Get(ctx context.Context, id string) error {
-	const q = "SELECT id, full_name FROM users WHERE id = $1"
+	const q = "SELECT id, display_name FROM users WHERE id = $1"
""",
    ),
    (
        "discount percent",
        "unit_mistake",
        """@@ def discounted(price, percent):
-    return price * (1 - percent / 100)
+    return price * (1 - percent)
""",
    ),
    (
        "multi file with noise",
        "connection_pool_exhaustion",
        """diff --git a/README.md b/README.md
index 1..2 100644
--- a/README.md
+++ b/README.md
@@ -1 +1 @@
-# Orders
+# Orders service
diff --git a/internal/db/db.go b/internal/db/db.go
index 1..2 100644
--- a/internal/db/db.go
+++ b/internal/db/db.go
@@ -10,7 +10,7 @@ func Open(dsn string) (*sql.DB, error) {
 	if err != nil {
-		return nil, err
+		return nil, fmt.Errorf("open: %w", err)
 	}
-	db.SetMaxOpenConns(cfg.Max)
+	db.SetMaxOpenConns(2)
""",
    ),
    (
        "i go generics",
        None,
        """@@
-func Map(xs []string, f func(string) string) []string {
-	out := make([]string, 0, len(xs))
+func Map[T, U any](xs []T, f func(T) U) []U {
+	out := make([]U, 0, len(xs))
 	for _, x := range xs {
""",
    ),
    (
        "i move to constructor",
        None,
        """@@ public class PriceService {
-    @Autowired
-    private PriceRepository prices;
+    private final PriceRepository prices;
+
+    public PriceService(PriceRepository prices) {
+        this.prices = prices;
+    }
""",
    ),
    (
        "i add readme+test",
        None,
        """diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -1 +1,2 @@
 # x
+more
diff --git a/tests/test_x.py b/tests/test_x.py
--- a/tests/test_x.py
+++ b/tests/test_x.py
@@ -1 +1,2 @@
+    time.sleep(5)
""",
    ),
    (
        "i extract interface",
        None,
        """@@ package store
+type Store interface {
+	Get(ctx context.Context, id string) (*User, error)
+}
+
-func NewHandler(s *PgStore) *Handler {
+func NewHandler(s Store) *Handler {
""",
    ),
    (
        "i ts types",
        None,
        """--- a/src/api.ts
+++ b/src/api.ts
@@ -1,4 +1,9 @@
-export async function get(id) {
+interface User {
+  id: string;
+  name: string;
+}
+
+export async function get(id: string): Promise<User> {
   return http.get(`/users/${id}`);
""",
    ),
    (
        "i comment java",
        None,
        """@@ class A {
+    /**
+     * Returns the total; never close() the stream here, no timeout either.
+     */
     int total() {
""",
    ),
    (
        "i docstring",
        None,
        '''--- a/a.py
+++ b/a.py
@@ def total():
+    """Return the sum; sleep(5) is not called and retries = 10 is not set.
+
+    timeout = 1
+    """
     return sum(xs)
''',
    ),
    (
        "i error message",
        None,
        """@@ func f() error {
-	return errors.New("bad input")
+	return errors.New("invalid input")
""",
    ),
    (
        "i dashboard",
        None,
        """--- a/grafana/dashboards/api.json
+++ b/grafana/dashboards/api.json
@@ -1 +1 @@
-  "interval": "30s"
+  "interval": "1s"
""",
    ),
    (
        "i python walrus",
        None,
        """@@ def find(rows):
-    match = pattern.search(line)
-    if match:
+    if match := pattern.search(line):
         return match.group(1)
""",
    ),
    (
        "i ruby style",
        None,
        """--- a/a.rb
+++ b/a.rb
@@ def names
-    users.map { |u| u.name }
+    users.map(&:name)
""",
    ),
    (
        "i enum added",
        None,
        """--- a/S.java
+++ b/S.java
@@ enum S {
     OPEN,
+    PAUSED,
     CLOSED
""",
    ),
    (
        "i memory raised",
        None,
        """--- a/d.yaml
+++ b/d.yaml
@@ -3,4 +3,4 @@
           limits:
-            memory: 512Mi
+            memory: 768Mi
""",
    ),
    (
        "i replicas raised",
        None,
        """--- a/d.yaml
+++ b/d.yaml
@@ -3,4 +3,4 @@
-  replicas: 3
+  replicas: 4
""",
    ),
    (
        "i c# using decl",
        None,
        """@@ public void Save(Order order)
-    using (var tx = _db.BeginTransaction())
-    {
-        _db.Insert(order);
-        tx.Commit();
-    }
+    using var tx = _db.BeginTransaction();
+    _db.Insert(order);
+    tx.Commit();
""",
    ),
    (
        "i pathlib",
        None,
        """@@ def load(name):
-    with open(os.path.join(ROOT, name)) as f:
-        return f.read()
+    return (ROOT / name).read_text()
""",
    ),
    (
        "i const to enum",
        None,
        """@@ class Order
-  STATES = %w[open closed]
+  STATES = %w[open closed].freeze
""",
    ),
    (
        "i ctx rename",
        None,
        """@@ func (s *S) Get(c context.Context, id string) (*User, error) {
-	u, err := s.repo.Get(c, id)
-	if err != nil {
-		return nil, err
-	}
-	return u, nil
+	return s.repo.Get(c, id)
""",
    ),
    (
        "i html",
        None,
        """--- a/t/index.html
+++ b/t/index.html
@@ -1 +1 @@
-<p>Timeout: none</p>
+<p>Timeout: 5 s</p>
""",
    ),
)
