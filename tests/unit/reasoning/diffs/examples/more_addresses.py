"""More examples of addresses: links, targets, listeners, names' resolution, proxies."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples

MORE: Mapping[str, Examples] = {
    "variable_removed": Examples(
        reads=(
            """--- a/deploy/mail/deployment.yaml
+++ b/deploy/mail/deployment.yaml
@@ -9,5 +9,3 @@ containers:
     env:
-      - name: MAIL_RELAY
-        value: relay.harbour
     resources: {}
""",
            """--- a/Dockerfile
+++ b/Dockerfile
@@ -3,3 +3,2 @@
 WORKDIR /mail
-ENV MAIL_TEMPLATES=/mail/templates
 CMD ["./mail"]
""",
        ),
        ignores=(
            """--- a/deploy/mail/deployment.yaml
+++ b/deploy/mail/deployment.yaml
@@ -9,3 +9,5 @@ containers:
     env:
+      - name: MAIL_RELAY
+        value: relay.harbour
     resources: {}
""",
            """--- a/Dockerfile
+++ b/Dockerfile
@@ -3,4 +3,3 @@
-# ENV MAIL_TEMPLATES is set by the chart
-ENV MAIL_TEMPLATES=/mail/templates
 WORKDIR /mail
+ENV MAIL_TEMPLATES=/mail/templates
""",
        ),
    ),
    "link_changed": Examples(
        reads=(
            """--- a/server/stock.js
+++ b/server/stock.js
@@ -4,2 +4,2 @@ async function stockOf(sku) {
-  const res = await fetch('http://stock.depot:8080/skus/' + sku);
+  const res = await fetch('http://stock.depot:9090/skus/' + sku);
   return res.json();
""",
            """--- a/internal/stock/dial.go
+++ b/internal/stock/dial.go
@@ -5,2 +5,2 @@ func dial(opts ...grpc.DialOption) (*grpc.ClientConn, error) {
-    return grpc.NewClient("stock:50051", opts...)
+    return grpc.NewClient("stock-canary:50051", opts...)
 }
""",
        ),
        ignores=(
            """--- a/server/stock.js
+++ b/server/stock.js
@@ -4,2 +4,2 @@ async function stockOf(sku) {
-  const res = await fetch('http://stock.depot:8080/skus/' + sku);
+  const res = await fetch('http://stock.depot:8080/skus/' + sku, { signal });
   return res.json();
""",
            """--- a/stock/errors.py
+++ b/stock/errors.py
@@ -2,2 +2,2 @@ class OutOfStock(Exception):
-    help_link = "https://docs.depot.example/out-of-stock"
+    help_link = "https://docs.depot.example/stock/empty"
     code = "empty"
""",
        ),
    ),
    "nginx_target_changed": Examples(
        reads=(
            """--- a/edge/boarding.conf
+++ b/edge/boarding.conf
@@ -3,3 +3,3 @@ location /boarding/ {
 location /boarding/ {
-    proxy_pass http://boarding/;
+    proxy_pass http://boarding;
 }
""",
            """--- a/edge/static.conf
+++ b/edge/static.conf
@@ -3,3 +3,3 @@ server {
 server {
-    root /srv/www;
+    root /srv/web;
     index index.html;
""",
        ),
        ignores=(
            """--- a/edge/static.conf
+++ b/edge/static.conf
@@ -3,3 +3,3 @@ server {
 server {
-    listen 443 ssl;
+    listen 443 ssl http2;
     index index.html;
""",
            """--- a/edge/boarding.conf
+++ b/edge/boarding.conf
@@ -3,4 +3,4 @@ location /boarding/ {
-    # proxy_pass http://boarding-old/;
+    # proxy_pass without a path keeps the prefix
     proxy_pass http://boarding/;
 }
""",
        ),
    ),
    "listener_bound_narrowly": Examples(
        reads=(
            """--- a/cmd/gate/main.go
+++ b/cmd/gate/main.go
@@ -6,2 +6,2 @@ func main() {
-    log.Fatal(http.ListenAndServe(":8080", mux()))
+    log.Fatal(http.ListenAndServe("localhost:8080", mux()))
 }
""",
            """--- a/gate/__main__.py
+++ b/gate/__main__.py
@@ -4,2 +4,2 @@ def serve():
-    uvicorn.run(app, host="0.0.0.0", port=8000)
+    uvicorn.run(app, host="127.0.0.1", port=8000)
""",
        ),
        ignores=(
            """--- a/gate/__main__.py
+++ b/gate/__main__.py
@@ -4,2 +4,2 @@ def serve():
-    uvicorn.run(app, host="127.0.0.1", port=8000)
+    uvicorn.run(app, host="0.0.0.0", port=8000)
""",
            """--- a/src/main.rs
+++ b/src/main.rs
@@ -7,2 +7,2 @@ async fn serve(gate: Gate) {
-    tracing::info!("gate is ready");
+    tracing::info!("gate is ready, try http://localhost/health");
     gate.run().await;
""",
        ),
    ),
    "resolution_changed": Examples(
        reads=(
            """--- a/deploy/gate/deployment.yaml
+++ b/deploy/gate/deployment.yaml
@@ -9,4 +9,3 @@ spec:
     spec:
-      dnsPolicy: ClusterFirst
+      dnsPolicy: Default
       containers:
""",
            """--- a/edge/boarding.conf
+++ b/edge/boarding.conf
@@ -2,3 +2,2 @@ http {
-    resolver 10.96.0.10 valid=10s;
     keepalive_timeout 30s;
""",
        ),
        ignores=(
            """--- a/graph/seats.ts
+++ b/graph/seats.ts
@@ -4,2 +4,2 @@ export function seats() {
-  const resolver = makeResolver('seat');
+  const resolver = makeResolver('seats');
   return resolver;
""",
            """--- a/deploy/gate/deployment.yaml
+++ b/deploy/gate/deployment.yaml
@@ -9,3 +9,3 @@ spec:
     spec:
-      # ndots and dnsPolicy: see the platform's notes
+      # dnsConfig is left to the platform
       containers:
""",
        ),
    ),
    "proxy_set": Examples(
        reads=(
            """--- a/Dockerfile
+++ b/Dockerfile
@@ -2,2 +2,3 @@
 WORKDIR /gate
+ENV HTTPS_PROXY=http://egress.harbour:3128
 CMD ["./gate"]
""",
            """--- a/deploy/gate/values.yaml
+++ b/deploy/gate/values.yaml
@@ -2,3 +2,3 @@ env:
 env:
-  NO_PROXY: .svc,.harbour,10.0.0.0/8
+  NO_PROXY: .svc,10.0.0.0/8
   LANG: C
""",
        ),
        ignores=(
            """--- a/gate/settings.py
+++ b/gate/settings.py
@@ -2,2 +2,2 @@
-trusted_proxies = ["10.0.0.1"]
+trusted_proxies = ["10.0.0.1", "10.0.0.2"]
 debug = False
""",
            """--- a/gate/net.py
+++ b/gate/net.py
@@ -5,2 +5,3 @@ def session():
+    # http_proxy of the machine is not for us
+    logger.info("ignoring http_proxy of the environment")
     return Session(trust_env=False)
""",
        ),
    ),
}
