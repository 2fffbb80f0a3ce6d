"""Schema changes that running code, other services or the data itself do not fit."""

import re
from collections.abc import Iterator

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.naming import if_lost
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import PLAUSIBLE, Pattern, Rule, any_of, reading, shown

_BREAKS = (Effect.SCHEMA, Effect.ERRORS)
_DOWN = (
    r"(?i)\bdef (?:downgrade|down)\b|func down|migrate:down|goose down|async down\(|exports\.down"
)
_UP_PATH = r"(?i)^(?!.*(?:\.down\.|rollback|/undo)).*$"
_NEW_TABLE = re.compile(r"(?i)\b(?:from|join|into|update)\s+[`\"]?((?:\w+\.)?[a-z_]\w{2,})[`\"]?")
_MADE = re.compile(
    r"(?i)create (?:table|view|materialized view)(?: if not exists)? [`\"]?([\w.]+)|\bwith (\w+) as|\), (\w+) as \("
)
_SQL_LANGUAGES = frozenset(["sql", "go", "java", "python", "js", "csharp", "ruby", "php", "rust"])
_NOT_TABLES = frozenset(
    [
        "select",
        "set",
        "where",
        "dual",
        "unnest",
        "lateral",
        "the",
        "information_schema",
        "values",
        "excluded",
        "table",
    ]
)


def _unknown_table(change: Change) -> Iterator[Reading]:
    if change.language not in _SQL_LANGUAGES or not any(
        word in change.came for word in ("from", "into", "join", "update")
    ):
        return
    shown_before = {
        name.lower()
        for hunk in change.hunks
        for line in hunk.side("-")
        for name in _tables(line.code)
    }
    made = {
        m.lower() for hunk in change.hunks for line in hunk.side("+")
        for groups in _MADE.findall(line.code) for m in groups if m
    }  # fmt: skip
    for line in change.added:
        for name in _tables(line.code):
            if name.lower() not in shown_before | made | _NOT_TABLES:
                replaced = any(_tables(old.code) for old in change.hunk_of(line).removed)
                weight = 2.2 if replaced else 1.4
                yield reading("table_first_used", "missing_table", _BREAKS, weight,
                              f"{shown(line)} uses {name}, which the change does not make",
                              change, line)  # fmt: skip
                return


def _tables(code: str) -> list[str]:
    if not re.search(r"(?i)\b(?:select|insert|update|delete|from|join)\b", code) or re.match(
        r"(?:from [\w.]+ )?import |from \S+ import|import ", code
    ):
        return []
    if not (
        re.search(r"\b(?:SELECT|INSERT|UPDATE|DELETE|FROM|JOIN)\b", code)
        or re.search(r"(?i)select .*from|insert into|update \w+ set|delete from", code)
    ):
        return []
    return list(_NEW_TABLE.findall(code))


def _column_renamed(change: Change) -> Iterator[Reading]:
    """An ORM column's name, or a column of a query, becomes another."""
    pattern = (
        r"(?:@Column\(\s*name\s*=\s*|db:|gorm:\"column:|db_column=|\[Column\(|column_name:?\s*|name:\s*)"
        r"[\"'`\"]?([\w]+)"
    )
    went, came = ({(f[1], line) for line in side if (f := re.search(pattern, line.code))}
                  for side in (change.removed, change.added))  # fmt: skip
    if change.language in ("yaml", "json", "toml", "properties", "terraform", "proto"):
        return
    old, new = {name for name, _ in went}, {name for name, _ in came}
    if old - new and new - old:
        line = next(line for name, line in came if name in new - old)
        if re.search(r"(?i)column|db:|gorm", line.code):
            yield reading("mapped_column_renamed", "renamed_column", _BREAKS, 2.6,
                          f"{shown(line)} reads another column than before", change, line)  # fmt: skip


def _selected_column(change: Change) -> Iterator[Reading]:
    """A query names a column that its former text did not have."""
    for hunk in change.hunks:
        went = [
            line
            for line in hunk.removed
            if re.search(r"\b(?:SELECT|UPDATE|INSERT|WHERE|SET)\b", line.code)
        ]
        came = [
            line
            for line in hunk.added
            if re.search(r"\b(?:SELECT|UPDATE|INSERT|WHERE|SET)\b", line.code)
        ]
        if went and came:
            old = {w for line in went for w in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", line.code)}
            new = {w for line in came for w in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", line.code)}
            if old - new and new - old and not any_of(r"(?i)add column", hunk.added):
                yield reading("queried_column_renamed", "renamed_column", _BREAKS, 2.0,
                              f"{shown(came[0])} names {min(new - old)} where it named {min(old - new)}",
                              change, came[0])  # fmt: skip
                return


# The values that a column admits: another list of them breaks something only if one is gone.
_NAMED = {"enum_value_removed": re.compile(r"[\"']([^\"']+)[\"']")}

RULES = (
    Rule(name="table_first_used", read=_unknown_table),
    Rule(name="mapped_column_renamed", read=_column_renamed),
    Rule(name="queried_column_renamed", read=_selected_column),
    *(
        if_lost(rule.rule(), _NAMED.get(rule.name))
        for rule in (
            Pattern(
                name="column_dropped",
                mechanism="dropped_column",
                effects=_BREAKS,
                words="drop drop_column removecolumn remove_column dropcolumn removefield",
                came=r"(?i)\bdrop\s+column\b|drop_?column\(?|remove_?column|migrations\.removefield|alter table \w+ drop (?!constraint|index|foreign|primary|not|default)\w",
                unless_near=_DOWN,
                path=_UP_PATH,
                says="{line} drops a column that the running version may still read",
            ),
            Pattern(
                name="column_renamed",
                mechanism="renamed_column",
                effects=_BREAKS,
                words="rename rename_column renamecolumn renamefield change",
                came=r"(?i)^(?!.*\balter\s+(?:index|sequence)\b).*\brename\s+(?:column|to)\b|rename_?column|migrations\.renamefield|alter table \w+ (?:rename|change)\b|sp_rename",
                unless_near=_DOWN,
                path=_UP_PATH,
                says="{line} renames what the running version still uses",
            ),
            Pattern(
                name="table_dropped",
                mechanism="dropped_table",
                effects=_BREAKS,
                words="drop drop_table droptable deletemodel rename_table renametable truncate",
                came=r"(?i)\bdrop\s+(?:table|view|schema|sequence|type)\b|drop_?table|migrations\.(?:delete|rename)model|rename_?table|\btruncate table\b",
                unless_near=_DOWN,
                unless=r"(?i)drop table if exists \w*(?:tmp|temp|_old|_bak)",
                path=_UP_PATH,
                says="{line} takes away a table",
            ),
            Pattern(
                name="not_null_added",
                mechanism="not_null_without_default",
                effects=(*_BREAKS, Effect.LOCKS),
                words="not null nullable set_not_null changecolumnnull change_column_null isrequired required",
                came=r"(?i)(?:add\s+(?:column\s+)?\W?\w+\W?\s+[\w() ,]+not null(?!.*default)|set not null|nullable=False(?!.*server_default)|null:\s*false(?!.*default)|change_column_null|alter column \w+ (?!drop\b)\w+ not null|modify .*not null(?!.*default))",
                unless_near=_DOWN + r"|(?i:create_?table|createmodel)",
                path=r"(?i)migrat|alembic|flyway|liquibase|/db/|\.sql$|schema|^$",
                says="{line}: rows and writers without a value now fail",
            ),
            Pattern(
                name="constraint_added",
                mechanism="new_constraint",
                effects=(*_BREAKS, Effect.LOCKS),
                words="constraint unique foreign check add_foreign_key unique_together addconstraint uniqueconstraint references validates",
                came=r"(?i)add\s+constraint|add\s+(?:unique|foreign key|check)|add_foreign_key|create unique index|uniqueconstraint\(|unique_together|migrations\.addconstraint|unique=True|create_unique_constraint|create_foreign_key|create_check_constraint",
                unless_near=_DOWN + r"|(?i:create_?table)",
                says="{line} refuses rows that were accepted",
                weight=2.0,
            ),
            Pattern(
                name="type_narrowed",
                mechanism="column_type_narrowed",
                effects=(*_BREAKS, Effect.WRONG_RESULT, Effect.LOCKS),
                words="alter type modify varchar int smallint altercolumn alter_column change_column numeric decimal bigint",
                came=r"(?i)alter\s+(?:column\s+)?\W?\w+\W?\s+(?:set data\s+)?type\b|modify\s+(?:column\s+)?\w+|alter_column\(.*type_|change_column\b|migrations\.alterfield|alter table \w+ alter column \w+ (?!(?:set|drop|add|restart)\b)\w",
                unless_near=_DOWN,
                path=_UP_PATH,
                says="{line} changes a column's type, which rewrites the table and may not hold its values",
                weight=2.2,
            ),
            Pattern(
                name="type_shrunk",
                mechanism="column_type_narrowed",
                effects=(*_BREAKS, Effect.WRONG_RESULT),
                words="bigint bigserial varchar text int64 long bigintegerfield longtext decimal integer int int32 smallint double numeric float",
                went=r"(?i)\b(?:bigint|bigserial|bigintegerfield|int64|long|longtext|text|double|decimal|numeric|biginteger)\b",
                came=r"(?i)\b(?:int|integer|serial|integerfield|int32|smallint|int16|float|float32|real|tinyint)\b|\bvarchar\(\d+\)",
                unless=r"(?i)\b(?:bigint|bigserial|int64|long|longtext|text|double)\b",
                languages="sql go java csharp python ruby proto rust c",
                unless_went=r"(?i)\bfunc|=>|import|\(\)|return",
                says="{line} holds less than before",
                weight=2.0,
            ),
            Pattern(
                name="enum_value_removed",
                mechanism="enum_value_removed",
                effects=(*_BREAKS, Effect.CRASH),
                words="enum check in",
                went=r"(?i)\benum\s*\(|check\s*\(\s*\w+\s+in|create type \w+ as enum",
                came=r"(?i)\benum\s*\(|check\s*\(\s*\w+\s+in|create type \w+ as enum",
                says="{line} changes which values are allowed",
                weight=2.0,
            ),
            Pattern(
                name="table_rewritten",
                mechanism="migration_lock",
                effects=(Effect.LOCKS, Effect.LATENCY, Effect.TIMEOUTS, Effect.SLOW_QUERY),
                words="index alter vacuum cluster reindex lock concurrently add_index optimize backfill update refresh",
                came=r"(?i)create\s+(?:unique\s+)?index\s+(?!concurrently)|\bvacuum full|\breindex\b(?! concurrently)|\block table\b|\bcluster \w+ using|refresh materialized view (?!concurrently)|optimize table|^add_index (?!.*concurrently)|op\.create_index\((?!.*concurrently)",
                unless=r"(?i)concurrently|create table|algorithm=inplace|algorithm:|lock=none",
                path=r"(?i)migrat|alembic|flyway|/db/|\.sql$|schema|^$",
                says="{line} locks the table while it runs",
                weight=2.2,
            ),
            Pattern(
                name="concurrently_removed",
                mechanism="migration_lock",
                effects=(Effect.LOCKS, Effect.LATENCY, Effect.TIMEOUTS),
                words="concurrently indexconcurrently inplace disable_ddl_transaction lock_timeout",
                went=r"(?i)\b(?:index|view)\s+concurrently|indexconcurrently|concurrently\s*=\s*true|algorithm\s*[:=]\s*:?(?:inplace|concurrently)|disable_ddl_transaction|lock_timeout",
                unless=r"(?i)concurrently|inplace|disable_ddl|lock_timeout",
                says="{line} is gone: the migration now locks the table",
                weight=2.4,
            ),
            Pattern(
                name="whole_table_updated",
                mechanism="migration_lock",
                effects=(Effect.LOCKS, Effect.SLOW_QUERY, Effect.LATENCY),
                words="update delete update_all",
                came=r"(?i)^[\"'`(\w.]*\s*\(?[\"'`]?(?:update\s+\w+\s+set\b(?!.*\bwhere\b)|delete\s+from\s+\w+\s*(?:;|[\"'`)]|$))|\.update_all\(|\.delete_all\b",
                unless=r"(?i)\bwhere\b|^where",
                says="{line} rewrites every row",
                weight=2.4,
            ),
            Pattern(
                name="column_added_with_default",
                mechanism="migration_lock",
                effects=(Effect.LOCKS, Effect.SCHEMA),
                words="add add_column addfield addcolumn",
                came=r"(?i)add\s+column\b|\badd_column\b|migrations\.addfield|addColumn\(",
                unless=r"(?i)not null(?!.*default)",
                unless_near=_DOWN,
                says="{line} adds a column",
                weight=0.3,
            ),
            Pattern(
                name="model_field_required",
                mechanism="not_null_without_default",
                effects=_BREAKS,
                words="null blank nullable required",
                went=r"null=True|nullable=True|\?\s+\w+ \{ get; set; \}|nullable: true|optional: true",
                came=r"null=False|nullable=False|nullable: false|\w+Field\((?!.*null=True)|optional: false|required: true",
                says="{line} no longer admits an empty value",
                weight=2.0,
            ),
            Pattern(
                name="migration_dependency_changed",
                mechanism="migration_order",
                effects=_BREAKS,
                words="down_revision depends_on dependencies",
                came=r"down_revision\s*=|depends_on\s*=|dependencies = \[",
                went=r"down_revision\s*=|depends_on\s*=|dependencies = \[",
                path=r"(?i)migrat|alembic|versions",
                says="{line} changes the order of migrations",
                weight=PLAUSIBLE,
            ),
        )
    ),
)
