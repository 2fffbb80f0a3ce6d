"""Examples of hosts, ports, paths, topics and variables that now point elsewhere."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples
from tests.unit.reasoning.diffs.examples.more_addresses import MORE

EXAMPLES: Mapping[str, Examples] = {
    "address_changed": Examples(
        reads=(
            """--- a/deploy/ferry/values.yaml
+++ b/deploy/ferry/values.yaml
@@ -3,3 +3,3 @@ tides:
 tides:
-  host: tides-db.harbour
+  host: tides-db.harbor
   poolSize: 8
""",
            """--- a/src/main/resources/application.properties
+++ b/src/main/resources/application.properties
@@ -1,2 +1,2 @@
-kelp.bootstrap.servers=kelp-0:9092,kelp-1:9092
+kelp.bootstrap.servers=kelp-old-0:9092
 kelp.acks=all
""",
        ),
        ignores=(
            """--- a/deploy/ferry/values.yaml
+++ b/deploy/ferry/values.yaml
@@ -3,3 +3,3 @@ tides:
 tides:
-  host: "tides-db.harbour"  # old name: tides-db.port
+  host: tides-db.harbour
   poolSize: 8
""",
            """--- a/web/src/form.ts
+++ b/web/src/form.ts
@@ -3,3 +3,3 @@ export const labels = {
 export const labels = {
-  addressLabel: 'Street',
+  addressLabel: 'Street and number',
 };
""",
        ),
    ),
    "address_gone": Examples(
        reads=(
            """--- a/deploy/ferry/config.yaml
+++ b/deploy/ferry/config.yaml
@@ -2,4 +2,3 @@ tides:
 tides:
-  url: http://tides.harbour
   retries: 2
""",
            """--- a/ferry.properties
+++ b/ferry.properties
@@ -1,3 +1,2 @@
 ferry.name=blue
-ferry.ticket.queue=ferry-tickets
 ferry.seats=80
""",
        ),
        ignores=(
            """--- a/deploy/ferry/config.yaml
+++ b/deploy/ferry/config.yaml
@@ -2,3 +2,4 @@ tides:
 tides:
+  url: http://tides.harbour
   retries: 2
""",
            """--- a/ferry.properties
+++ b/ferry.properties
@@ -1,4 +1,3 @@
-ferry.ticket.queue=ferry-tickets
-# ferry.ticket.url=http://tickets.harbour
 ferry.name=blue
+ferry.ticket.queue=ferry-tickets
""",
        ),
    ),
    "port_changed": Examples(
        reads=(
            """--- a/deploy/ferry/service.yaml
+++ b/deploy/ferry/service.yaml
@@ -6,4 +6,4 @@ spec:
   ports:
     - name: http
-      targetPort: 8080
+      targetPort: 8090
""",
            """--- a/Dockerfile
+++ b/Dockerfile
@@ -6,3 +6,3 @@
 COPY ferry /ferry
-EXPOSE 8080
+EXPOSE 8000
 CMD ["/ferry"]
""",
        ),
        ignores=(
            """--- a/deploy/ferry/service.yaml
+++ b/deploy/ferry/service.yaml
@@ -6,4 +6,4 @@ spec:
   ports:
     - name: http
-      targetPort: 8080
+      targetPort: 8080  # was 8090 before the merge
""",
            """--- a/web/src/capture.ts
+++ b/web/src/capture.ts
@@ -3,3 +3,3 @@ export const shot = {
 export const shot = {
-  viewport: 'narrow',
+  viewport: 'wide',
 };
""",
        ),
    ),
    "channel_renamed": Examples(
        reads=(
            """--- a/src/Tickets.java
+++ b/src/Tickets.java
@@ -8,3 +8,3 @@ class Tickets {
-    private static final String TICKET_TOPIC = "tickets.sold";
+    private static final String TICKET_TOPIC = "tickets.sold.v2";
     void publish(Ticket ticket) {
""",
            """--- a/deploy/punch/values.yaml
+++ b/deploy/punch/values.yaml
@@ -2,3 +2,3 @@ consumer:
 consumer:
-  groupId: punch-cards
+  groupId: punch-cards-blue
   batch: 50
""",
        ),
        ignores=(
            """--- a/mail/receipt.py
+++ b/mail/receipt.py
@@ -3,3 +3,3 @@ class Receipt:
-    subject = "Your ferry ticket"
+    subject = "Your ticket for the ferry"
     template = "receipt"
""",
            """--- a/deploy/punch/values.yaml
+++ b/deploy/punch/values.yaml
@@ -2,4 +2,4 @@ consumer:
 consumer:
-  groupId: punch-cards
   batch: 50
+  groupId: "punch-cards"
""",
        ),
    ),
    "path_changed": Examples(
        reads=(
            """--- a/deploy/gate/ingress.yaml
+++ b/deploy/gate/ingress.yaml
@@ -8,3 +8,3 @@ http:
 paths:
-  - path: /boarding
+  - path: /boarding/v2
     pathType: Prefix
""",
            """--- a/config/gate.toml
+++ b/config/gate.toml
@@ -1,3 +1,3 @@
 [gate]
-data_dir = "/var/lib/gate"
+data_dir = "/srv/gate"
""",
        ),
        ignores=(
            """--- a/deploy/gate/ingress.yaml
+++ b/deploy/gate/ingress.yaml
@@ -8,3 +8,3 @@ http:
 paths:
-  - path: /boarding
+  - path: "/boarding"  # and not /boarding/v2
     pathType: Prefix
""",
            """--- a/config/gate.toml
+++ b/config/gate.toml
@@ -4,2 +4,2 @@
 [logs]
-log_dir = "/var/log/gate"
+log_dir = "/srv/log/gate"
""",
        ),
    ),
    "name_of_object_changed": Examples(
        reads=(
            """--- a/deploy/gate/service.yaml
+++ b/deploy/gate/service.yaml
@@ -5,4 +5,4 @@ spec:
   selector:
-    app: gate
+    app: gate-web
   ports:
""",
            """--- a/deploy/gate/deployment.yaml
+++ b/deploy/gate/deployment.yaml
@@ -9,3 +9,3 @@ spec:
     spec:
-      serviceAccountName: gate
+      serviceAccountName: default
       containers:
""",
        ),
        ignores=(
            """--- a/deploy/gate/deployment.yaml
+++ b/deploy/gate/deployment.yaml
@@ -5,4 +5,4 @@ metadata:
   labels:
-    helm.sh/chart: gate-1.4.0
+    helm.sh/chart: gate-1.4.1
     app: gate
""",
            """--- a/deploy/gate/service.yaml
+++ b/deploy/gate/service.yaml
@@ -5,4 +5,4 @@ spec:
   selector:
-    app: 'gate'  # app: gate-web until June
+    app: gate
   ports:
""",
        ),
    ),
    "variable_renamed": Examples(
        reads=(
            """--- a/internal/conf/conf.go
+++ b/internal/conf/conf.go
@@ -6,3 +6,3 @@ func Load() Conf {
     return Conf{
-        Tides: os.Getenv("TIDES_URL"),
+        Tides: os.Getenv("TIDES_BASE_URL"),
     }
""",
            """--- a/src/Mail.java
+++ b/src/Mail.java
@@ -6,3 +6,3 @@ class Mail {
-    @Value("${mail.relay}")
+    @Value("${mail.smtp.relay}")
     private String relay;
""",
        ),
        ignores=(
            """--- a/internal/conf/conf.go
+++ b/internal/conf/conf.go
@@ -6,3 +6,3 @@ func Load() Conf {
     return Conf{
-        Tides: os.Getenv("TIDES_URL"),
+        Tides: strings.TrimSpace(os.Getenv("TIDES_URL")),
     }
""",
            """--- a/server/conf.js
+++ b/server/conf.js
@@ -2,2 +2,2 @@
-const relay = process.env.MAIL_RELAY;
+const relay = process.env.SMTP_RELAY ?? process.env.MAIL_RELAY;
 module.exports = { relay };
""",
        ),
    ),
} | dict(MORE)
