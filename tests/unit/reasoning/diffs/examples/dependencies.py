"""Examples of dependencies and runtimes that became others."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples

EXAMPLES: Mapping[str, Examples] = {
    "dependency": Examples(
        reads=(
            """--- a/go.mod
+++ b/go.mod
@@ -5,3 +5,3 @@ require (
 require (
-    github.com/jackc/pgx/v5 v5.5.4
+    github.com/jackc/pgx/v5 v5.2.0
     go.uber.org/zap v1.27.0
""",
            """--- a/services/tickets/package.json
+++ b/services/tickets/package.json
@@ -10,3 +10,3 @@
   "dependencies": {
-    "axios": "^0.27.2",
+    "axios": "^1.7.2",
     "pino": "^9.0.0"
""",
            """--- a/requirements.txt
+++ b/requirements.txt
@@ -1,3 +1,3 @@
-sqlalchemy==1.4.52
+sqlalchemy==2.0.31
 structlog==24.1.0
""",
            """--- a/Gemfile
+++ b/Gemfile
@@ -3,3 +3,2 @@
 gem "rack", "~> 3.0"
-gem "rack-timeout", "~> 0.6"
 gem "puma", "~> 6.4"
""",
        ),
        ignores=(
            """--- a/go.mod
+++ b/go.mod
@@ -5,3 +5,3 @@ require (
 require (
-    github.com/jackc/pgx/v5 v5.5.4 // indirect
+    github.com/jackc/pgx/v5 v5.5.4
     go.uber.org/zap v1.27.0
""",
            """--- a/services/tickets/package.json
+++ b/services/tickets/package.json
@@ -10,5 +10,5 @@
   "dependencies": {
-    "axios": "^1.7.2",
     "pino": "^9.0.0",
+    "axios": "~1.7.2",
     "zod": "^3.23.0"
""",
            """--- a/requirements.txt
+++ b/requirements.txt
@@ -1,3 +1,3 @@
-# sqlalchemy 1.4.52 is pinned until the models are moved
+# sqlalchemy 2.0.31 has the models moved
 sqlalchemy==2.0.31
""",
            """--- a/internal/export/banner.py
+++ b/internal/export/banner.py
@@ -1,2 +1,2 @@
-BANNER = "export tool 1.4.0, axios 0.27.2"
+BANNER = "export tool 2.0.0, axios 1.7.2"
 WIDTH = 80
""",
        ),
    ),
}
