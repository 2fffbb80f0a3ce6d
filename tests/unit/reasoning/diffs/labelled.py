"""Realistic diffs with the mechanism an SRE would name, or None for an innocent look-alike."""

from bot.reasoning.diffs.reading import Reading

Case = tuple[str, str | None, str]

CASES: tuple[Case, ...] = (
    (
        "n+1 in go",
        "n_plus_one_queries batching_removed",
        """@@ func (s *Service) Assemble(ctx context.Context, order *Order) error {
 	ids := order.ItemIDs()
-	items, err := s.catalog.BatchGetItems(ctx, ids)
-	if err != nil {
-		return err
-	}
-	order.Items = items
+	for _, id := range ids {
+		item, err := s.catalog.GetItem(ctx, id)
+		if err != nil {
+			return err
+		}
+		order.Items = append(order.Items, item)
+	}
 	return nil
""",
    ),
    (
        "n+1 in django",
        "n_plus_one_queries",
        """--- a/shop/views.py
+++ b/shop/views.py
@@ -10,7 +10,7 @@ def order_list(request):
-    orders = Order.objects.select_related("customer").filter(day=today)
+    orders = Order.objects.filter(day=today)
     return render(request, "orders.html", {"orders": orders})
""",
    ),
    (
        "n+1 in js",
        "n_plus_one_queries",
        """@@ async function listUsers(req, res) {
-  const users = await User.findAll({ include: [Profile], where: { active: true } });
+  const users = await User.findAll({ where: { active: true } });
+  for (const user of users) {
+    user.profile = await Profile.findByPk(user.profileId);
+  }
   res.json(users);
""",
    ),
    (
        "innocent loop over memory",
        None,
        """@@ func total(items []Item) int {
-	sum := 0
-	for i := 0; i < len(items); i++ {
-		sum += items[i].Price
-	}
-	return sum
+	total := 0
+	for i := 0; i < len(items); i++ {
+		total += items[i].Price
+	}
+	return total
""",
    ),
    (
        "index dropped",
        "missing_index",
        """--- /dev/null
+++ b/db/migrations/0042_cleanup.sql
@@ -0,0 +1,2 @@
+-- tidy up
+DROP INDEX IF EXISTS idx_orders_customer_id;
""",
    ),
    (
        "index added concurrently",
        None,
        """--- /dev/null
+++ b/db/migrations/0043_index.sql
@@ -0,0 +1,1 @@
+CREATE INDEX CONCURRENTLY idx_orders_created ON orders (created_at);
""",
    ),
    (
        "limit removed",
        "unbounded_query",
        """@@ public List<Order> recent() {
-        return jdbc.query("SELECT id, total FROM orders ORDER BY created_at DESC LIMIT 100", mapper);
+        return jdbc.query("SELECT id, total FROM orders ORDER BY created_at DESC", mapper);
""",
    ),
    (
        "where removed",
        "full_scan",
        """@@ def pending(session):
-    return session.query(Job).filter(Job.state == "pending").limit(50).all()
+    return session.query(Job).limit(50).all()
""",
    ),
    (
        "like wildcard",
        "full_scan",
        """@@ def search(term):
-    cursor.execute("SELECT id, name FROM products WHERE name LIKE %s", (term + "%",))
+    cursor.execute("SELECT id, name FROM products WHERE name LIKE '%%' || %s || '%%'", (term,))
""",
    ),
    (
        "function on column",
        "index_not_used",
        """@@
-SELECT id FROM users WHERE email = $1;
+SELECT id FROM users WHERE lower(email) = lower($1);
""",
    ),
    (
        "column dropped",
        "dropped_column",
        """--- /dev/null
+++ b/migrations/V12__drop.sql
@@ -0,0 +1 @@
+ALTER TABLE customers DROP COLUMN phone;
""",
    ),
    (
        "not null without default",
        "not_null_without_default",
        """--- /dev/null
+++ b/migrations/V13__region.sql
@@ -0,0 +1 @@
+ALTER TABLE orders ADD COLUMN region varchar(16) NOT NULL;
""",
    ),
    (
        "missing table",
        "missing_table",
        """--- a/internal/store/orders.go
+++ b/internal/store/orders.go
@@ -10,7 +10,7 @@ func (s *Store) Load(ctx context.Context, id string) (*Order, error) {
-	row := s.db.QueryRowContext(ctx, "SELECT id, total FROM orders WHERE id = $1", id)
+	row := s.db.QueryRowContext(ctx, "SELECT id, total FROM order_summaries WHERE id = $1", id)
""",
    ),
    (
        "body close removed",
        "resource_leak",
        """@@ func fetch(url string) ([]byte, error) {
 	resp, err := client.Get(url)
 	if err != nil {
 		return nil, err
 	}
-	defer resp.Body.Close()
 	return io.ReadAll(resp.Body)
""",
    ),
    (
        "close added",
        None,
        """@@ func fetch(url string) ([]byte, error) {
 	resp, err := client.Get(url)
 	if err != nil {
 		return nil, err
 	}
+	defer resp.Body.Close()
 	return io.ReadAll(resp.Body)
""",
    ),
    (
        "with removed",
        "resource_leak",
        """@@ def load(path):
-    with pool.acquire() as conn:
-        return conn.fetch(QUERY)
+    conn = pool.acquire()
+    return conn.fetch(QUERY)
""",
    ),
    (
        "try with resources removed",
        "resource_leak",
        """@@ public Report load() throws SQLException {
-        try (Connection c = dataSource.getConnection()) {
-            return read(c);
-        }
+        Connection c = dataSource.getConnection();
+        return read(c);
""",
    ),
    (
        "finally to plain",
        "resource_leak",
        """@@ def work
     conn = pool.checkout
-    begin
-      conn.exec(sql)
-    ensure
-      pool.checkin(conn)
-    end
+    conn.exec(sql)
+    pool.checkin(conn)
""",
    ),
    (
        "rollback removed",
        "transaction_leak",
        """@@ func (s *Store) Save(ctx context.Context, o Order) error {
 	tx, err := s.db.BeginTx(ctx, nil)
 	if err != nil {
 		return err
 	}
-	defer tx.Rollback()
 	if _, err := tx.ExecContext(ctx, insert, o.ID); err != nil {
 		return err
 	}
 	return tx.Commit()
""",
    ),
    (
        "pool lowered",
        "connection_pool_exhaustion",
        """--- a/application.yaml
+++ b/application.yaml
@@ -3,4 +3,4 @@
 spring:
   datasource:
     hikari:
-      maximum-pool-size: 40
+      maximum-pool-size: 4
""",
    ),
    (
        "pool in go",
        "connection_pool_exhaustion",
        """@@ func open(dsn string) *sql.DB {
-	db.SetMaxOpenConns(50)
+	db.SetMaxOpenConns(3)
""",
    ),
    (
        "client per request",
        "connection_churn",
        """@@ public async Task<Quote> Get(string sku)
-        var response = await _httpClient.GetAsync($"/quotes/{sku}");
+        using var client = new HttpClient { BaseAddress = _base };
+        var response = await client.GetAsync($"/quotes/{sku}");
""",
    ),
    (
        "timeout unit",
        "timeout_too_short unit_mistake",
        """@@ func call(ctx context.Context) error {
-	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
+	ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
 	defer cancel()
""",
    ),
    (
        "timeout cut",
        "timeout_too_short",
        """--- a/config/http.toml
+++ b/config/http.toml
@@ -1,3 +1,3 @@
 [client]
-request_timeout_ms = 3000
+request_timeout_ms = 150
""",
    ),
    (
        "timeout removed",
        "timeout_removed",
        """@@ def quote(sku):
-    return requests.get(f"{BASE}/quotes/{sku}", timeout=2).json()
+    return requests.get(f"{BASE}/quotes/{sku}").json()
""",
    ),
    (
        "timeout added",
        None,
        """@@ def quote(sku):
-    return requests.get(f"{BASE}/quotes/{sku}").json()
+    return requests.get(f"{BASE}/quotes/{sku}", timeout=5).json()
""",
    ),
    (
        "retries raised",
        "retry_amplification",
        """--- a/client.properties
+++ b/client.properties
@@ -1,2 +1,2 @@
-payment.client.max-retries=2
+payment.client.max-retries=10
""",
    ),
    (
        "backoff removed",
        "retry_storm",
        """@@ async def send(event):
     for attempt in range(MAX):
         try:
             return await post(event)
         except Timeout:
-            await asyncio.sleep(2 ** attempt)
+            continue
""",
    ),
    (
        "backoff added",
        None,
        """@@ async def send(event):
     for attempt in range(MAX):
         try:
             return await post(event)
         except Timeout:
-            continue
+            await asyncio.sleep(BASE * 2 ** attempt)
""",
    ),
    (
        "retry forever",
        "retry_storm infinite_loop",
        """@@ func publish(m Msg) {
-	for attempt := 0; attempt < 3; attempt++ {
+	for {
 		if err := send(m); err == nil {
 			return
 		}
 	}
""",
    ),
    (
        "cache ttl",
        "cache_ttl_too_short",
        """@@
-const CATALOG_TTL = 10 * 60;
+const CATALOG_TTL = 10;
""",
    ),
    (
        "cache removed",
        "cache_removed",
        """@@ def price(sku):
-    cached = cache.get(f"price:{sku}")
-    if cached is not None:
-        return cached
-    value = db.fetch_price(sku)
-    cache.set(f"price:{sku}", value, 300)
-    return value
+    return db.fetch_price(sku)
""",
    ),
    (
        "cache key widened",
        "cache_key_too_wide",
        """@@ func (c *Catalog) key(r *http.Request, sku string) string {
-	return "cache:price:" + sku
+	return "cache:price:" + sku + ":" + r.Header.Get("X-Request-Id")
""",
    ),
    (
        "cache added",
        None,
        """@@ def price(sku):
-    return db.fetch_price(sku)
+    cached = cache.get(f"price:{sku}")
+    if cached is not None:
+        return cached
+    value = db.fetch_price(sku)
+    cache.set(f"price:{sku}", value, 300)
+    return value
""",
    ),
    (
        "unbounded cache",
        "unbounded_cache",
        """@@ class Rates {
-  private final Cache<String, Rate> cache = Caffeine.newBuilder().maximumSize(10_000).build();
+  private final Map<String, Rate> cache = new ConcurrentHashMap<>();
""",
    ),
    (
        "nil guard removed",
        "nil_dereference",
        """@@ func greet(u *User) string {
 	p := u.Profile()
-	if p == nil {
-		return "hello"
-	}
 	return "hello " + p.Name
""",
    ),
    (
        "nil guard added",
        None,
        """@@ func greet(u *User) string {
 	p := u.Profile()
+	if p == nil {
+		return "hello"
+	}
 	return "hello " + p.Name
""",
    ),
    (
        "optional chain removed",
        "nil_dereference",
        """@@ function city(order) {
-  return order.address?.city ?? "";
+  return order.address.city;
""",
    ),
    (
        "error ignored",
        "ignored_error",
        """@@ func load(path string) Config {
-	raw, err := os.Open(path)
-	if err != nil {
-		return defaults
-	}
+	raw, _ := os.Open(path)
""",
    ),
    (
        "except removed",
        "unhandled_exception",
        """@@ def notify(order):
-    try:
-        mailer.deliver(order)
-    except MailError:
-        log.warning("mail failed")
+    mailer.deliver(order)
""",
    ),
    (
        "panic",
        "panic",
        """@@ func parse(s string) Plan {
 	plan, err := decode(s)
 	if err != nil {
-		log.Printf("bad plan: %v", err)
-		return Plan{}
+		panic(err)
 	}
""",
    ),
    (
        "regex",
        "regex_backtracking",
        """@@ class EmailValidator
-  PATTERN = /\\A[^@\\s]+@[^@\\s]+\\z/
+  PATTERN = /\\A([a-z0-9]+)*@([a-z0-9]+\\.)+[a-z]+\\z/
""",
    ),
    (
        "sleep added",
        "added_delay",
        """@@ public Order place(Cart cart) {
+        Thread.sleep(500);
         return orders.save(cart.toOrder());
""",
    ),
    (
        "blocking call",
        "event_loop_blocked",
        """@@ router.post('/login', async (req, res) => {
-  const hash = await promisify(crypto.pbkdf2)(req.body.password, salt, 10000, 64, 'sha512');
+  const hash = crypto.pbkdf2Sync(req.body.password, salt, 10000, 64, 'sha512');
""",
    ),
    (
        "lock across call",
        "lock_across_call",
        """@@ func (s *Stock) Reserve(ctx context.Context, sku string) error {
+	s.mu.Lock()
+	defer s.mu.Unlock()
 	level, err := s.warehouse.Level(ctx, sku)
 	if err != nil {
 		return err
 	}
-	s.mu.Lock()
 	s.levels[sku] = level
-	s.mu.Unlock()
 	return nil
""",
    ),
    (
        "mutex removed",
        "data_race",
        """@@ func (c *Counter) Inc(key string) {
-	c.mu.Lock()
-	defer c.mu.Unlock()
 	c.counts[key]++
""",
    ),
    (
        "mutex added to map",
        None,
        """@@ func (c *Counter) Inc(key string) {
+	c.mu.Lock()
+	defer c.mu.Unlock()
 	c.counts[key]++
""",
    ),
    (
        "for update",
        "row_lock_contention",
        """@@ def reserve(sku):
-    row = Stock.objects.get(sku=sku)
+    row = Stock.objects.select_for_update().get(sku=sku)
""",
    ),
    (
        "whole file",
        "loaded_into_memory",
        """@@ func importFile(r io.Reader) error {
-	scanner := bufio.NewScanner(r)
-	for scanner.Scan() {
-		handle(scanner.Text())
-	}
+	raw, err := io.ReadAll(r)
+	if err != nil {
+		return err
+	}
+	for _, line := range strings.Split(string(raw), "\\n") {
+		handle(line)
+	}
""",
    ),
    (
        "memory limit",
        "memory_limit_too_low",
        """--- a/deploy/api.yaml
+++ b/deploy/api.yaml
@@ -20,7 +20,7 @@
         resources:
           limits:
-            memory: 1Gi
+            memory: 256Mi
""",
    ),
    (
        "probe",
        "probe_too_strict",
        """--- a/deploy/api.yaml
+++ b/deploy/api.yaml
@@ -30,6 +30,6 @@
         livenessProbe:
           httpGet:
             path: /healthz
-          timeoutSeconds: 5
+          timeoutSeconds: 1
""",
    ),
    (
        "bcrypt",
        "password_hash_cost",
        """@@
-BCRYPT_ROUNDS = 10
+BCRYPT_ROUNDS = 15
""",
    ),
    (
        "ack removed",
        "messages_not_acknowledged",
        """@@ def on_message(channel, method, body):
     handle(body)
-    channel.basic_ack(delivery_tag=method.delivery_tag)
""",
    ),
    (
        "dead letter removed",
        "poison_message",
        """--- a/queue.tf
+++ b/queue.tf
@@ -1,8 +1,4 @@
 resource "aws_sqs_queue" "orders" {
   name = "orders"
-  redrive_policy = jsonencode({
-    deadLetterTargetArn = aws_sqs_queue.dead.arn
-    maxReceiveCount     = 5
-  })
 }
""",
    ),
    (
        "rate limit",
        "rate_limit_too_low",
        """--- a/gateway.json
+++ b/gateway.json
@@ -1,3 +1,3 @@
 {
-  "rateLimit": 1000,
+  "rateLimit": 10,
""",
    ),
    (
        "breaker removed",
        "circuit_breaker_removed fallback_removed",
        """@@ class PaymentGateway
-    @CircuitBreaker(name = "payments", fallbackMethod = "declined")
     public Receipt charge(Order order) {
""",
    ),
    (
        "flag",
        "feature_flag_on",
        """--- a/flags.yaml
+++ b/flags.yaml
@@ -1,3 +1,3 @@
 checkout-v2:
-  enabled: false
+  enabled: true
""",
    ),
    (
        "tls version",
        "tls_incompatible",
        """--- a/nginx.conf
+++ b/nginx.conf
@@ -1,3 +1,3 @@
 server {
-  ssl_protocols TLSv1.2 TLSv1.3;
+  ssl_protocols TLSv1.3;
""",
    ),
    (
        "audience",
        "token_validation",
        """--- a/config/auth.yaml
+++ b/config/auth.yaml
@@ -1,3 +1,3 @@
 jwt:
-  audience: api.internal
+  audience: api.public
""",
    ),
    (
        "host",
        "wrong_address",
        """--- a/config/prod.yaml
+++ b/config/prod.yaml
@@ -1,3 +1,3 @@
 redis:
-  host: redis-main.data.svc
+  host: redis.data.svc
""",
    ),
    (
        "env var",
        "missing_configuration",
        """@@ func main() {
-	dsn := os.Getenv("DATABASE_URL")
+	dsn := os.Getenv("DB_DSN")
""",
    ),
    (
        "proto tag",
        "message_schema",
        """--- a/order.proto
+++ b/order.proto
@@ -1,4 +1,4 @@
 message Order {
   string id = 1;
-  int64 amount_cents = 2;
+  double amount = 2;
""",
    ),
    (
        "json name",
        "message_schema",
        """@@ type Order struct {
-	UserID string `json:"user_id"`
+	UserID string `json:"userId"`
""",
    ),
    (
        "comparison",
        "flipped_comparison",
        """@@ def eligible(order)
-    order.total >= minimum
+    order.total <= minimum
""",
    ),
    (
        "cents",
        "unit_mistake",
        """@@ function charge(order) {
-  return stripe.charges.create({ amount: Math.round(order.total * 100), currency: order.currency });
+  return stripe.charges.create({ amount: Math.round(order.total), currency: order.currency });
""",
    ),
    (
        "replicas",
        "too_few_replicas",
        """--- a/deploy/web.yaml
+++ b/deploy/web.yaml
@@ -5,3 +5,3 @@
 spec:
-  replicas: 6
+  replicas: 1
""",
    ),
    (
        "batch size",
        "batching_removed",
        """@@
-    private static final int BATCH_SIZE = 500;
+    private static final int BATCH_SIZE = 1;
""",
    ),
    (
        "debug",
        "debug_logging",
        """--- a/log.properties
+++ b/log.properties
@@ -1 +1 @@
-logging.level.root=WARN
+logging.level.root=DEBUG
""",
    ),
    (
        "major upgrade",
        "dependency_upgrade",
        """--- a/package.json
+++ b/package.json
@@ -5,3 +5,3 @@
   "dependencies": {
-    "ioredis": "^4.28.0",
+    "ioredis": "^5.3.0",
""",
    ),
    (
        "patch upgrade",
        None,
        """--- a/requirements.txt
+++ b/requirements.txt
@@ -1,2 +1,2 @@
-httpx==0.27.0
+httpx==0.27.2
""",
    ),
    (
        "docs",
        None,
        """--- a/docs/runbook.md
+++ b/docs/runbook.md
@@ -1 +1 @@
-timeout: 5s
+timeout: 1s
""",
    ),
    (
        "tests",
        None,
        """--- a/internal/store/store_test.go
+++ b/internal/store/store_test.go
@@ -1,3 +1,2 @@
-	defer db.Close()
 	panic("boom")
""",
    ),
    (
        "comment",
        None,
        """@@ func main() {
-	// listen on the port of the environment
+	// Listens on the port that the environment names.
 	listen()
""",
    ),
    (
        "css",
        None,
        """--- a/web/app.css
+++ b/web/app.css
@@ -1 +1 @@
-.button { margin: 4px; }
+.button { margin: 8px; }
""",
    ),
    (
        "rename",
        None,
        """@@ func sum(xs []int) int {
-	t := 0
-	for _, x := range xs {
-		t += x
-	}
-	return t
+	total := 0
+	for _, x := range xs {
+		total += x
+	}
+	return total
""",
    ),
    (
        "log text",
        None,
        """@@ def handle(event):
-    logger.info("event handled %s", event.id)
+    logger.info("handled event %s", event.id)
""",
    ),
    (
        "metrics",
        None,
        """@@ func (s *Server) Handle(w http.ResponseWriter, r *http.Request) {
+	requestCounter.WithLabelValues(r.Method).Inc()
 	s.next.ServeHTTP(w, r)
""",
    ),
    (
        "layout",
        None,
        """@@ const config = {
-  retries: 3, timeout: 500,
+  retries: 3,
+  timeout: 500,
 };
""",
    ),
    (
        "helper extracted",
        None,
        """@@ func (s *Server) Create(w http.ResponseWriter, r *http.Request) {
-	w.Header().Set("Content-Type", "application/json")
-	w.WriteHeader(http.StatusCreated)
-	json.NewEncoder(w).Encode(order)
+	writeJSON(w, http.StatusCreated, order)
 }
+
+func writeJSON(w http.ResponseWriter, status int, v any) {
+	w.Header().Set("Content-Type", "application/json")
+	w.WriteHeader(status)
+	json.NewEncoder(w).Encode(v)
+}
""",
    ),
    (
        "close moved to defer",
        None,
        """@@ func read(path string) ([]byte, error) {
 	f, err := os.Open(path)
 	if err != nil {
 		return nil, err
 	}
+	defer f.Close()
 	data, err := decode(f)
-	f.Close()
 	return data, err
""",
    ),
    (
        "batch introduced",
        None,
        """@@ func (s *Service) Assemble(ctx context.Context, order *Order) error {
-	for _, id := range ids {
-		item, err := s.catalog.GetItem(ctx, id)
-		if err != nil {
-			return err
-		}
-		order.Items = append(order.Items, item)
-	}
+	items, err := s.catalog.BatchGetItems(ctx, ids)
+	if err != nil {
+		return err
+	}
+	order.Items = items
""",
    ),
    (
        "early return style",
        None,
        """@@ func find(id string) *User {
-	if u, ok := users[id]; ok {
-		return u
-	} else {
-		return nil
-	}
+	u, ok := users[id]
+	if !ok {
+		return nil
+	}
+	return u
""",
    ),
    (
        "type hints",
        None,
        """--- a/app/prices.py
+++ b/app/prices.py
@@ -1,4 +1,4 @@
-def price(sku):
+def price(sku: str) -> int:
     return table[sku]
""",
    ),
    (
        "const extracted",
        None,
        """@@
+const maxItems = 100
+
 func list() []Item {
-	return items.Take(100)
+	return items.Take(maxItems)
""",
    ),
    (
        "ci",
        None,
        """--- a/.github/workflows/ci.yml
+++ b/.github/workflows/ci.yml
@@ -1,2 +1,2 @@
-    timeout-minutes: 30
+    timeout-minutes: 5
""",
    ),
    (
        "imports sorted",
        None,
        """--- a/app/main.py
+++ b/app/main.py
@@ -1,3 +1,3 @@
-import os
 import json
+import os
""",
    ),
    (
        "new field with default",
        None,
        """--- a/order.proto
+++ b/order.proto
@@ -1,3 +1,4 @@
 message Order {
   string id = 1;
+  string note = 7;
""",
    ),
    (
        "new nullable column",
        None,
        """--- /dev/null
+++ b/migrations/V20__note.sql
@@ -0,0 +1 @@
+ALTER TABLE orders ADD COLUMN note text;
""",
    ),
    (
        "json field added",
        None,
        """@@ type Order struct {
 	ID string `json:"id"`
+	Note string `json:"note,omitempty"`
""",
    ),
    (
        "loop style",
        None,
        """@@ List<String> names(List<User> users) {
-        List<String> out = new ArrayList<>();
-        for (User u : users) {
-            out.add(u.getName());
-        }
-        return out;
+        return users.stream().map(User::getName).toList();
""",
    ),
    (
        "string formatting",
        None,
        """@@ def greeting(user):
-    return "Hello, %s" % user.name
+    return f"Hello, {user.name}"
""",
    ),
    (
        "annotation label",
        None,
        """--- a/deploy/web.yaml
+++ b/deploy/web.yaml
@@ -3,3 +3,4 @@
 metadata:
   annotations:
+    team: payments
""",
    ),
    (
        "button text",
        None,
        """--- a/web/Button.tsx
+++ b/web/Button.tsx
@@ -1,3 +1,3 @@
 export function Button() {
-  return <button className="primary">Buy</button>;
+  return <button className="primary">Buy now</button>;
""",
    ),
    (
        "error wrapped",
        None,
        """@@ func load(id string) (*User, error) {
 	u, err := repo.Find(id)
 	if err != nil {
-		return nil, err
+		return nil, fmt.Errorf("find user %s: %w", id, err)
 	}
""",
    ),
    (
        "dead code removed",
        None,
        """@@ class Prices
-  def unused_helper(value)
-    value.to_s.rjust(8)
-  end
-
   def total
""",
    ),
    (
        "variable inlined",
        None,
        """@@ public int area() {
-        int result = width * height;
-        return result;
+        return width * height;
""",
    ),
)


def guilty(readings: tuple[Reading, ...]) -> set[str]:
    """Return the mechanisms of the strongest readings that matter."""
    top = max((r.weight for r in readings), default=0.0)
    return {r.mechanism for r in readings if r.weight >= 1.6 and r.weight >= top - 0.45}
