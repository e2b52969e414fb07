"""Judgements on the server and on the way to it."""

from dataclasses import dataclass

from worker.core.finding import Finding, found

NEWEST_TESTED = 18


@dataclass(frozen=True, slots=True)
class Server:
    """What a connection says of the other end, before anything of pgmend is looked at."""

    major: int
    version: str
    is_standby: bool
    database: str
    role: str
    is_superuser: bool
    schema_exists: bool
    schema_is_readable: bool
    identity: str


@dataclass(frozen=True, slots=True)
class Way:
    """What the probes found out: ``pooler`` is none, session or transaction; None is what could not be tried."""

    pooler: str | None = None
    hears: bool | None = None
    prepared_statements_last: bool | None = None
    listens_elsewhere: bool = False
    listen_error: str | None = None


def judge_server(server: Server) -> list[Finding]:
    """Return what is wrong with the server."""
    findings = []
    if server.is_standby:
        findings.append(
            found(
                "server_is_standby", server.database, what="the server is in recovery", mend="PGMEND_DATABASE_URL=the primary's"
            )
        )
    if server.major > NEWEST_TESTED:
        findings.append(
            found(
                "server_untested",
                server.database,
                what=f"Postgres {server.version}; tested up to {NEWEST_TESTED}",
                mend="pip install --upgrade pgmend",
            )
        )
    return findings


def judge_way(way: Way) -> list[Finding]:
    """Return what is wrong with the way to the server."""
    direct = "PGMEND_LISTEN_URL=postgresql://user:password@the-direct-host:5432/database"
    findings = []
    if way.listen_error is not None:
        findings.append(found("listen_url_unreachable", "listen_url", what=way.listen_error, mend=direct))
    elif way.listens_elsewhere:
        what = "another server or another database answers there"
        findings.append(found("listen_url_elsewhere", "listen_url", what=what, mend=direct))
    elif way.hears is False:
        findings.append(found("listen_deaf", "the doorbell", what="it was rung and not heard", mend=direct))
    if way.prepared_statements_last is False:
        what = "prepared in one transaction, unknown in the next"
        findings.append(found("prepared_statements_lost", "database_url", what=what, mend="PGMEND_PREPARED_STATEMENTS=false"))
    return findings
