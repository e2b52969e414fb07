-- How a captured insert is run again: by the worker, under the role and claims of the writer, so that grants, row-level security
-- and the application's triggers judge the row as they would have judged it then.

-- The statement that replays a captured row; it takes the row image as $1. Generated columns are left out, identity values are
-- overridden, absent columns take their defaults.
create or replace function pgmend.replay_statement(referencing_table regclass, constraint_name name, row_image jsonb)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    replay_function text;
    columns text;
    expressions text;
begin
    select guard.replay_function into replay_function
    from pgmend.guarded_constraints as guard
    where guard.referencing_table = replay_statement.referencing_table
        and guard.constraint_name = replay_statement.constraint_name;
    if replay_function is not null then
        return format('select %s($1::jsonb)', replay_function);
    end if;

    select
        string_agg(quote_ident(listed.column_name), ', '),
        string_agg(format('($1::jsonb ->> %L)::%s', listed.column_name, listed.type_name), ', ')
    into columns, expressions
    from pgmend.insertable_columns(referencing_table, row_image) as listed;
    return format('insert into %s (%s) overriding system value values (%s)', referencing_table, columns, expressions);
end
$function$;

-- Puts on the rights of a writer until the end of the transaction or savepoint: role, claims, and the search path of the session
-- without the schema of the role's own name, which that role could fill with functions. Raises PM004 where the session may not.
create or replace function pgmend.become_writer(writer_role name, writer_claims text)
returns void
language plpgsql
as $function$
declare
    -- Since Postgres 16 a member may be denied to set the role.
    needed constant text := case when pg_catalog.current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end;
begin
    if to_regrole(quote_ident(writer_role)) is null or not pg_catalog.pg_has_role(session_user, writer_role, needed) then
        raise exception 'the worker may not replay as %', writer_role
            using errcode = 'PM004', detail = 'grant', hint = format('grant %I to %I', writer_role, session_user);
    end if;
    perform pg_catalog.set_config(
        'search_path',
        pg_catalog.ltrim(
            pg_catalog.regexp_replace(
                pg_catalog.current_setting('search_path'), '(^|,)\s*"?\$user"?\s*(?=,|$)', '', 'g'
            ),
            ', '
        ),
        true
    );
    perform pg_catalog.set_config('request.jwt.claims', coalesce(writer_claims, ''), true);
    perform pg_catalog.set_config('role', writer_role, true);
end
$function$;

-- Takes the writer's rights off again. A search path of the session's own is put back by the caller.
create or replace function pgmend.become_worker(search_path text)
returns void
language plpgsql
as $function$
begin
    perform pg_catalog.set_config('role', 'none', true);
    perform pg_catalog.set_config('request.jwt.claims', '', true);
    perform pg_catalog.set_config('search_path', search_path, true);
end
$function$;

-- Deferred constraints that were made immediate stay so for the rest of the transaction; the next event of the batch finds them
-- deferred again. Security definer, because to name a constraint takes the right to use its schema.
create or replace function pgmend.defer_again()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    deferred text;
begin
    if not exists (select from pg_constraint as rule where rule.condeferred) then
        return;
    end if;
    select string_agg(format('%I.%I', names.nspname, names.conname), ', ') into deferred
    from (
        select space.nspname, rule.conname
        from pg_constraint as rule
        inner join pg_namespace as space on space.oid = rule.connamespace
        where rule.contype in ('f', 'u', 'p', 'x', 't') and has_schema_privilege(space.oid, 'usage')
        group by space.nspname, rule.conname
        having bool_and(rule.condeferrable) and bool_or(rule.condeferred)
    ) as names;
    if deferred is not null then
        execute format('set constraints %s deferred', deferred);
    end if;
end
$function$;

-- Runs a captured insert again as its writer, deferred constraints included. Raises what the insert raises.
-- Security invoker and no search_path of its own: the application's triggers find what they find in any session.
create or replace function pgmend.replay_insert(
    referencing_table regclass,
    constraint_name name,
    row_image jsonb,
    writer_role name,
    writer_claims text
)
returns void
language plpgsql
as $function$
declare
    statement constant text := pgmend.replay_statement(referencing_table, constraint_name, row_image);
    own_search_path constant text := pg_catalog.current_setting('search_path');
begin
    perform pgmend.become_writer(writer_role, writer_claims);
    execute statement using row_image;
    set constraints all immediate;
    perform pg_catalog.set_config('role', 'none', true);
    perform pgmend.become_worker(own_search_path);
    perform pgmend.defer_again();
end
$function$;

-- Whether the captured row stands in its table already, value by value, as far as the writer can see: a replay that meets itself
-- is done, not in conflict. Only a row that names its own primary key can be recognised.
create or replace function pgmend.captured_row_stands(
    referencing_table regclass,
    constraint_name name,
    row_image jsonb,
    writer_role name,
    writer_claims text
)
returns boolean
language plpgsql
set datestyle = 'ISO, YMD'
set intervalstyle = 'iso_8601'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
as $function$
declare
    keys name[];
    conditions text;
    stands boolean;
    own_search_path constant text := pg_catalog.current_setting('search_path');
begin
    select array_agg(attribute.attname) into keys
    from pg_catalog.pg_index as primary_key
    inner join pg_catalog.pg_attribute as attribute
        on attribute.attrelid = primary_key.indrelid and attribute.attnum = any(primary_key.indkey)
    where primary_key.indrelid = referencing_table and primary_key.indisprimary;
    if keys is null or not row_image ?& keys::text[] or exists (
        select
        from pgmend.guarded_constraints as guard
        where guard.referencing_table = captured_row_stands.referencing_table
            and guard.constraint_name = captured_row_stands.constraint_name
            and guard.replay_function is not null
    ) then
        return false;
    end if;

    select
        string_agg(
            case
                when row_image ->> listed.column_name::text is null then format('stored.%I is null', listed.column_name)
                when listed.column_name = any(keys)
                    then format('stored.%I = ($1 ->> %L)::%s', listed.column_name, listed.column_name, listed.type_name)
                else format('stored.%I::text = $1 ->> %L', listed.column_name, listed.column_name)
            end,
            ' and '
        )
    into conditions
    from pgmend.insertable_columns(referencing_table, row_image) as listed;
    perform pgmend.become_writer(writer_role, writer_claims);
    execute format('select exists (select from %s as stored where %s)', referencing_table, conditions)
    into stands using row_image;
    perform pg_catalog.set_config('role', 'none', true);
    perform pgmend.become_worker(own_search_path);
    return stands;
end
$function$;
