"""What limits, configures and authorises pods: quotas, accounts, config maps, secrets, roles."""

from collections.abc import Sequence
from typing import Any

from bot.evaluation.cloud_opsbench.kubectl.outline import Outline, clean, outline, table

LIMIT_COLUMNS = {
    "Min": "min",
    "Max": "max",
    "Default Request": "defaultRequest",
    "Default Limit": "default",
    "Max Limit/Request Ratio": "maxLimitRequestRatio",
}


def quota(text: str) -> dict[str, Any]:
    """Return spec and status of a described resource quota."""
    rows = table(_from_header(text.splitlines(), "Resource"))
    hard = {row["Resource"]: row["Hard"] for row in rows if row.get("Hard")}
    used = {row["Resource"]: row["Used"] for row in rows if row.get("Used")}
    return {"spec": {"hard": hard}, "status": {"hard": hard, "used": used}}


def limit_range(text: str) -> dict[str, Any]:
    """Return the spec of a described limit range."""
    limits: dict[str, dict[str, Any]] = {}
    for row in table(_from_header(text.splitlines(), "Type")):
        limit = limits.setdefault(row.get("Type", ""), {"type": row.get("Type", "")})
        for column, field in LIMIT_COLUMNS.items():
            if row.get(column, "-") not in ("-", ""):
                limit.setdefault(field, {})[row["Resource"]] = row[column]
    return {"spec": {"limits": list(limits.values())}}


def quotas_of_namespace(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return name and body of each resource quota that `kubectl describe namespace` lists."""
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if line.strip() in QUOTA_TITLES]
    if not starts:
        return []
    blocks: list[tuple[str, list[str]]] = []
    for line in lines[starts[0] + 1 :]:
        if line and not line.startswith(" "):
            break
        if line.strip().startswith("Name:"):
            blocks.append((line.partition(":")[2].strip(), []))
        elif blocks:
            blocks[-1][1].append(line)
    return [(name, quota("\n".join(block))) for name, block in blocks]


QUOTA_TITLES = ("Resource Quotas", "Resource Quotas:")


def namespace(text: Outline) -> dict[str, Any]:
    """Return the status of a described namespace."""
    return {"status": clean({"phase": text.value("Status")})}


def service_account(text: Outline) -> dict[str, Any]:
    """Return the fields of a service account; pull secrets that do not exist are marked."""
    pull = text.entry("Image pull secrets").items()
    names = [name.partition(" ")[0] for name in pull]
    missing = [name.partition(" ")[0] for name in pull if "(not found)" in name]
    return clean(
        {
            "imagePullSecrets": [{"name": name} for name in names],
            "missingPullSecrets": missing,
            "secrets": [
                {"name": name.partition(" ")[0]} for name in text.entry("Mountable secrets").items()
            ],
        }
    )


def secret(text: str) -> dict[str, Any]:
    """Return type and keys of a described secret; kubectl prints sizes instead of values."""
    head, _, rest = text.partition("\nData\n")
    sizes = outline([line for line in rest.splitlines() if not line.startswith("====")])
    data = {entry.key: f"<{entry.value}>" for entry in sizes if entry.value.endswith("bytes")}
    return clean({"type": outline(head).value("Type"), "data": data})


def config_map(text: str) -> dict[str, Any]:
    """Return the data of a described config map."""
    body = text.partition("\nData\n====\n")[2].partition("\nBinaryData\n")[0]
    lines = body.splitlines()
    starts = [i for i in range(len(lines) - 1) if lines[i + 1] == "----" and lines[i].endswith(":")]
    ends = [*starts[1:], len(lines)]
    data = {
        lines[start][:-1]: "\n".join(lines[start + 2 : end]).strip("\n")
        for start, end in zip(starts, ends, strict=True)
    }
    return {"data": data}


def role_binding(text: Outline) -> dict[str, Any]:
    """Return role and subjects of a described (cluster) role binding."""
    role = text.entry("Role").below()
    subjects = [
        clean({"kind": row.get("Kind"), "name": row.get("Name"), "namespace": row.get("Namespace")})
        for row in table(text.entry("Subjects").lines)
    ]
    return {
        "roleRef": clean({"kind": role.value("Kind"), "name": role.value("Name")}),
        "subjects": subjects,
    }


def role(text: Outline) -> dict[str, Any]:
    """Return the rules of a described (cluster) role."""
    rows = table(text.entry("PolicyRule").lines)
    return {
        "rules": [
            {
                "resources": [row.get("Resources", "")],
                "verbs": row.get("Verbs", "").strip("[]").split(),
            }
            for row in rows
        ]
    }


def _from_header(lines: Sequence[str], first: str) -> list[str]:
    start = next((i for i, line in enumerate(lines) if line.split()[:1] == [first]), len(lines))
    return list(lines[start:])
