"""Identity and trust: TLS, certificates, tokens, secrets, permissions."""

import re
from collections.abc import Iterable, Iterator

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.knob import Knob
from bot.reasoning.diffs.naming import if_lost, unless_same
from bot.reasoning.diffs.parse import Line
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import Pattern, Rule, reading, shown

_AUTH = (Effect.AUTHENTICATION, Effect.ERRORS)
_TLS = (Effect.AUTHENTICATION, Effect.ERRORS, Effect.ADDRESS)
# Rules that a line breaks only if it names something else than before: what such a line names.
_NAMED = {
    "transport_credentials_changed": re.compile(
        r"(?i)insecure|with\w*credentials|useplaintext\(?\w*|usetransportsecurity|secure_channel|createssl|newtls"
    ),
    "secret_reference_changed": re.compile(
        r"(?<=[\"'])[\w.\-:/]+(?=[\"'])|\b[A-Z][A-Z0-9_]{2,}\b|(?<=: )[\w.\-/]+$"
    ),
    "auth_header_renamed": re.compile(
        r"(?i)(?<=[\"'])(?:authorization|cookie|x-[\w-]+)(?=[\"'])|\bbearer\b"
    ),
}

# What a line permits: another list breaks somebody only if something is no longer in it.
_PERMITTED = {
    "permission_changed": re.compile(r"(?<=[\"'\[ ,:=])[\w.\-/:*]*[\w*](?=[\"'\],]|$)"),
}
_ASKS = re.compile(
    r"(?i)\[authorize|@login_required|@preauthorize|hasrole\(|hasauthority\(|has(?:any)?scope\("
    r"|@?\brequire_?(?:auth|role|permission|scope|login)\w*|\.authenticated\(\)|isauthenticated\b"
    r"|@rolesallowed|permission_classes|authorizationpolicy|denyall|authenticate_user!|auth_request "
)
_DECORATES = re.compile(r"^(?:@|\[)")
_RANKS = (
    re.compile(r"(?i)allowany|permitall|anonymous|public"),
    re.compile(r"(?i)authenticated|logged_?in"),
    re.compile(r"(?i)\b(?:read\w*|view\w*|user|member|guest)\b"),
    re.compile(r"(?i)\b(?:write\w*|edit\w*|operator|staff|crew|manage\w*|isadminuser)\b"),
    re.compile(r"(?i)\b(?:admin\w*|owner|superuser|root)\b|denyall"),
)


def _tightened(change: Change) -> Iterator[Reading]:
    """What was there already asks callers for an identity or a right, or for a higher one."""
    asked: dict[int, int] = {}  # of each hunk, before
    for old in change.removed:
        place = id(change.hunk_of(old))
        asked[place] = max(asked.get(place, -1), _rank(old.code))
    for line in change.added:
        if not _ASKS.search(line.code):
            continue
        if asked.get(id(change.hunk_of(line)), -1) >= _rank(line.code) >= 0:
            continue
        if _guards_new(change, line):
            continue
        yield reading("authorisation_tightened", "stricter_authorisation", _AUTH, 2.4,
                      f"{shown(line)} asks for more than callers may have", change, line)  # fmt: skip
        return


def _rank(code: str) -> int:
    """Return how much a line asks for, from 0 (nothing) to 4 (an administrator); -1: unknown."""
    return max((at for at, words in enumerate(_RANKS) if words.search(code)), default=-1)


def _guards_new(change: Change, line: Line) -> bool:
    """Say whether a decorator stands before a function or class that is itself new."""
    if not _DECORATES.match(line.code):
        return False
    side = change.hunk_of(line).side("+")
    below = (one for one in side if one.number > line.number and not _DECORATES.match(one.code))
    guarded = next(below, None)
    return guarded is not None and any(guarded is one for one in change.added)


_CHECK = re.compile(
    r"(?i)((?:with|require|validate?)_?(?:audience|issuer|lifetime)|\baud(?:ience)?\b(?=\s*[=:!(])|\biss(?:uer)?\b(?=\s*[=:!(])"
    r"|\bkid\b|\balgorithms?(?=\s*[=:])|\b[rhe]s(?:256|384|512)\b|clock_?skew|clock_?tolerance|leeway|claims[\[.]|has_?scope"
    r"|\bscope\b(?=.*[=!]=))|[\"']([^\"']+)[\"']|=\s*(true|\d+)"
)
_TOKEN_WORDS = frozenset((
    "audience", "issuer", "lifetime", "aud", "iss", "kid", "algorithm", "algorithms", "rs256", "hs256", "es256",
    "rs384", "hs384", "es384", "rs512", "hs512", "es512", "skew", "tolerance", "leeway", "claims", "scope",
))  # fmt: skip
_TOLERATES = re.compile(r"(?i)clock_?skew|clock_?tolerance|leeway")
_REFUSES = re.compile(
    r"(?i)(?:with|require|validate?)_?(?:audience|issuer|lifetime)|has_?scope|[=!]="
)
_LAX = re.compile(r"(?i)^(?:log\w*|console|print\w*|fmt)[.(]|[=:]\s*false\b")


def _token_check(change: Change) -> Iterator[Reading]:
    """Tokens that were accepted no longer are, or are made in another way than before."""
    came, went = _checks(change.added), _checks(change.removed)
    said = {name for names in came.values() for name in names}
    if said == {name for names in went.values() for name in names}:
        return
    if went:  # another check than before, or one that tokens are made by: none looser than before
        lines = [*came, *(() if came else (x for x in went if not _REFUSES.search(x.code)))]
    else:  # a new check: a tolerance, or a claim that is only read, refuses nobody
        lines = [x for x in came if not _TOLERATES.search(x.code) and _refuses(x, came[x])]
    if lines:
        yield reading("token_check_changed", "token_validation", _AUTH, 2.6,
                      f"{shown(lines[0])} accepts other tokens than before", change, lines[0])  # fmt: skip


def _checks(lines: Iterable[Line]) -> dict[Line, frozenset[str]]:
    """Return the lines that check a token, each with what it names."""
    found: dict[Line, frozenset[str]] = {}
    for line in lines:
        groups = _CHECK.findall(line.code)
        if any(check for check, _, _ in groups) and not _LAX.search(line.code):
            found[line] = frozenset(text.lower() for group in groups for text in group if text)
    return found


def _refuses(line: Line, names: frozenset[str]) -> bool:
    return bool(_REFUSES.search(line.code)) or not any(one.startswith("claims") for one in names)


def _shaped(rule: Rule) -> Rule:
    return if_lost(unless_same(rule, _NAMED.get(rule.name)), _PERMITTED.get(rule.name))


RULES = tuple(
    _shaped(rule if isinstance(rule, Rule) else rule.rule())
    for rule in (
        Knob(
            name="tls_version_changed",
            mechanism="tls_incompatible",
            effects=_TLS,
            key=r"(?:min|max)_?(?:tls_?)?version|tls_?(?:min|max|version)\w*|ssl_?(?:protocol\w*|min\w*|version)|minimum_protocol\w*|ssl_policy|security_policy|ssl_minimum\w*|tls_?params",
            way="text",
        ),
        Knob(
            name="ciphers_changed",
            mechanism="tls_incompatible",
            effects=_TLS,
            key=r"cipher\w*|curve\w*|signature_alg\w*",
            way="text",
            weight=2.8,
        ),
        Pattern(
            name="tls_settings_changed",
            mechanism="tls_incompatible",
            effects=_TLS,
            words="minversion maxversion versiontls12 versiontls13 ciphersuites ssl_protocols tlsv1 tls_version sslprotocols protocols minimum_version tls13 tls12 protocol_tlsv1_2 tls curvepreferences",
            came=r"(?i)minversion|maxversion|versiontls1\d|ciphersuites|ssl_protocols|tlsv1[._]\d|minimum_version|sslprotocols|curvepreferences|tls1[23]\b",
            either=True,
            says="{line} narrows who can connect by TLS",
            weight=2.6,
        ),
        Knob(
            name="verification_on",
            mechanism="tls_verification",
            effects=_TLS,
            key=r"verify\w*|ssl_?verif\w*|tls_?verif\w*|check_?hostname|require_?(?:ssl|tls|client_cert|auth)\w*|(?:tls|ssl|mtls)(?:_enabled|_required)?$|sslmode|use_?(?:tls|ssl)|force_?(?:ssl|tls|https)|client_auth\w*|reject_unauthorized|mtls\w*|secure$|enable_?(?:tls|ssl|mtls)|tls_enabled",
            way="on",
            fresh=True,
            weight=2.6,
        ),
        Knob(
            name="verification_skip_off",
            mechanism="tls_verification",
            effects=_TLS,
            key=r"insecure\w*|skip_?verif\w*|trust_?(?:all|server_certificate)|allow_?(?:http|plaintext|insecure|invalid)\w*|permissive|anonymous\w*|allow_anonymous",
            way="off",
            weight=2.6,
        ),
        Knob(
            name="tls_off",
            mechanism="tls_mismatch",
            effects=_TLS,
            key=r"(?:tls|ssl|mtls|https)(?:_enabled|_required)?$|sslmode|use_?(?:tls|ssl|https)|enable_?(?:tls|ssl|mtls)|tls_enabled|ssl_enabled",
            way="off",
            fresh=True,
            weight=2.6,
        ),
        Knob(
            name="tls_mode_changed",
            mechanism="tls_mismatch",
            effects=_TLS,
            key=r"ssl_?mode|mtls_?mode|tls_?mode|(?:mtls|tls)_mode|peer_authentication|client_auth\w*|security_protocol|ssl_client_auth|sasl_mechanism\w*",
            way="text",
            weight=2.8,
        ),
        Pattern(
            name="mtls_mode_in_manifest",
            mechanism="tls_mismatch",
            effects=_TLS,
            words="strict permissive disable istio_mutual mutual simple",
            came=r"mode:\s*(?:STRICT|PERMISSIVE|DISABLE|ISTIO_MUTUAL|MUTUAL|SIMPLE)\b",
            either=True,
            says="{line} changes who must speak mutual TLS",
            weight=2.8,
        ),
        Pattern(
            name="transport_credentials_changed",
            mechanism="tls_mismatch",
            effects=_TLS,
            words="insecure withtransportcredentials withinsecure useplaintext secure_channel insecure_channel usetransportsecurity newtls credentials",
            came=r"(?i)with(?:insecure|transportcredentials)\(|useplaintext|usetransportsecurity|(?:in)?secure_channel\(|createinsecure|createssl|insecure\.newcredentials|credentials\.newtls",
            went=r"(?i)with(?:insecure|transportcredentials)\(|useplaintext|usetransportsecurity|(?:in)?secure_channel\(|createinsecure|createssl|insecure\.newcredentials|credentials\.newtls",
            says="{line} speaks another transport than before",
            weight=2.8,
        ),
        Knob(
            name="certificate_changed",
            mechanism="certificate_changed",
            effects=_TLS,
            key=r"(?:tls|ssl|ca|root|client|server|trust)_?\w*(?:cert\w*|ca|bundle|key_?file|key_?store|trust_?store)\w*|cert(?:ificate)?(?:_?(?:file|path|name|arn|authority|issuer))?$|ca_?(?:file|cert\w*|bundle|path)|issuer_?ref\w*|trust_?store\w*|key_?store\w*|secret_name|root_?cas?|server_?name|sni|dns_names|common_name|ssl_certificate\w*|credential_name",
            way="text",
            weight=2.6,
        ),
        Knob(
            name="certificate_life_cut",
            mechanism="certificate_expiry",
            effects=_TLS,
            key=r"renew_before|(?:cert\w*)_(?:duration|validity|ttl|days)|validity\w*|not_after",
            way="down",
            least=2.0,
            weight=2.0,
        ),
        Pattern(
            name="trust_removed",
            mechanism="certificate_trust",
            effects=_TLS,
            words="certpool rootcas appendcertsfrompem truststore ca certificates systemcertpool clientcas cafile ca_bundle update",
            went=r"(?i)rootcas|appendcerts|truststore|ca-certificates|systemcertpool|clientcas|ca_?(?:file|bundle|certs?)\b|ssl_trusted_certificate|insecureskipverify:\s*true|verify=false|rejectunauthorized:\s*false",
            unless=r"(?i)rootcas|appendcerts|truststore|ca-certificates|certpool|clientcas|ca_?(?:file|bundle|cert)|trusted_certificate|skipverify|verify=|rejectunauth",
            says="{line} is gone: certificates that were trusted may no longer be",
            weight=2.4,
        ),
        Knob(
            name="token_claim_changed",
            mechanism="token_validation",
            effects=_AUTH,
            key=r"(?:^|_)aud(?:ience)?s?$|valid_audience\w*|(?:^|_)iss(?:uer)?(?:_ur[il])?s?$|valid_issuer\w*|jwks?_?\w*|key_?id|(?:^|_)kid$|client_?id|realm|tenant_?id|scopes?$|algorithms?$|signing_\w*|jwt_\w*|oidc_\w*|oauth\w*|grant_type|token_(?:url|endpoint|path)|authority$|discovery\w*|auth_(?:url|server|endpoint)\w*",
            unless=r"expir|ttl|timeout|compress",
            way="text",
        ),
        Rule(name="token_check_changed", read=_token_check, words=_TOKEN_WORDS),
        Pattern(
            name="clock_tolerance_removed",
            mechanism="token_validation",
            effects=_AUTH,
            words="leeway clockskew skew tolerance clocktolerance allowedclockskew acceptleeway",
            went=r"(?i)leeway|clock_?(?:skew|tolerance)|allowed_?skew",
            unless=r"(?i)leeway|skew|tolerance",
            says="{line} is gone: clocks that differ a little now refuse tokens",
            weight=2.4,
        ),
        Knob(
            name="token_life_cut",
            mechanism="token_expiry",
            effects=_AUTH,
            key=r"(?:token|session|jwt|cookie|access|refresh|credential\w*|lease)_?\w*(?:ttl|expir\w*|life_?time|max_?age|timeout|duration|seconds|minutes|hours|days)|expires_in|token_ttl",
            unless=r"request|connect|read|http|session_timeout_ms|cache|heartbeat",
            way="down",
            least=2.0,
            strong=4.0,
            weight=2.6,
        ),
        Knob(
            name="secret_changed",
            mechanism="credentials_changed",
            effects=_AUTH,
            key=r"password\w*|passwd|secret\w*|api_?key\w*|access_?key\w*|credential\w*|username|(?:^|_)user$|db_user\w*|service_?account\w*|token$|private_key\w*|secret_(?:name|key|ref)\w*|vault_\w*|existing_secret|auth_token",
            unless=r"expir|ttl|length|rotation|min|cost|rounds|max|automount",
            way="text",
            weight=2.6,
        ),
        Pattern(
            name="secret_reference_changed",
            mechanism="credentials_changed",
            effects=_AUTH,
            words="secretkeyref secretname valuefrom secrets secret vault getsecretvalue getsecret secretmanager configmapkeyref envfrom password token apikey api_key",
            went=r"(?i)secret\w*\W|getenv\w*\(.*(?:password|secret|token|key|user)|vault|environ.*(?:password|secret|token|key)|process\.env\.\w*(?:PASS|SECRET|TOKEN|KEY)\w*|ENV\[.*(?:PASS|SECRET|TOKEN|KEY)",
            came=r"(?i)secret\w*\W|getenv\w*\(.*(?:password|secret|token|key|user)|vault|environ.*(?:password|secret|token|key)|process\.env\.\w*(?:PASS|SECRET|TOKEN|KEY)\w*|ENV\[.*(?:PASS|SECRET|TOKEN|KEY)",
            says="{line} takes the secret from elsewhere",
            weight=2.6,
        ),
        Pattern(
            name="auth_header_changed",
            mechanism="auth_header_changed",
            effects=_AUTH,
            words="authorization bearer header headers metadata basic x-api-key api token set add setrequestheader cookie withcredentials basicauth setbasicauth samesite",
            went=r"(?i)[\"']authorization[\"']|\bbearer\b|x-(?:api-key|auth|user|internal)[\w-]*|basic_?auth|setbasicauth|withcredentials|samesite|appendtooutgoingcontext|x-[\w-]*token|authorization\s*[:=]|proxy_set_header",
            unless=r"(?i)^log",
            unless_went=r"(?i)^log|print|x-api-version",
            says="{line}, which carried the caller's identity, went or changed",
            weight=2.6,
        ),
        Pattern(
            name="permission_removed",
            mechanism="permission_removed",
            effects=_AUTH,
            words="verbs resources rolebinding clusterrole role actions action grant permission permissions policy allow roles member hasrole preauthorize iam principal bind iamrole rolearn scopes get list watch create update delete s3 sqs subjects",
            went=r"(?i)verbs:|^-?\s*[\"']?(?:get|list|watch|create|update|patch|delete)[\"']?,?$|(?:s3|sqs|sns|dynamodb|kms|secretsmanager|ec2|iam|kinesis|logs|ssm|ecr|lambda):\w+|\bgrant\b|rolebinding|roles?/[\w.]+|rolearn|role-arn|resources:\s*\[|subjects:",
            unless=r"(?i)authenticate\w*\(",
            languages="yaml json terraform sql",
            says="{line}, a permission, is gone or changed",
            weight=2.8,
        ),
        Pattern(
            name="permission_changed",
            mechanism="permission_removed",
            effects=_AUTH,
            words="verbs resources actions role roles permissions scopes action subjects resourcenames apigroups",
            went=r"(?i)^-?\s*[\"']?(?:verbs|resources|actions?|role\w*|permissions?|scopes?|subjects|resourcenames|apigroups)[\"']?\s*[:=]",
            came=r"(?i)^-?\s*[\"']?(?:verbs|resources|actions?|role\w*|permissions?|scopes?|subjects|resourcenames|apigroups)[\"']?\s*[:=]",
            languages="yaml json terraform",
            says="{line} permits something else than before",
            weight=2.4,
        ),
        Pattern(
            name="auth_header_renamed",
            mechanism="auth_header_changed",
            effects=_AUTH,
            words="authorization auth token key bearer user cookie session",
            went=r"(?i)[\"'](?:authorization|cookie|x-[\w-]*(?:auth|token|key|user|session)[\w-]*)[\"']|\bbearer\b",
            came=r"(?i)[\"'](?:authorization|cookie|x-[\w-]*(?:auth|token|key|user|session)[\w-]*)[\"']|\bbearer\b",
            unless=r"(?i)withlabelvalues|log",
            says="{line} carries the caller's identity elsewhere",
            weight=2.6,
        ),
        Pattern(
            name="access_revoked",
            mechanism="permission_removed",
            effects=_AUTH,
            words="revoke deny default_transaction_read_only readonly nologin disable",
            came=r"(?i)\brevoke\b .*\bfrom\b|effect[\"']?\s*[:=]\s*[\"']?deny|alter (?:user|role) .*(?:nologin|password)|drop (?:user|role)\b|default_transaction_read_only\s*=\s*on|deny all;|\bset password\b",
            says="{line} takes access away",
        ),
        Rule(name="authorisation_tightened", read=_tightened),
        Pattern(
            name="open_access_removed",
            mechanism="stricter_authorisation",
            effects=_AUTH,
            words="permitall allowanonymous skip_before_action allowany public whitelist allowlist exclude antmatchers requestmatchers ignoring allow_origins allowedorigins origin alloworigins accesscontrolalloworigin cidr",
            went=r"(?i)permitall|allowanonymous|skip_before_action|allowany|(?:public|whitelist|allow_?list|exclude\w*|skip)_?\w*(?:path|url|route|endpoint)s?|allow_?origins?|allowed_?origins?|cidr_blocks|\ballow \d|allowed_?hosts?",
            says="{line}, which let callers in, is gone or changed",
            weight=2.4,
        ),
        Pattern(
            name="network_access_changed",
            mechanism="network_policy_changed",
            effects=(Effect.ADDRESS, Effect.TIMEOUTS, Effect.ERRORS),
            words="networkpolicy ingress egress podselector namespaceselector security_group security_groups cidr_blocks from_port to_port policytypes ipblock cidr firewall source_ranges networkpolicyport whitelist allow deny",
            came=r"kind:\s*NetworkPolicy|policyTypes|^-?\s*(?:Egress|Ingress)$|cidr_blocks|source_ranges|(?:from|to)_port|ipBlock|podSelector|namespaceSelector|security_groups?\b|loadBalancerSourceRanges",
            languages="yaml terraform json",
            either=True,
            says="{line} changes who may reach whom",
            weight=2.2,
        ),
        Pattern(
            name="privilege_changed",
            mechanism="security_context",
            effects=(Effect.CRASH, Effect.ERRORS),
            words="runasuser runasnonroot readonlyrootfilesystem fsgroup capabilities drop user seccompprofile allowprivilegeescalation chown chmod automountserviceaccounttoken runasgroup",
            came=r"runAsUser|runAsNonRoot:\s*true|readOnlyRootFilesystem:\s*true|fsGroup|^USER \w|drop:|allowPrivilegeEscalation:\s*false|automountServiceAccountToken:\s*false|seccompProfile|runAsGroup",
            languages="yaml dockerfile terraform json",
            either=True,
            says="{line} runs it with fewer rights",
            weight=2.4,
        ),
    )
)
