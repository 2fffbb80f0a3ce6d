"""Examples of TLS, certificates, tokens, secrets and permissions that changed."""

from collections.abc import Mapping

from tests.unit.reasoning.diffs.examples.example import Examples
from tests.unit.reasoning.diffs.examples.more_access import MORE

EXAMPLES: Mapping[str, Examples] = {
    "tls_version_changed": Examples(
        reads=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-tlsMinVersion: TLSv1.2\n+tlsMinVersion: TLSv1.3\n",
            "--- a/lb.tf\n+++ b/lb.tf\n@@\n"
            '-  ssl_policy = "Policy-TLS-1-2"\n+  ssl_policy = "Policy-TLS-1-3-Only"\n',
        ),
        ignores=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-tlsMinVersion: 'TLSv1.2'\n+tlsMinVersion: TLSv1.2\n",
            "--- a/lb.tf\n+++ b/lb.tf\n@@\n"
            '-  # ssl_policy = "Policy-TLS-1-2"\n+  # ssl_policy = "Policy-TLS-1-3"\n',
        ),
    ),
    "ciphers_changed": Examples(
        reads=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-cipherSuites: ECDHE-A:ECDHE-B\n"
            "+cipherSuites: ECDHE-B\n",
            "--- a/gate.properties\n+++ b/gate.properties\n@@\n-tls.ciphers=AES128-SHA\n"
            "+tls.ciphers=AES256-GCM\n",
        ),
        ignores=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-cipherSuites: ECDHE-A\n"
            "+cipherSuites: ECDHE-A  # not ECDHE-B\n",
            "--- a/gate.properties\n+++ b/gate.properties\n@@\n-tls.ciphers=AES256-GCM\n"
            " gate.name=north\n+tls.ciphers=AES256-GCM\n",
        ),
    ),
    "tls_settings_changed": Examples(
        reads=(
            "--- a/tls.go\n+++ b/tls.go\n@@\n-    MinVersion: tls.VersionTLS12,\n"
            "+    MinVersion: tls.VersionTLS13,\n",
            "--- a/edge.conf\n+++ b/edge.conf\n@@\n-ssl_protocols TLSv1.2 TLSv1.3;\n"
            "+ssl_protocols TLSv1.3;\n",
        ),
        ignores=(
            "--- a/tls.go\n+++ b/tls.go\n@@\n-    // MinVersion is the library's\n"
            "+    // MinVersion: tls.VersionTLS13 comes next year\n     Certificates: certs,\n",
            "--- a/edge.conf\n+++ b/edge.conf\n@@\n-ssl_protocols TLSv1.3;\n"
            " ssl_session_cache shared:a:1m;\n+ssl_protocols  TLSv1.3;\n",
        ),
    ),
    "verification_on": Examples(
        reads=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-requireClientCert: false\n"
            "+requireClientCert: true\n",
            "--- a/db.properties\n+++ b/db.properties\n@@\n db.pool=4\n+db.use-ssl=true\n",
        ),
        ignores=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-requireClientCert: true\n"
            "+requireClientCert: false\n",
            "--- a/db.properties\n+++ b/db.properties\n@@\n db.pool=4\n+# db.use-ssl=true\n",
        ),
    ),
    "verification_skip_off": Examples(
        reads=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-insecureSkipVerify: true\n"
            "+insecureSkipVerify: false\n",
            "--- a/mq.toml\n+++ b/mq.toml\n@@\n-allow_anonymous = true\n+allow_anonymous = false\n",
        ),
        ignores=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-insecureSkipVerify: false\n"
            "+insecureSkipVerify: true\n",
            "--- a/mq.toml\n+++ b/mq.toml\n@@\n-# allow_anonymous = true\n+# allow_anonymous = false\n",
        ),
    ),
    "tls_off": Examples(
        reads=(
            "--- a/cache.yaml\n+++ b/cache.yaml\n@@\n-tlsEnabled: true\n+tlsEnabled: false\n",
            "--- a/db.toml\n+++ b/db.toml\n@@\n-use_ssl = true\n+use_ssl = false\n",
        ),
        ignores=(
            "--- a/cache.yaml\n+++ b/cache.yaml\n@@\n-tlsEnabled: false\n+tlsEnabled: true\n",
            "--- a/db.toml\n+++ b/db.toml\n@@\n-use_ssl = true\n+use_ssl = true  # never false\n",
        ),
    ),
    "tls_mode_changed": Examples(
        reads=(
            "--- a/db.yaml\n+++ b/db.yaml\n@@\n-sslMode: prefer\n+sslMode: verify-full\n",
            "--- a/mq.properties\n+++ b/mq.properties\n@@\n-security.protocol=PLAINTEXT\n"
            "+security.protocol=SASL_SSL\n",
        ),
        ignores=(
            '--- a/db.yaml\n+++ b/db.yaml\n@@\n-sslMode: "prefer"\n+sslMode: prefer\n',
            "--- a/mq.properties\n+++ b/mq.properties\n@@\n-# security.protocol=PLAINTEXT\n"
            "+# security.protocol=SASL_SSL\n",
        ),
    ),
    "mtls_mode_in_manifest": Examples(
        reads=(
            "--- a/mesh.yaml\n+++ b/mesh.yaml\n@@\n mtls:\n-  mode: PERMISSIVE\n+  mode: STRICT\n",
            "--- a/rule.yaml\n+++ b/rule.yaml\n@@\n tls:\n+  mode: DISABLE\n",
        ),
        ignores=(
            "--- a/mesh.yaml\n+++ b/mesh.yaml\n@@\n mtls:\n-  mode: STRICT\n"
            "+  mode: STRICT  # not PERMISSIVE\n",
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n parser:\n-  mode: lenient\n+  mode: strict\n",
        ),
    ),
    "transport_credentials_changed": Examples(
        reads=(
            "--- a/dial.go\n+++ b/dial.go\n@@\n-    creds := insecure.NewCredentials()\n"
            "+    creds := credentials.NewTLS(conf)\n",
            "--- a/dial.py\n+++ b/dial.py\n@@\n-channel = grpc.insecure_channel(target)\n"
            "+channel = grpc.secure_channel(target, creds)\n",
        ),
        ignores=(
            "--- a/dial.py\n+++ b/dial.py\n@@\n-# grpc.insecure_channel(target) in the lab\n"
            "+# grpc.secure_channel(target, creds) elsewhere\n channel = dial(target)\n",
            "--- a/dial.go\n+++ b/dial.go\n@@\n-    creds := credentials.NewTLS(conf)\n"
            "     target := conf.Target\n+    creds := credentials.NewTLS(conf)\n",
            "--- a/dial.py\n+++ b/dial.py\n@@\n-channel = grpc.secure_channel(target, creds)\n"
            "+channel = grpc.secure_channel(target, creds, options=options)\n",
        ),
    ),
    "certificate_changed": Examples(
        reads=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-caFile: /pki/ca.pem\n+caFile: /pki/ca-new.pem\n",
            "--- a/gate.toml\n+++ b/gate.toml\n@@\n-server_name = 'gate.north'\n"
            "+server_name = 'gate.south'\n",
        ),
        ignores=(
            "--- a/gate.yaml\n+++ b/gate.yaml\n@@\n-caFile: '/pki/ca.pem'\n+caFile: /pki/ca.pem\n",
            "--- a/gate.toml\n+++ b/gate.toml\n@@\n-# server_name = 'gate.north'\n"
            "+# server_name = 'gate.south'\n",
        ),
    ),
    "certificate_life_cut": Examples(
        reads=(
            "--- a/cert.yaml\n+++ b/cert.yaml\n@@\n-renewBefore: 720h\n+renewBefore: 1h\n",
            "--- a/pki.toml\n+++ b/pki.toml\n@@\n-validity_days = 365\n+validity_days = 7\n",
        ),
        ignores=(
            "--- a/cert.yaml\n+++ b/cert.yaml\n@@\n-renewBefore: 1h\n+renewBefore: 720h\n",
            "--- a/pki.toml\n+++ b/pki.toml\n@@\n-# validity_days = 365\n+# validity_days = 7\n",
        ),
    ),
    "trust_removed": Examples(
        reads=(
            "--- a/tls.go\n+++ b/tls.go\n@@\n return &tls.Config{\n-    RootCAs: pool,\n }\n",
            "--- a/Dockerfile\n+++ b/Dockerfile\n@@\n-RUN apk add ca-certificates\n CMD ['./gate']\n",
        ),
        ignores=(
            "--- a/tls.go\n+++ b/tls.go\n@@\n return &tls.Config{\n+    RootCAs: pool,\n }\n",
            "--- a/Dockerfile\n+++ b/Dockerfile\n@@\n-# ca-certificates come with the base\n"
            " CMD ['./gate']\n",
        ),
    ),
    "token_claim_changed": Examples(
        reads=(
            "--- a/auth.yaml\n+++ b/auth.yaml\n@@\n-audience: ferry-api\n+audience: ferry\n",
            "--- a/auth.properties\n+++ b/auth.properties\n@@\n-auth.issuer-uri=https://id.north\n"
            "+auth.issuer-uri=https://id.north/\n",
        ),
        ignores=(
            "--- a/auth.yaml\n+++ b/auth.yaml\n@@\n-audience: 'ferry-api'\n+audience: ferry-api\n",
            "--- a/auth.properties\n+++ b/auth.properties\n@@\n-# auth.issuer-uri=https://id.north\n"
            "+# auth.issuer-uri=https://id.south\n",
        ),
    ),
} | dict(MORE)
