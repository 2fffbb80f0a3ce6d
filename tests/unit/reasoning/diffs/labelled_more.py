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
)
