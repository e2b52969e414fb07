"""The catalogue of the doctor's checks. ``docs/doctor.md`` shows it to people, and a test holds the two together."""

from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first. An error breaks a promise now, a warning puts one at risk, a note is to be known."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check finds, why that matters, and what mends it. A finding carries the SQL for the place."""

    severity: Severity
    finds: str
    why: str
    mend: str


CHECKS: dict[str, Check] = {
    "server_is_standby": Check(
        "error",
        "the server is a standby",
        "Nothing can be healed where nothing can be written.",
        "lead `PGMEND_DATABASE_URL` to the primary",
    ),
    "server_untested": Check(
        "warning",
        "the server is newer than those that pgmend is tested on",
        "The catalog changes between majors, and so may what the functions rely on.",
        "upgrade pgmend",
    ),
    "listen_url_unreachable": Check(
        "error",
        "`PGMEND_LISTEN_URL` leads nowhere",
        "The worker does not start without its listening connection.",
        "correct `PGMEND_LISTEN_URL`, or remove it where no pooler is in between",
    ),
    "listen_url_elsewhere": Check(
        "error",
        "`PGMEND_LISTEN_URL` and `PGMEND_DATABASE_URL` lead to different databases",
        "Notifications do not cross databases: the worker would never be woken.",
        "let both lead to one database",
    ),
    "listen_deaf": Check(
        "warning",
        "a notification of one connection does not arrive at the other",
        "A transaction pooler is in between: the worker polls instead of being woken, and heals a second later.",
        "set `PGMEND_LISTEN_URL` to a direct address or a session pooler",
    ),
    "prepared_statements_lost": Check(
        "error",
        "a prepared statement does not outlive its transaction",
        "A transaction pooler is in between that does not carry them: the worker's statements fail at random.",
        "set `PGMEND_PREPARED_STATEMENTS=false`",
    ),
    "schema_missing": Check(
        "error", "the schema `pgmend` is not installed", "Nothing is recorded and nothing is healed.", "`pgmend migrate`"
    ),
    "migrations_pending": Check(
        "error",
        "the schema is older than this version of pgmend",
        "The worker refuses to start on it.",
        "`pgmend migrate`",
    ),
    "schema_newer": Check(
        "error", "the schema is newer than this version of pgmend", "The worker refuses to start on it.", "upgrade pgmend"
    ),
    "migration_drift": Check(
        "error",
        "an applied migration differs from the file",
        "What stands in the database is not what this version was tested with.",
        "install the version that was applied, or restore the file",
    ),
    "audit_unreachable": Check(
        "error",
        "no audit entry can be written",
        "Every effect is audited in its own transaction: without the audit table nothing is healed.",
        "grant the insert, or bring the view back with `pgmend sql`",
    ),
    "audit_open": Check(
        "error",
        "public, anon or authenticated may read the audit table",
        "Its entries name users and what failed for them.",
        "revoke it, or turn on row-level security",
    ),
    "worker_lacks_rights": Check(
        "error",
        "the worker's role lacks a right that it needs",
        "The worker ends with a missing privilege, or sets events aside that are none's fault.",
        "grant `pgmend_worker` to it",
    ),
    "worker_role_bare": Check(
        "error",
        "the role `pgmend_worker` exists but holds none of its rights",
        "It was made after the schema; whoever belongs to it can do nothing.",
        "paste `pgmend sql` once more, and make each source's functions again",
    ),
    "worker_role_missing": Check(
        "note",
        "there is no role `pgmend_worker`",
        "The worker then runs with all rights of the installer.",
        "create it and paste `pgmend sql` once more, where roles can be made",
    ),
    "worker_is_superuser": Check(
        "warning",
        "the worker's role is a superuser",
        "The worker needs a few rights of pgmend_worker; whatever else it has can be borrowed by code that runs in a replay.",
        "connect as a login that belongs to `pgmend_worker`",
    ),
    "writer_waits": Check(
        "error",
        "captured rows wait for a role that the worker cannot replay for",
        "They stay unwritten until it can.",
        "`pgmend.grant_captures(role)`",
    ),
    "writer_not_replayable": Check(
        "warning",
        "a role may capture failed inserts, but the worker cannot replay for it",
        "Its next failed insert would be captured and never written.",
        "`pgmend.grant_captures(role)`",
    ),
    "open_to_outsiders": Check(
        "error",
        "something of the schema `pgmend`, beyond the captures, is open to public, anon or authenticated",
        "Events and dead letters hold captured rows, and the functions run with the rights of the installer.",
        "revoke it",
    ),
    "nothing_attached": Check(
        "warning",
        "no profile source is attached",
        "pgmend does not know where users sign up, and does nothing.",
        "`pgmend attach`, or `pgmend.attach_source`",
    ),
    "source_paused": Check(
        "error",
        "a profile source is paused",
        "No profile is made and no captured row is replayed until a person has looked and resumes it.",
        "`pgmend diagnose` first, to see where the profiles went; then `pgmend resume`",
    ),
    "source_table_gone": Check(
        "error",
        "the users table or the profiles table of a source was dropped",
        "Each sweep and each event of the source fails.",
        "attach the table that took its place, and delete the old source",
    ),
    "source_column_gone": Check(
        "error",
        "a key column, or a column that the recipe fills, is gone or renamed",
        "No profile can be built any more.",
        "attach again with the column's present name",
    ),
    "condition_refused": Check(
        "error",
        "`eligible_when` or `erased_when` of a source raises, whoever the user is",
        "Nothing is healed, replayed or counted for the source: its events come back later, until they are dead letters.",
        "attach again with a condition that holds, which makes what waits due at once",
    ),
    "source_fails": Check(
        "error",
        "the last sweep could do nothing for a source, or events come back with what no user's values are the reason of",
        "Nothing is healed, replayed or counted for the source, and its numbers are those of before.",
        "mend what the message names, then `pgmend resume`, which makes what waits due at once; "
        "the finding goes with the worker's next look, within a minute",
    ),
    "key_type_changed": Check(
        "error",
        "the key of the users table has another type than when it was attached",
        "The functions cast every key to the old type and fail.",
        "`pgmend.generate_source_functions(source_id)`",
    ),
    "source_functions_missing": Check(
        "error",
        "functions that were made for a source are gone",
        "The worker calls them for every event.",
        "`pgmend.generate_source_functions(source_id)`",
    ),
    "sign_up_trigger_missing": Check(
        "error",
        "the sign-up trigger is gone from the users table",
        "Nothing announces a sign-up: a missing profile stays missing until the sweep comes around.",
        "put it back",
    ),
    "sign_up_trigger_disabled": Check(
        "error",
        "the sign-up trigger is disabled, or fires for replicas only",
        "Nothing announces a sign-up: a missing profile stays missing until the sweep comes around.",
        "make it anew, which enables it",
    ),
    "sign_up_trigger_repointed": Check(
        "error",
        "the sign-up trigger calls another function, or fires for something else than each inserted row",
        "Sign-ups are announced wrongly or not at all.",
        "make it anew",
    ),
    "sign_up_function_invoker": Check(
        "error",
        "the sign-up function is not security definer",
        "Whoever signs up has no right on the outbox: the event is not written.",
        "`pgmend.generate_source_functions(source_id)`",
    ),
    "sign_up_function_altered": Check(
        "warning",
        "the sign-up function reads differently from the one that pgmend makes",
        "It runs in every sign-up, with the rights of the installer.",
        "`pgmend.generate_source_functions(source_id)`",
    ),
    "owner_lacks_rights": Check(
        "error",
        "the owner of a source's functions lacks a right on the users table or the profiles table",
        "Healing locks the users row, which takes UPDATE, reads both tables and inserts the profile.",
        "grant it",
    ),
    "row_security_hides": Check(
        "error",
        "row-level security hides users or profiles from the owner of a source's functions",
        "Users are taken for absent, and profiles cannot be made.",
        "give the owner a policy, or BYPASSRLS",
    ),
    "recipe_lacks_column": Check(
        "error",
        "a NOT NULL column of the profiles table has no default and is not in the recipe",
        "Every profile that the recipe builds is refused.",
        "attach again with an expression for it, or give the column a default",
    ),
    "recipe_refused": Check(
        "error",
        "a profile that the recipe builds for a present user is refused",
        "These users end as dead letters instead of being healed.",
        "attach again with a recipe that holds for them, or exclude them with `eligible_when`",
    ),
    "recipe_makes_nothing": Check(
        "error",
        "the recipe raises nothing and makes no profile for a present user",
        "A trigger, a rule or the recipe function drops the row: these users are never healed.",
        "change what drops it",
    ),
    "recipe_not_tried": Check(
        "note",
        "the recipe was not tried",
        "Whether a profile would be accepted is known when the next one is made.",
        "run the doctor again when a user has no profile",
    ),
    "users_without_profile": Check(
        "warning",
        "users who should have a profile have none",
        "Every insert that refers to them fails.",
        "run the worker; what its sweep cannot heal becomes a dead letter",
    ),
    "application_trigger_disabled": Check(
        "warning",
        "a trigger of the application on the users table is disabled, or fires for replicas only",
        "What it did at a sign-up is done no more; pgmend makes the profile and nothing else.",
        "enable it, or drop it",
    ),
    "application_trigger_invoker": Check(
        "warning",
        "the application's sign-up trigger is not security definer",
        "It needs every right of whoever signs up, and where one is missing the sign-up fails.",
        "make its function security definer with a pinned search_path",
    ),
    "application_trigger_path": Check(
        "warning",
        "the application's sign-up function, or another one there that lends its owner's rights, pins no search_path",
        "Whoever signs up chooses which tables and functions its names find.",
        "pin it",
    ),
    "application_trigger_swallows": Check(
        "warning",
        "the application's sign-up trigger swallows its errors",
        "A profile that could not be made is nobody's knowledge but pgmend's.",
        "let the handler raise, or drop the trigger and let pgmend make the profiles",
    ),
    "profile_trigger_path": Check(
        "warning",
        "the function of a trigger on the profiles table pins no search_path",
        "Healing runs it with a search_path of pg_catalog alone: a name without its schema is not found there.",
        "pin it to the schemas that it uses",
    ),
    "profile_trigger_fires": Check(
        "note",
        "a trigger on the profiles table fires for each profile that is healed",
        "What it does (a welcome message, a counter) is done for users who signed up long ago as well.",
        "nothing, if that is wanted",
    ),
    "key_not_guarded": Check(
        "warning",
        "a foreign key to the profiles is not guarded: its insert path is not captured",
        "An insert that meets a missing profile there fails and is lost.",
        "`pgmend.guard(table, constraint)`",
    ),
    "guard_without_key": Check(
        "error",
        "a guarded foreign key is gone, renamed, or leads elsewhere",
        "The guard guards nothing, and captured rows of it cannot be replayed.",
        "`pgmend.unguard(table, constraint)`, and guard the key that took its place",
    ),
    "guard_trigger_missing": Check(
        "error", "the trigger of a guard is gone", "Inserts that it should look after fail as before.", "guard it again"
    ),
    "guard_trigger_disabled": Check(
        "error",
        "the trigger of a guard is disabled, or fires for replicas only",
        "Inserts that it should look after fail as before.",
        "guard it again, which makes the trigger anew",
    ),
    "key_not_valid": Check(
        "warning",
        "a foreign key to the profiles is NOT VALID",
        "Rows from before it may refer to nobody.",
        "remove the orphans, then validate it",
    ),
    "key_without_index": Check(
        "warning",
        "the columns of a foreign key to the profiles have no index",
        "Each erased profile reads the whole referencing table, under a lock.",
        "create one",
    ),
    "key_twice": Check(
        "warning",
        "two foreign keys say the same under two names",
        "Each insert pays for both, a guard looks after one, and HTTP data APIs find the relation ambiguous.",
        "drop one",
    ),
    "worker_not_seen": Check(
        "warning",
        "no worker has been seen lately",
        "Events are recorded, and nobody settles them.",
        "`pgmend run`",
    ),
    "events_overdue": Check(
        "warning",
        "events that are due have been waiting for long",
        "The worker is down, or slower than they come.",
        "look at the log of `pgmend run`",
    ),
    "dead_letters_waiting": Check(
        "warning",
        "dead letters wait for a person",
        "Each is a user without profile, or a row that is not written.",
        "remove the reason, then `pgmend.requeue`, or let them go with `pgmend.discard`",
    ),
    "not_seen": Check(
        "note",
        "the role of this connection may not look at something, or it took too long",
        "What was not looked at is not judged.",
        "run the doctor as the role that ran `pgmend migrate`",
    ),
}
"""Every check, the more fundamental first."""
