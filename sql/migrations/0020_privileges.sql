-- Who may do what. The schema is closed; pgmend_worker may run the worker and nothing else; pgmend_operator may read all of it,
-- send dead letters back or let them go, stop a source and let it go on; the application's roles get the capture functions one by
-- one from pgmend.grant_captures. Where the installer may not make roles, the worker runs as the installer.
do $migration$
declare
    role_name name;
begin
    if (select rolcreaterole or rolsuper from pg_roles where rolname = current_user) then
        for role_name in select wanted from unnest(array['pgmend_worker', 'pgmend_operator']) as wanted where to_regrole(wanted) is null loop
            begin
                execute format('create role %I nologin', role_name);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end loop;
    end if;
end
$migration$;

create or replace function pgmend.open_captures(writer regrole)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    execute format('grant usage on schema pgmend to %s', writer);
    execute format(
        'grant execute on function pgmend.insert_or_park(regclass, jsonb), '
        'pgmend.report_failed_insert(regclass, jsonb, name, text), '
        'pgmend.record_failed_insert(regclass, jsonb, name, text, name), '
        'pgmend.park_row(regclass, anyelement), '
        'pgmend.replay_statement(regclass, name, jsonb), '
        'pgmend.recognition_statement(regclass, name, jsonb), '
        'pgmend.row_image(regclass, jsonb), '
        'pgmend.printed_row(anyelement, regclass, jsonb), '
        'pgmend.insertable_columns(regclass, jsonb), '
        'pgmend.settle_constraints(), '
        'pgmend.rows_written() to %s',
        writer
    );
end
$function$;

-- Grants a role what the captures need, and makes the function through which the worker replays for it.
create or replace function pgmend.grant_captures(writer regrole)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform pgmend.open_captures(writer);
    perform pgmend.place_replay_function(writer);
end
$function$;

-- Takes the captures away from a role again, and the function through which the worker replayed for it: rows of that role that
-- are captured already wait until it is granted them anew.
create or replace function pgmend.revoke_captures(writer regrole)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform pgmend.take_replay_functions_away(writer);
    execute format('revoke all on all functions in schema pgmend from %s', writer);
    execute format('revoke all on schema pgmend from %s', writer);
end
$function$;

select pgmend.place_replay_function();

-- Default privileges may have opened what was made here, to public or to roles of the application. Whoever was granted the
-- captures keeps them.
do $migration$
declare
    opened record;
    writer regrole;
begin
    revoke all on all functions in schema pgmend from public;
    for opened in
        with object (kind, name, acl, owner) as (
            select 'function', routine.oid::regprocedure::text, routine.proacl, routine.proowner
            from pg_proc as routine
            where routine.pronamespace = 'pgmend'::regnamespace and routine.proname !~ '^replay_as_[1-9]'
            union all
            select case relation.relkind when 'S' then 'sequence' else 'table' end, relation.oid::regclass::text, relation.relacl, relation.relowner
            from pg_class as relation
            where relation.relnamespace = 'pgmend'::regnamespace and relation.relkind in ('r', 'v', 'S')
            union all
            select 'schema', quote_ident(space.nspname), space.nspacl, space.nspowner
            from pg_namespace as space
            where space.nspname = 'pgmend'
        )

        select distinct object.kind, object.name, coalesce(quote_ident(role.rolname), 'public') as grantee
        from object
        cross join lateral aclexplode(object.acl) as granted
        left join pg_roles as role on role.oid = granted.grantee
        where granted.grantee <> object.owner
    loop
        execute format('revoke all on %s %s from %s', opened.kind, opened.name, opened.grantee);
    end loop;
    for writer in
        select distinct routine.proowner::regrole
        from pg_proc as routine
        where routine.pronamespace = 'pgmend'::regnamespace and routine.proname ~ '^replay_as_[1-9]'
    loop
        perform pgmend.open_captures(writer);
    end loop;

    if to_regrole('pgmend_worker') is not null then
        grant usage on schema pgmend to pgmend_worker;
        grant select on pgmend.migrations, pgmend.profile_sources, pgmend.guarded_constraints, pgmend.guards to pgmend_worker;
        grant select on pgmend.outbox, pgmend.oldest_due_event to pgmend_worker;
        grant select, update, delete on pgmend.express_events to pgmend_worker;
        grant select, insert, update, delete on pgmend.careful_events, pgmend.dead_letters, pgmend.workers to pgmend_worker;
        grant select on pgmend.limits to pgmend_worker;
        grant select, insert, update, delete on pgmend.user_counts, pgmend.orphan_counts, pgmend.reference_keys,
        pgmend.source_failures to pgmend_worker;
        grant select, insert on pgmend.audit_entries to pgmend_worker;
        grant usage, select, update on sequence pgmend.doorbell_lease to pgmend_worker;
        grant select on sequence pgmend.event_ids to pgmend_worker;
        grant execute on function pgmend.heal_users(integer, text[]), pgmend.heal_user(integer, text),
        pgmend.user_facts(integer, text[]), pgmend.sweep_users(integer, integer), pgmend.count_users(integer),
        pgmend.refused_conditions(integer) to pgmend_worker;
        grant execute on function pgmend.replay_as(name, text, regclass, name, jsonb, boolean),
        pgmend.replay_function_of(name), pgmend.replay_as_0(regclass, name, jsonb, boolean),
        pgmend.replay_statement(regclass, name, jsonb), pgmend.recognition_statement(regclass, name, jsonb),
        pgmend.printed_row(anyelement, regclass, jsonb), pgmend.insertable_columns(regclass, jsonb),
        pgmend.violation(regclass, jsonb, name), pgmend.settle_constraints(), pgmend.rows_written(), pgmend.defer_again(),
        pgmend.own_settings(), pgmend.restore_settings(text[]), pgmend.ring_doorbell(),
        pgmend.hold_user(integer, text), pgmend.tally_orphans(oid) to pgmend_worker;
        grant execute on function pgmend.expire_captured_rows(integer, interval), pgmend.expire_dead_letters(integer, interval),
        pgmend.expire_audit_entries(integer, interval), pgmend.drop_erased(integer, bigint, integer) to pgmend_worker;
        grant execute on function pgmend.requeue(bigint[]), pgmend.discard(bigint[]), pgmend.backfill_users(integer, text, integer)
        to pgmend_worker;
    end if;

    -- Nothing here runs a recipe or a replay for one row of the operator's choice: to try a dead letter takes the worker's rights.
    if to_regrole('pgmend_operator') is not null then
        grant usage on schema pgmend to pgmend_operator;
        grant select on pgmend.migrations, pgmend.profile_sources, pgmend.guarded_constraints, pgmend.guards, pgmend.limits,
        pgmend.outbox, pgmend.oldest_due_event, pgmend.express_events, pgmend.careful_events, pgmend.dead_letters, pgmend.workers,
        pgmend.audit_entries,
        pgmend.user_counts, pgmend.orphan_counts, pgmend.reference_keys, pgmend.source_failures to pgmend_operator;
        grant select on sequence pgmend.event_ids, pgmend.doorbell_lease to pgmend_operator;
        grant execute on function pgmend.requeue(bigint[]), pgmend.discard(bigint[]), pgmend.pause_source(integer, text),
        pgmend.resume_source(integer), pgmend.make_events_due(integer), pgmend.backfill_users(integer, text, integer),
        pgmend.user_facts(integer, text[]), pgmend.refused_conditions(integer), pgmend.tally_orphans(oid)
        to pgmend_operator;
    end if;
end
$migration$;
