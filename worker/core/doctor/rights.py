"""Judgements on rights: what the worker lacks, what it has too much of, and what others should not have."""

from dataclasses import dataclass

from worker.core.finding import Finding, found
from worker.core.quoting import literal
from worker.core.wording import counted

_DISCARD = "select pgmend.discard(array(select event_id from pgmend.dead_letters where writer_role ="
PASTE_AGAIN = 'pgmend sql | psql "$PGMEND_DATABASE_URL"'


@dataclass(frozen=True, slots=True)
class WorkerRole:
    """The role that is judged as the worker's, quoted, and the role pgmend_worker."""

    role: str
    is_superuser: bool
    group_exists: bool
    group_is_bare: bool
    owns_schema: bool


@dataclass(frozen=True, slots=True)
class Writer:
    """A role, quoted, that has captured rows, or may capture them."""

    role: str
    exists: bool
    waiting: int
    is_replayable: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """A privilege that public, anon or authenticated holds: ``function pgmend.requeue(bigint[])``, ``execute``, ``anon``."""

    target: str
    privilege: str
    grantee: str


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit table, and who may do what with it. ``role``: the worker's."""

    table: str
    role: str
    may_insert: bool
    owner: str
    owner_may_insert: bool
    hides_rows: bool
    readers: tuple[str, ...]


def judge_worker_role(worker: WorkerRole, lacking: list[str]) -> list[Finding]:
    """Return what the worker's role lacks of what the worker needs, and what it has beyond that."""
    findings = []
    if worker.is_superuser:
        mend = "create role app_worker login in role pgmend_worker; -- then give it a password"
        findings.append(found("worker_is_superuser", worker.role, what=f"{worker.role} may do everything", mend=mend))
    if not worker.group_exists:
        mend = f"create role pgmend_worker nologin;\n{PASTE_AGAIN}"
        findings.append(found("worker_role_missing", "pgmend_worker", what="the role does not exist", mend=mend))
    elif worker.group_is_bare:
        again = "select pgmend.generate_source_functions(source_id) from pgmend.profile_sources;"
        what = "it may not even read the outbox"
        findings.append(found("worker_role_bare", "pgmend_worker", what=what, mend=f"{PASTE_AGAIN}\n{again}"))
    if lacking:
        shown = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")  # noqa: PLR2004 - a line
        findings.append(_lacks(worker.role, shown))
    return findings


def judge_unreadable(role: str, *, judges_another: bool) -> list[Finding]:
    """Return the finding for a role that may not even look at the schema: it is the worker's, or it only asks about that one."""
    if judges_another:
        what = f"{role} may not look at the schema pgmend"
        return [found("not_seen", "the schema pgmend", what=what, mend=f"grant pgmend_operator to {role};")]
    return [_lacks(role, "select on pgmend.migrations")]


def _lacks(role: str, what: str) -> Finding:
    return found("worker_lacks_rights", role, what=f"it lacks {what}", mend=f"grant pgmend_worker to {role};")


def judge_writers(writers: list[Writer]) -> list[Finding]:
    """Return the roles that the worker cannot replay for."""
    return [_not_replayable(writer) for writer in writers if not writer.is_replayable]


def _not_replayable(writer: Writer) -> Finding:
    name = writer.role.strip('"').replace('""', '"')
    if not writer.exists:
        mend = f"create role {writer.role} nologin; -- or let its rows go: {_DISCARD} {literal(name)}));"
        return found("writer_waits", writer.role, what=f"{_rows(writer)}, and the role is gone", mend=mend)
    mend = f"select pgmend.grant_captures({literal(writer.role)});"
    if writer.waiting:
        return found("writer_waits", writer.role, what=_rows(writer), mend=mend)
    return found("writer_not_replayable", writer.role, what="no function of its own to replay through", mend=mend)


def _rows(writer: Writer) -> str:
    return f"{counted(writer.waiting, 'captured row')} of it"


def judge_openings(openings: list[Opening]) -> list[Finding]:
    """Return what is open to everybody, or to the roles of an HTTP data API."""
    return [
        found(
            "open_to_outsiders",
            opening.target,
            what=f"{opening.privilege} is granted to {opening.grantee}",
            mend=f"revoke {opening.privilege} on {opening.target} from {opening.grantee};",
        )
        for opening in openings
    ]


def judge_audit(audit: Audit | None) -> list[Finding]:
    """Return what is wrong with the audit table. None: the view is gone, and perhaps the table with it."""
    if audit is None:
        what = "the view pgmend.audit_entries is gone"
        return [found("audit_unreachable", "pgmend.audit_entries", what=what, mend=PASTE_AGAIN)]
    findings = []
    if not audit.may_insert:
        mend = "grant select, insert on pgmend.audit_entries to pgmend_worker;"
        findings.append(found("audit_unreachable", audit.table, what=f"{audit.role} may not insert", mend=mend))
    if not audit.owner_may_insert:
        mend = f"grant select, insert on {audit.table} to {audit.owner};"
        what = f"{audit.owner}, who owns the view on it, may not insert"
        findings.append(found("audit_unreachable", audit.table, what=what, mend=mend))
    if audit.readers and not audit.hides_rows:
        readers = ", ".join(audit.readers)
        mend = f"revoke all on {audit.table} from {readers};"
        findings.append(found("audit_open", audit.table, what=f"readable by {readers}", mend=mend))
    return findings
