"""More examples of access: tokens, secrets, headers, permissions, networks, privileges."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples

MORE: Mapping[str, Examples] = {
    "token_check_changed": Examples(
        reads=(
            "--- a/auth.go\n+++ b/auth.go\n@@\n opts := []jwt.ParserOption{\n"
            '+    jwt.WithAudience("ferry"),\n }\n',
            "--- a/auth.py\n+++ b/auth.py\n@@\n-claims = decode(raw, key, algorithms=['HS256'])\n"
            "+claims = decode(raw, key, algorithms=['RS256'])\n",
            "--- a/sign.js\n+++ b/sign.js\n@@\n const header = {\n-  kid: current,\n };\n",
            "--- a/Auth.cs\n+++ b/Auth.cs\n@@\n-  ValidateAudience = false,\n"
            "+  ValidateAudience = true,\n",
        ),
        ignores=(
            "--- a/auth.go\n+++ b/auth.go\n@@\n+    // jwt.WithAudience is for the gateway\n x()\n",
            "--- a/auth.py\n+++ b/auth.py\n@@\n-algorithms = ['RS256']\n leave = 1\n"
            '+algorithms  = ["RS256"]\n',
            '--- a/auth.go\n+++ b/auth.go\n@@\n-    jwt.WithAudience("ferry"),\n x,\n',
            "--- a/auth.py\n+++ b/auth.py\n@@\n+    leeway=30,\n x,\n",
            "--- a/auth.py\n+++ b/auth.py\n@@\n+    who = claims['sub']\n x()\n",
            "--- a/Auth.cs\n+++ b/Auth.cs\n@@\n-  ValidateAudience = true,\n"
            "+  ValidateAudience = false,\n",
        ),
    ),
    "clock_tolerance_removed": Examples(
        reads=(
            "--- a/auth.go\n+++ b/auth.go\n@@\n-    jwt.WithLeeway(time.Minute),\n x,\n",
            "--- a/auth.js\n+++ b/auth.js\n@@\n-  clockTolerance: 30,\n   issuer,\n",
        ),
        ignores=(
            "--- a/auth.go\n+++ b/auth.go\n@@\n+    jwt.WithLeeway(time.Minute),\n x,\n",
            "--- a/auth.js\n+++ b/auth.js\n@@\n-  clockTolerance: 30,\n+  clockTolerance: 60,\n",
        ),
    ),
    "token_life_cut": Examples(
        reads=(
            "--- a/auth.yaml\n+++ b/auth.yaml\n@@\n-accessTokenTtl: 1h\n+accessTokenTtl: 1m\n",
            "--- a/auth.py\n+++ b/auth.py\n@@\n-SESSION_LIFETIME_SECONDS = 3600\n"
            "+SESSION_LIFETIME_SECONDS = 36\n",
        ),
        ignores=(
            "--- a/auth.yaml\n+++ b/auth.yaml\n@@\n-accessTokenTtl: 1m\n+accessTokenTtl: 1h\n",
            "--- a/auth.py\n+++ b/auth.py\n@@\n-SESSION_LIFETIME_SECONDS = 3600\n"
            "+SESSION_LIFETIME_SECONDS = 60 * 60\n",
        ),
    ),
    "secret_changed": Examples(
        reads=(
            "--- a/db.yaml\n+++ b/db.yaml\n@@\n-existingSecret: tides-db\n+existingSecret: tides\n",
            "--- a/db.properties\n+++ b/db.properties\n@@\n-db.username=ferry\n+db.username=ferry_ro\n",
        ),
        ignores=(
            "--- a/db.yaml\n+++ b/db.yaml\n@@\n-existingSecret: 'tides'\n+existingSecret: tides\n",
            "--- a/db.properties\n+++ b/db.properties\n@@\n-# db.username=ferry\n+# db.username=me\n",
        ),
    ),
    "secret_reference_changed": Examples(
        reads=(
            "--- a/mail.py\n+++ b/mail.py\n@@\n-key = os.environ['MAIL_SECRET']\n"
            "+key = os.environ['MAIL_SECRET_KEY']\n",
            "--- a/pay.js\n+++ b/pay.js\n@@\n-const t = process.env.PAY_TOKEN;\n"
            "+const t = process.env.PAY_API_TOKEN;\n",
        ),
        ignores=(
            "--- a/mail.py\n+++ b/mail.py\n@@\n-# os.environ['MAIL_SECRET'] is set by hand\n"
            "+# os.environ['MAIL_SECRET'] is set by the vault\n key = read()\n",
            "--- a/pay.js\n+++ b/pay.js\n@@\n-const t = process.env.PAY_TOKEN;\n"
            "+const t = process.env.PAY_TOKEN.trim();\n",
            "--- a/pay.js\n+++ b/pay.js\n@@\n-const t = process.env.PAY_TOKEN;\n start();\n"
            "+const t = process.env.PAY_TOKEN\n",
        ),
    ),
    "auth_header_changed": Examples(
        reads=(
            '--- a/call.go\n+++ b/call.go\n@@\n-    req.Header.Set("Authorization", token)\n send()\n',
            "--- a/call.py\n+++ b/call.py\n@@\n-headers = {'X-Api-Key': key}\n+headers = {}\n",
        ),
        ignores=(
            '--- a/call.go\n+++ b/call.go\n@@\n+    req.Header.Set("Authorization", token)\n send()\n',
            "--- a/call.py\n+++ b/call.py\n@@\n-# the bearer token is set below\n headers = {}\n",
        ),
    ),
    "permission_removed": Examples(
        reads=(
            "--- a/role.yaml\n+++ b/role.yaml\n@@\n verbs:\n   - get\n-  - watch\n",
            '--- a/role.tf\n+++ b/role.tf\n@@\n actions = [\n-  "s3:GetObject",\n ]\n',
        ),
        ignores=(
            "--- a/role.yaml\n+++ b/role.yaml\n@@\n verbs:\n   - get\n+  - watch\n",
            '--- a/role.tf\n+++ b/role.tf\n@@\n actions = [\n-  # "s3:GetObject" is in the base\n ]\n',
        ),
    ),
    "permission_changed": Examples(
        reads=(
            "--- a/role.yaml\n+++ b/role.yaml\n@@\n-  verbs: [get, list]\n+  verbs: [get]\n",
            '--- a/role.tf\n+++ b/role.tf\n@@\n-  role = "roles/editor"\n+  role = "roles/viewer"\n',
        ),
        ignores=(
            "--- a/role.yaml\n+++ b/role.yaml\n@@\n-  verbs: [get]\n+  verbs: [get, list]\n",
            '--- a/role.yaml\n+++ b/role.yaml\n@@\n-  verbs: ["get"]\n+  verbs: ["*"]\n',
            "--- a/role.yaml\n+++ b/role.yaml\n@@\n-  verbs: [get]  # list\n+  verbs: [get]\n",
            "--- a/role.py\n+++ b/role.py\n@@\n-roles = load()\n+roles = load(path)\n",
        ),
    ),
    "auth_header_renamed": Examples(
        reads=(
            "--- a/call.js\n+++ b/call.js\n@@\n-  h['Authorization'] = t;\n+  h['X-Auth-Token'] = t;\n",
            '--- a/call.py\n+++ b/call.py\n@@\n-h["X-Api-Key"] = key\n+h["X-Ferry-Key"] = key\n',
        ),
        ignores=(
            "--- a/call.py\n+++ b/call.py\n@@\n-h['Authorization'] = 'Bearer ' + token\n"
            "+h['Authorization'] = f'Bearer {token}'\n",
            "--- a/call.js\n+++ b/call.js\n@@\n-  // 'Authorization'\n+  // 'X-Auth-Token'\n   f();\n",
            '--- a/call.py\n+++ b/call.py\n@@\n-h["X-Api-Key"] = key\n n = 1\n+h["X-Api-Key"] = key\n',
        ),
    ),
    "access_revoked": Examples(
        reads=(
            "--- a/m.sql\n+++ b/m.sql\n@@\n+REVOKE SELECT ON tides FROM ferry;\n",
            '--- a/p.json\n+++ b/p.json\n@@\n-  "Effect": "Allow",\n+  "Effect": "Deny",\n',
        ),
        ignores=(
            "--- a/m.sql\n+++ b/m.sql\n@@\n-REVOKE SELECT ON tides FROM ferry;\n",
            '--- a/p.json\n+++ b/p.json\n@@\n-  "Effect": "Deny",\n+  "Effect": "Allow",\n',
        ),
    ),
    "authorisation_tightened": Examples(
        reads=(
            "--- a/views.py\n+++ b/views.py\n@@\n+@login_required\n def seats(request):\n",
            '--- a/Seats.cs\n+++ b/Seats.cs\n@@\n+[Authorize(Roles = "crew")]\n public class Seats\n',
            "--- a/views.py\n+++ b/views.py\n@@\n-  permission_classes = [AllowAny]\n"
            "+  permission_classes = [IsAuthenticated]\n",
            '--- a/Sec.java\n+++ b/Sec.java\n@@\n-    .hasRole("USER")\n+    .hasRole("ADMIN")\n',
            "--- a/nginx.conf\n+++ b/nginx.conf\n@@\n location /seats {\n+  auth_request /me;\n",
        ),
        ignores=(
            "--- a/views.py\n+++ b/views.py\n@@\n-@login_required\n def seats(request):\n",
            "--- a/Seats.cs\n+++ b/Seats.cs\n@@\n+// [Authorize] is not for health\n class Seats\n",
            "--- a/views.py\n+++ b/views.py\n@@\n+@login_required\n+def crew(request):\n",
            "--- a/views.py\n+++ b/views.py\n@@\n-  permission_classes = [IsAuthenticated]\n"
            "+  permission_classes = [AllowAny]\n",
            '--- a/Sec.java\n+++ b/Sec.java\n@@\n-    .hasRole("ADMIN")\n+    .hasRole("USER")\n',
        ),
    ),
    "open_access_removed": Examples(
        reads=(
            '--- a/Sec.java\n+++ b/Sec.java\n@@\n-    .requestMatchers("/seats").permitAll()\n x\n',
            "--- a/c.rb\n+++ b/c.rb\n@@\n-  skip_before_action :check, only: :show\n   x\n",
        ),
        ignores=(
            '--- a/Sec.java\n+++ b/Sec.java\n@@\n+    .requestMatchers("/seats").permitAll()\n x\n',
            "--- a/c.rb\n+++ b/c.rb\n@@\n-  # skip_before_action is for health\n   x\n",
        ),
    ),
    "network_access_changed": Examples(
        reads=(
            "--- a/net.yaml\n+++ b/net.yaml\n@@\n+kind: NetworkPolicy\n metadata: {}\n",
            "--- a/net.tf\n+++ b/net.tf\n@@\n-  from_port = 5432\n+  from_port = 6432\n",
        ),
        ignores=(
            "--- a/net.yaml\n+++ b/net.yaml\n@@\n+# kind: NetworkPolicy\n metadata: {}\n",
            "--- a/net.py\n+++ b/net.py\n@@\n-from_port = first\n+from_port = lowest\n",
        ),
    ),
    "privilege_changed": Examples(
        reads=(
            "--- a/pod.yaml\n+++ b/pod.yaml\n@@\n+  readOnlyRootFilesystem: true\n   x: 1\n",
            "--- a/Dockerfile\n+++ b/Dockerfile\n@@\n+USER ferry\n CMD ['./ferry']\n",
        ),
        ignores=(
            "--- a/pod.yaml\n+++ b/pod.yaml\n@@\n-# runAsUser: 0\n+# runAsUser: 1000\n   x: 1\n",
            "--- a/Dockerfile\n+++ b/Dockerfile\n@@\n-USER ferry\n WORKDIR /f\n+USER ferry\n",
        ),
    ),
}
