"""Where things are: hosts, ports, paths, topics, variable names, that now point elsewhere."""

import re

from bot.reasoning.diffs.knob import Knob
from bot.reasoning.diffs.naming import unless_same
from bot.reasoning.diffs.reading import Effect
from bot.reasoning.diffs.rule import PLAUSIBLE, Pattern

_ADDRESS = (Effect.ADDRESS, Effect.ERRORS, Effect.TIMEOUTS)
_LINK = r"[\"'`](?:https?|grpc|redis|rediss|amqps?|postgres\w*|mysql|mongodb(?:\+srv)?|jdbc:\w+|kafka|tcp|nats|ws)://[^\"'`]+|[\"'`][\w-]+(?:\.[\w-]+)*:\d{2,5}[\"'`/]|\.svc(?:\.cluster\.local)?\b|\.internal\b"
_LABEL = r"|_(?:label|title|text|hint|placeholder|message|help|icon|colou?r)$"  # what people read
# Rules that a line breaks only if it names something else than before: what such a line names.
_NAMED = {
    "variable_renamed": re.compile(
        r"(?<=[\"'])[\w.\-:]+(?=[\"'])|\b[A-Z][A-Z0-9_]{2,}\b|(?<=\$\{)[\w.\-]+"
    ),
    "link_changed": re.compile(
        r"\b[a-z]\w*(?:\+\w+)?://[^\s\"'`]+|[\w.\-]+:\d{2,5}\b|[\w.\-]+\.(?:svc|internal)\b[\w.:]*"
    ),
    "nginx_target_changed": re.compile(
        r"^(?:rewrite|try_files|server_name).*|^\w+\s+[^\s;]+|\b(?:down|backup)\b"
    ),
}


RULES = tuple(
    unless_same(rule.rule(), _NAMED.get(rule.name))
    for rule in (
        Knob(
            name="address_changed",
            mechanism="wrong_address",
            effects=_ADDRESS,
            key=r"(?:^|_)(?:host\w*|url|uri|addr\w*|address\w*|endpoint\w*|dsn|server\w*|servers|brokers?|bootstrap\w*|base_?(?:url|path|uri)|upstream\w*|backend\w*|proxy_pass|target_?(?:host|url|addr\w*)|service_?name|connection_?string|external_name|dns_?\w*|nameserver\w*|resolver|domain\w*|authority|fqdn|database_url|db_?name|database|datasource|namespace|cluster_?name|region|zone|bucket\w*|origin|site|host_?name)$|_(?:svc|host|url|addr)_?\w*$",
            unless=r"image|zone_?redundan|path$|allowed|metadata_name|storage|password|user|test|cors|(?:^|_)logs?(?:_|$)|resource"
            + _LABEL,
            way="text",
        ),
        Knob(
            name="address_gone",
            mechanism="missing_configuration",
            effects=(*_ADDRESS, Effect.CRASH),
            key=r"(?:^|_)(?:host\w*|url|uri|addr\w*|endpoint\w*|dsn|brokers?|base_?url|upstream|connection_?string|port|topic\w*|queue\w*|bucket\w*|region)(?:_value)?$|[a-z]_(?:host|url|addr|port)(?:_value)?$",
            unless=r"test|(?:^|_)logs?(?:_|$)|cors|image",
            way="gone",
            says="{key} is gone",
            weight=2.0,
        ),
        Knob(
            name="port_changed",
            mechanism="wrong_port",
            effects=_ADDRESS,
            key=r"(?:^|_)(?:target_?)?(?:\w*port\w*|ports|listen|expose|node_port)$|server_listen|bind\w*$",
            unless=r"report|support|import|export|portal|portfolio|transport|portrait|(?:view|air|pass|s)_?ports?(?:_|$)",
            way="text",
        ),
        Knob(
            name="channel_renamed",
            mechanism="wrong_channel",
            effects=(Effect.QUEUE, Effect.ADDRESS, Effect.ERRORS),
            key=r"(?:^|_)(?:topic\w*|queue\w*|exchange\w*|routing_?key\w*|subject|stream\w*|channel\w*|group_?id|consumer_?group\w*|subscription\w*|event_?bus|index_?name|collection\w*|table_?name|key_?prefix|keyspace|event_?(?:type|name))$",
            unless=r"size|capacity|depth|timeout|limit|interval|cert|max|length",
            way="text",
            value=r"^\S+(?:,\s+\S+)*$",  # a mail's subject has blanks
            weight=2.8,
        ),
        Knob(
            name="path_changed",
            mechanism="wrong_path",
            effects=(Effect.ADDRESS, Effect.ERRORS, Effect.CRASH),
            key=r"(?:^|_)(?:path\w*|\w*_path|prefix\w*|context_path|mount_?path|sub_?path|working_?dir\w*|config_?(?:file|path|dir)|directory|dir|root|location|path_type|rewrite\w*|\w*rewrite_target|file_?name|volume_?mounts?\w*|route\w*|api_version_path)$",
            unless=r"cert|tls|ssl|(?:^|_)logs?(?:_|$)|test|key_file|cache_path|probe|image",
            way="text",
            weight=2.4,
        ),
        Knob(
            name="name_of_object_changed",
            mechanism="wrong_address",
            effects=_ADDRESS,
            key=r"metadata_name$|selector_\w+|match_labels_\w+|(?:^|_)app$|labels_(?:app\w*|component|name|tier)|service_account_name|port_name|config_?map\w*_name|claim_name|ingress_class\w*|storage_class\w*|backend_service_name|ref_name|config_map_key_ref_\w+|subset",
            unless=r"version|chart",
            way="text",
            weight=2.6,
        ),
        Pattern(
            name="variable_renamed",
            mechanism="missing_configuration",
            effects=(*_ADDRESS, Effect.CRASH),
            words="getenv environ env process name getproperty viper value config environment getstring lookupenv fetch configproperty configuration getsection",
            went=r"(?i)(?:getenv|lookupenv|environ(?:\.get)?[\[(]|env\.(?:get|fetch)\(|ENV\[|ENV\.fetch|process\.env\.\w|getproperty\(|viper\.\w+\(|@value\(|^- name:\s*[A-Z_]{3,}|env:\"|getenvironmentvariable|config(?:uration)?\.get\w*\(|configuration\[|environment\.get|^ENV \w|envconfig:\"|@configurationproperties|\$\{[\w.]+)",
            came=r"(?i)(?:getenv|lookupenv|environ(?:\.get)?[\[(]|env\.(?:get|fetch)\(|ENV\[|ENV\.fetch|process\.env\.\w|getproperty\(|viper\.\w+\(|@value\(|^- name:\s*[A-Z_]{3,}|env:\"|getenvironmentvariable|config(?:uration)?\.get\w*\(|configuration\[|environment\.get|^ENV \w|envconfig:\"|@configurationproperties|\$\{[\w.]+)",
            unless=r"(?i)os\.getenv\([\"']\w+[\"'],|\?\?|\|\|",
            says="{line} reads another variable than before",
            weight=2.4,
        ),
        Pattern(
            name="variable_removed",
            mechanism="missing_configuration",
            effects=(*_ADDRESS, Effect.CRASH),
            words="name envfrom env environment configmapref secretref volumemounts",
            went=r"^- name:\s*[A-Z][A-Z0-9_]{2,}|^envFrom:|configMapRef|secretRef:|^ENV \w+|^- \w*[A-Z_]{3,}=",
            unless=r"^- name:\s*[A-Z]|envFrom|configMapRef|secretRef|^ENV|^- [A-Z_]{3,}=",
            languages="yaml dockerfile",
            says="{line} is gone from the environment",
            weight=2.4,
        ),
        Pattern(
            name="link_changed",
            mechanism="wrong_address",
            effects=_ADDRESS,
            words="http https grpc redis amqp postgres postgresql mysql mongodb jdbc kafka svc local internal localhost tcp dns 443 80 8080 5432 6379 9092 50051",
            went=_LINK,
            came=_LINK,
            unless_near=r"schemas\.|xmlns|swagger|https?://(?:docs|help|support|wiki)\.",
            says="{line} points elsewhere than before",
            weight=2.4,
        ),
        Pattern(
            name="nginx_target_changed",
            mechanism="wrong_address",
            effects=_ADDRESS,
            words="proxy_pass server upstream rewrite root alias listen server_name fastcgi_pass grpc_pass set_real_ip_from try_files socket_address",
            went=r"^(?:proxy_pass|server\s|rewrite|root|alias|listen|server_name|(?:fastcgi|grpc|uwsgi)_pass|try_files)",
            came=r"^(?:proxy_pass|server\s|rewrite|root|alias|listen|server_name|(?:fastcgi|grpc|uwsgi)_pass|try_files)",
            languages="nginx",
            says="{line} sends requests elsewhere",
            weight=2.4,
        ),
        Pattern(
            name="listener_bound_narrowly",
            mechanism="wrong_address",
            effects=_ADDRESS,
            words="listen bind host 127 localhost 0 addr",
            came=r"(?:127\.0\.0\.1|localhost|\[::1\])",
            went=r"(?:0\.0\.0\.0|[\"']:\d+[\"']|[\"'\[]::[\"':\]])",
            says="{line} listens on this machine only",
            weight=2.8,
        ),
        Pattern(
            name="resolution_changed",
            mechanism="dns_resolution",
            effects=_ADDRESS,
            words="ndots dnspolicy dnsconfig hostaliases nameservers searches resolver networkaddress hostnetwork clusterip publishnotreadyaddresses headless dns",
            came=r"(?i)ndots|dnspolicy|dnsconfig|hostaliases|nameservers|networkaddress\.cache|hostnetwork|^clusterip:|publishnotready|^resolver\s+(?:[\d\[$]|[\w.\-]+(?:\s+\w+=\S+)*;)",
            either=True,
            says="{line} resolves names differently",
            weight=2.2,
        ),
        Pattern(
            name="proxy_set",
            mechanism="proxied",
            effects=_ADDRESS,
            words="http_proxy https_proxy no_proxy proxy proxyurl noproxy",
            came=r"(?i)^(?!_?(?:log\w*|slog|console|print\w*)\b[.( ]).*(?:\b(?:https?|no)_proxy\b|proxyurl|noproxy|\bproxies\s*=)",
            either=True,
            says="{line} sends calls through a proxy, or past it",
            weight=PLAUSIBLE + 0.4,
        ),
    )
)
