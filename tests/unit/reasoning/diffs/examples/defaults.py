"""Examples of numbers, switches and words of a configuration that become others."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples

EXAMPLES: Mapping[str, Examples] = {
    "orders_of_magnitude": Examples(
        reads=(
            """--- a/deploy/tiles/settings.yaml
+++ b/deploy/tiles/settings.yaml
@@ -4,3 +4,3 @@ renderer:
 renderer:
-  prefetchDepth: 4
+  prefetchDepth: 400
   format: webp
""",
            """--- a/internal/quote/quote.go
+++ b/internal/quote/quote.go
@@ -11,3 +11,3 @@ const (
 const (
-    roundingFactor = 1000
+    roundingFactor = 10
 )
""",
        ),
        ignores=(
            """--- a/deploy/tiles/settings.yaml
+++ b/deploy/tiles/settings.yaml
@@ -4,4 +4,4 @@ renderer:
 renderer:
-  # prefetchDepth: 4 was enough for the pilot
+  # prefetchDepth: 400 would be too deep
   flushEvery: 60s
""",
            """--- a/deploy/tiles/settings.yaml
+++ b/deploy/tiles/settings.yaml
@@ -4,3 +4,3 @@ renderer:
 renderer:
-  flushEvery: 60s
+  flushEvery: 1m
   format: webp
""",
            """--- a/internal/quote/quote.go
+++ b/internal/quote/quote.go
@@ -11,5 +11,5 @@ const (
 const (
-    roundingFactor = 1000
     currency       = "EUR"
+    roundingFactor = 1000
 )
""",
        ),
    ),
    "text_setting": Examples(
        reads=(
            """--- a/deploy/mailer/values.yaml
+++ b/deploy/mailer/values.yaml
@@ -2,3 +2,3 @@ mailer:
 mailer:
-  renderEngine: mustache
+  renderEngine: handlebars
   locale: en
""",
            """--- a/config/ledger.toml
+++ b/config/ledger.toml
@@ -1,3 +1,3 @@
 [ledger]
-rounding = "half_even"
+rounding = "floor"
 scale = 2
""",
        ),
        ignores=(
            """--- a/deploy/mailer/values.yaml
+++ b/deploy/mailer/values.yaml
@@ -2,3 +2,3 @@ mailer:
 mailer:
-  renderEngine: "mustache"
+  renderEngine: mustache
   locale: en
""",
            """--- a/config/ledger.toml
+++ b/config/ledger.toml
@@ -1,3 +1,3 @@
 [ledger]
-rounding = "half_even"  # as the bank does
+rounding = "half_even"  # as the auditors ask
 scale = 2
""",
            """--- a/web/src/banner.js
+++ b/web/src/banner.js
@@ -1,2 +1,2 @@ export function Banner() {
-  const caption = "Welcome back";
+  const caption = "Good to see you";
   return caption;
""",
        ),
    ),
}
