"""What databases, brokers and their drivers say when they refuse: one pattern per kind of trouble.

Sources: error texts of MySQL 5.7 and 8, PostgreSQL 9 to 17, MongoDB 4 to 7, Redis 6 and 7, RabbitMQ
3, Kafka 3, Oracle, SQL Server, Cassandra, and of their usual drivers.
"""

import re

DENIED = re.compile(
    r"Access denied for user|password authentication failed|no pg_hba\.conf entry|"
    r"role \"[^\"]+\" does not exist|28P01|"
    r"(?<!re)Authentication failed\b|AuthenticationFailed|bad auth\b|auth(?:entication)? error|"
    r"WRONGPASS|NOAUTH|invalid username-password|invalid password|"
    r"ACCESS_REFUSED|Login was refused|SaslAuthenticationException|SASL authentication error|"
    r"ORA-01017|Login failed for user|username and/or password are incorrect",
    re.I,
)
OF_A_DATABASE = re.compile(
    r"Access denied for user '|password authentication failed for user|pg_hba|28P01|WRONGPASS|"
    r"NOAUTH|Mongo|ACCESS_REFUSED|Sasl|ORA-0|SQLException|database|\bDB\b|"
    r"role \"[^\"]+\" does not exist",
    re.I,
)
FULL = re.compile(
    r"Too many connections|remaining connection slots are reserved|sorry, too many clients|"
    r"max number of clients reached|\b53300\b|rejected establishment of connection|"
    r"too many open connections|max_user_connections|ORA-00018|ORA-00020|"
    r"connection limit \(\d+\) (?:is )?reached|no more connections allowed",
    re.I,
)
READ_ONLY = re.compile(
    r"running with the --(?:super-)?read-only|read-only transaction|READONLY You can't write|"
    r"super_read_only|Connection is read-only|database is (?:in )?read[- ]only|\b25006\b|"
    r"NotWritablePrimary|not primary\b|not master\b|NotPrimaryNoSecondaryOk|ORA-16000|"
    r"attempt to write a readonly database",
    re.I,
)
NO_SPACE = re.compile(
    r"No space left on device|disk is full|could not extend file|OS errno 28|ENOSPC|"
    r"unable to persist on disk|Disk resource limit alarm|disk resource limit|ORA-01653|"
    r"free disk space .* insufficient|disk usage exceeded|flood[- ]stage (?:disk )?watermark",
    re.I,
)
NO_LINK = re.compile(
    r"Communications link failure|ECONNREFUSED|Connection refused|could not connect to server|"
    r"Can't connect to (?:MySQL )?server|connection timed out|connect timed out|ETIMEDOUT|"
    r"i/o timeout|No route to host|could not be established|Unable to connect|"
    r"server selection timed? ?out|ServerSelectionTimeout|connection (?:attempt )?failed|"
    r"error \d+ connecting to",
    re.I,
)
RECONNECTED = re.compile(r"\bre-?connected\b|\bconnected again\b|\bre-?established\b", re.I)
ENGINE = re.compile(
    r"mysql|maria|postgres|pgbouncer|postgis|timescale|mongo|redis|valkey|percona|oracle|mssql|"
    r"cassandra|scylla|rabbit|kafka|redpanda|elasticsearch|opensearch|cockroach|memcached|etcd|nats",
    re.I,
)
URL = re.compile(
    r"^(?:jdbc:)?(?P<scheme>mysql|mariadb|postgres(?:ql)?|mongodb|rediss?|amqps?|sqlserver|oracle|"
    r"cockroachdb|kafka)(?:[+:]\w+)?:(?://)?(?:[^@/\s]*@)?(?P<host>[a-zA-Z0-9][\w.-]*):(?P<port>\d{2,5})\b"
)
