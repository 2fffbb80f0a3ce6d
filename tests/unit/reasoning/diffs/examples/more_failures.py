"""More examples of failures: what is swallowed, has no way out, or is not waited for."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples

MORE: Mapping[str, Examples] = {
    "error_swallowed": Examples(
        reads=(
            """--- a/billing/vat.py
+++ b/billing/vat.py
@@ -8,4 +8,4 @@ def vat(country):
     try:
         return rates.lookup(country)
     except RateMissing:
-        raise
+        return 0
""",
            """--- a/internal/vat/vat.go
+++ b/internal/vat/vat.go
@@ -6,4 +6,4 @@ func Rate(country string) (*Vat, error) {
     rate, err := lookup(country)
     if err != nil {
-        return nil, err
+        return nil, nil
     }
""",
        ),
        ignores=(
            """--- a/internal/vat/vat.go
+++ b/internal/vat/vat.go
@@ -6,4 +6,4 @@ func Rate(country string) (*Vat, error) {
     rate, err := lookup(country)
     if err != nil {
-        return nil, nil
+        return nil, err
     }
""",
            """--- a/billing/vat.py
+++ b/billing/vat.py
@@ -3,3 +3,3 @@ class NoVat(VatPolicy):
     def exemptions(self):
-        raise NotImplementedError
+        return []
""",
        ),
    ),
    "fallback_removed": Examples(
        reads=(
            """--- a/src/Avatars.java
+++ b/src/Avatars.java
@@ -9,3 +9,3 @@ class Avatars {
-    @CircuitBreaker(name = "avatars", fallbackMethod = "initials")
+    @CircuitBreaker(name = "avatars")
     public Avatar avatarOf(String user) {
""",
            """--- a/deploy/edge.conf
+++ b/deploy/edge.conf
@@ -4,4 +4,3 @@ location /catalog {
     proxy_cache catalog;
-    proxy_cache_use_stale error timeout updating;
     proxy_cache_valid 200 1m;
 }
""",
        ),
        ignores=(
            """--- a/src/Avatars.java
+++ b/src/Avatars.java
@@ -9,3 +9,3 @@ class Avatars {
-    @CircuitBreaker(name = "avatars")
+    @CircuitBreaker(name = "avatars", fallbackMethod = "initials")
     public Avatar avatarOf(String user) {
""",
            """--- a/avatars/load.py
+++ b/avatars/load.py
@@ -9,3 +9,2 @@ def initials(user):
-    logger.info("serving the fallback avatar for %s", user.id)
     return Avatar(user.name[:2])
""",
            """--- a/web/Actions.tsx
+++ b/web/Actions.tsx
@@ -4,3 +4,3 @@ export function Actions() {
-  return <Button variant="secondary">Later</Button>;
+  return <Button variant="plain">Later</Button>;
 }
""",
        ),
    ),
    "status_code_changed": Examples(
        reads=(
            """--- a/server/slots.js
+++ b/server/slots.js
@@ -7,3 +7,3 @@ router.get('/slots', async (req, res) => {
   if (!slots.length)
-    return res.status(200).json([]);
+    return res.status(404).json([]);
""",
            """--- a/internal/slots/http.go
+++ b/internal/slots/http.go
@@ -9,3 +9,3 @@ func (h *Handler) Hold(w http.ResponseWriter, r *http.Request) {
     if taken {
-        w.WriteHeader(http.StatusConflict)
+        w.WriteHeader(http.StatusInternalServerError)
     }
""",
        ),
        ignores=(
            """--- a/server/slots.js
+++ b/server/slots.js
@@ -7,3 +7,3 @@ router.get('/slots', async (req, res) => {
   if (!slots.length)
-    return res.status(404).json([]);
+    return res.status(200).json([]);
""",
            """--- a/internal/slots/http.go
+++ b/internal/slots/http.go
@@ -9,3 +9,3 @@ func (h *Handler) Hold(w http.ResponseWriter, r *http.Request) {
     if id == "" {
-        http.Error(w, "bad id", http.StatusBadRequest)
+        http.Error(w, "the slot's id is missing", http.StatusBadRequest)
     }
""",
        ),
    ),
    "init_order_changed": Examples(
        reads=(
            """--- a/compose.yaml
+++ b/compose.yaml
@@ -4,5 +4,3 @@ services:
   ferry:
     image: ferry:3
-    depends_on:
-      - tides-db
     restart: always
""",
            """--- a/src/Tides.java
+++ b/src/Tides.java
@@ -6,4 +6,3 @@ class Tides {
-    @PostConstruct
     void loadTable() {
         table = reader.readAll();
""",
        ),
        ignores=(
            """--- a/src/Tides.java
+++ b/src/Tides.java
@@ -6,3 +6,4 @@ class Tides {
+    @PostConstruct
     void loadTable() {
         table = reader.readAll();
""",
            """--- a/server/boot.js
+++ b/server/boot.js
@@ -3,3 +3,3 @@ async function boot() {
-  await tidesDb.connect();
+  await tidesDb.connect({ appName: 'ferry' });
   app.listen(port);
""",
        ),
    ),
    "await_removed": Examples(
        reads=(
            """--- a/server/refund.js
+++ b/server/refund.js
@@ -5,3 +5,3 @@ async function refund(order) {
-  await ledger.credit(order.total);
+  ledger.credit(order.total);
   return order.id;
""",
            """--- a/internal/scan/scan.go
+++ b/internal/scan/scan.go
@@ -12,4 +12,3 @@ func Scan(shelves []Shelf) []Count {
         go count(shelf, &wg, out)
     }
-    wg.Wait()
     return collect(out)
""",
        ),
        ignores=(
            """--- a/server/refund.js
+++ b/server/refund.js
@@ -5,3 +5,3 @@ async function refund(order) {
-  ledger.credit(order.total);
+  await ledger.credit(order.total);
   return order.id;
""",
            """--- a/server/refund.js
+++ b/server/refund.js
@@ -15,2 +15,2 @@ async function receiptOf(order) {
-  return await ledger.receipt(order.id);
+  return ledger.receipt(order.id);
 }
""",
            """--- a/tools/load.js
+++ b/tools/load.js
@@ -3,2 +3,2 @@ export async function load(path) {
-  const raw = await fs.promises.readFile(path, 'utf8');
+  const raw = fs.readFileSync(path, 'utf8');
   return JSON.parse(raw);
""",
        ),
    ),
}
