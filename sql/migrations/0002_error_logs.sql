-- The audit table that the application's people read, and the one name by which pgmend writes to it.
-- An existing table of another shape is never touched: the migration stops and says what differs. Another table is used when
-- the setting pgmend.error_logs_table names it (PGMEND_ERROR_LOGS_TABLE, or `set pgmend.error_logs_table = 'app.audit'`
-- ahead of this file in an SQL editor).
-- A table that is made here is its owner's alone: default privileges, which a schema behind an HTTP API often has, would open it.
do $migration$
declare
    error_logs constant text := coalesce(nullif(current_setting('pgmend.error_logs_table', true), ''), 'public.error_logs');
    is_new constant boolean := to_regclass(error_logs) is null;
    differences text;
    opened record;
begin
    execute format(
        $table$
        create table if not exists %s (
            id bigint generated always as identity primary key,
            error_type text not null,
            severity text not null,
            user_id text,
            table_name text,
            constraint_name text,
            sqlstate text,
            message text not null,
            details jsonb not null default '{}',
            attempt integer,
            event_id bigint,
            correlation_id text,
            created_at timestamptz not null default clock_timestamp()
        )
        $table$,
        error_logs
    );

    if is_new then
        for opened in
            select distinct relation.oid::regclass as relation, coalesce(quote_ident(role.rolname), 'public') as grantee
            from pg_class as relation
            cross join lateral aclexplode(relation.relacl) as granted
            left join pg_roles as role on role.oid = granted.grantee
            where relation.oid in (error_logs::regclass, pg_get_serial_sequence(error_logs, 'id')::regclass)
                and granted.grantee <> relation.relowner
        loop
            execute format('revoke all on %s from %s', opened.relation, opened.grantee);
        end loop;
        -- It grows at its end and is pruned at its beginning: a vacuum after each 100,000 rows, not after a fifth of all, keeps what
        -- is counted by an index alone.
        execute format(
            'alter table %s set ('
            'autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100000, '
            'autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000, '
            'autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 10000)',
            error_logs
        );
    end if;

    with expected (column_name, type_name) as (
        values
            ('error_type', 'text'), ('severity', 'text'), ('user_id', 'text'), ('table_name', 'text'),
            ('constraint_name', 'text'), ('sqlstate', 'text'), ('message', 'text'), ('details', 'jsonb'),
            ('attempt', 'integer'), ('event_id', 'bigint'), ('correlation_id', 'text'),
            ('created_at', 'timestamp with time zone')
    ),
    present (column_name, type_name, must_be_given) as (
        select
            attribute.attname::text,
            format_type(attribute.atttypid, attribute.atttypmod),
            attribute.attnotnull and not attribute.atthasdef and attribute.attidentity = ''
        from pg_attribute as attribute
        where attribute.attrelid = error_logs::regclass and attribute.attnum > 0 and not attribute.attisdropped
    ),
    difference (line) as (
        select format('%s %s is missing', expected.column_name, expected.type_name)
        from expected
        where not exists (select from present where present.column_name = expected.column_name)
        union all
        select format('%s is %s where %s is expected', present.column_name, present.type_name, expected.type_name)
        from present
        inner join expected on present.column_name = expected.column_name
        where present.type_name <> expected.type_name
        union all
        select format('%s is not null and has no default', present.column_name)
        from present
        where present.must_be_given
            and not exists (select from expected where expected.column_name = present.column_name)
    )
    select string_agg(difference.line, '; ' order by difference.line) into differences
    from difference;

    if differences is not null then
        raise exception 'the table % exists in another shape: %', error_logs, differences
            using
                errcode = 'PM010',
                hint = 'Name another table: PGMEND_ERROR_LOGS_TABLE=public.pgmend_error_logs, or in an SQL editor '
                || 'set pgmend.error_logs_table = ''public.pgmend_error_logs''.';
    end if;

    -- What is searched for, newest first. Every healed user pays for them, so there is none by time alone: what is asked of all
    -- types goes from one to the next in the last of these (audit_trail/newest.sql, expire_audit_entries).
    execute format('create index if not exists error_logs_by_user on %s (user_id, created_at)', error_logs);
    execute format('create index if not exists error_logs_by_event on %s (event_id) where event_id is not null', error_logs);
    execute format('create index if not exists error_logs_by_type on %s (error_type, created_at)', error_logs);

    -- place: where the row lies, which tells entries of one moment apart; a table of the application's may have no id.
    execute format(
        $view$
        create or replace view pgmend.audit_entries as
        select
            error_type, severity, user_id, table_name, constraint_name, sqlstate,
            message, details, attempt, event_id, correlation_id, created_at, ctid as place
        from %s
        $view$,
        error_logs
    );
end
$migration$;
