-- How a captured insert is run again: by the worker, with the rights and claims of the writer, so that grants, row-level security
-- and the application's triggers judge the row as they would have judged it then.
--
-- The worker does not put on the writer's role. For each role that was granted the captures there is a function that belongs to
-- that role, is security definer, and runs one captured row: nothing that happens inside can leave it for the worker's rights,
-- because Postgres lets no such function set a role, and the worker can do nothing else in the writer's name (decision 0013).

-- The statement that replays a captured row; it takes the row image as $1. Generated columns are left out, identity values are
-- overridden, absent columns take their defaults. Security definer, because writers may not read the guards. Each name of the
-- catalog is qualified, here and below: the statement runs with the writer's rights under the search path of the session, which
-- may hold objects of whoever the worker is.
create or replace function pgmend.replay_statement(referencing_table regclass, constraint_name name, row_image jsonb)
returns text
language plpgsql
stable
security definer
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
        return format('select %s($1::pg_catalog.jsonb)', replay_function);
    end if;

    select
        string_agg(quote_ident(listed.column_name), ', '),
        string_agg(
            format('($1::pg_catalog.jsonb operator(pg_catalog.->>) %L::pg_catalog.text)::%s', listed.column_name, listed.type_name),
            ', '
        )
    into columns, expressions
    from pgmend.insertable_columns(referencing_table, row_image) as listed;
    return format('insert into %s (%s) overriding system value values (%s)', referencing_table, columns, expressions);
end
$function$;

-- The statement that says whether a captured row stands in its table already, value by value, as far as the writer can see; it
-- takes the row image as $1. A replay that meets itself is done, not in conflict. Only a row that names its own primary key can
-- be recognised, and none that is more than a row.
create or replace function pgmend.recognition_statement(referencing_table regclass, constraint_name name, row_image jsonb)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    keys name[];
    same_key text;
begin
    select
        array_agg(attribute.attname),
        string_agg(
            format(
                'stored.%I operator(%I.%s) ($1 operator(pg_catalog.->>) %L::pg_catalog.text)::%I.%I',
                attribute.attname, space.nspname, equality.oprname, attribute.attname, type_space.nspname, type.typname
            ),
            ' and '
        )
    into keys, same_key
    from pg_index as primary_key
    cross join lateral unnest(primary_key.indkey, primary_key.indclass) as part (attribute_number, class_oid)
    inner join pg_attribute as attribute
        on attribute.attrelid = primary_key.indrelid and attribute.attnum = part.attribute_number
    inner join pg_type as type on type.oid = attribute.atttypid
    inner join pg_namespace as type_space on type_space.oid = type.typnamespace
    inner join pg_opclass as class on class.oid = part.class_oid
    inner join pg_amop as member
        on member.amopfamily = class.opcfamily
        and member.amoplefttype = class.opcintype and member.amoprighttype = class.opcintype
        and member.amopstrategy = 3
    inner join pg_operator as equality on equality.oid = member.amopopr
    inner join pg_namespace as space on space.oid = equality.oprnamespace
    where primary_key.indrelid = referencing_table and primary_key.indisprimary;
    if keys is null or not row_image ?& keys::text[] or exists (
        select
        from pgmend.guarded_constraints as guard
        where guard.referencing_table = recognition_statement.referencing_table
            and guard.constraint_name = recognition_statement.constraint_name
            and guard.replay_function is not null
    ) then
        return 'select false';
    end if;

    return format(
        'select exists (select from %s as stored where %s '
        'and pgmend.printed_row(stored, %L::pg_catalog.regclass, $1) operator(pg_catalog.@>) $1)',
        referencing_table, same_key, referencing_table
    );
end
$function$;

-- Makes the function through which the worker replays for a role, or, where none is named, for the worker's own. The role must be
-- one that the installer may become. A function is not its owner's to change as long as the owner may create nothing in this
-- schema; what the owner may change, its rights among it, it finds out by itself.
create or replace function pgmend.place_replay_function(writer regrole default null)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    writer_name constant name := (select role.rolname from pg_roles as role where role.oid = writer);
    function_name constant name := coalesce(pgmend.replay_function_of(writer_name), pgmend.free_replay_function(writer));
    installer constant name := current_user;
    own_role constant text := current_setting('role');
    signature constant text := format('pgmend.%I(regclass, name, jsonb, boolean)', function_name);
begin
    if writer is null then
        execute format('drop function if exists %s', signature);
    else
        perform pgmend.take_replay_functions_away(writer);
    end if;
    execute format(
        pgmend.with_quotes_of_its_own($template$
        create function pgmend.%1$I(referencing_table regclass, constraint_name name, row_image jsonb, only_look boolean)
        returns boolean
        language plpgsql
        %2$s
        as $replay$
        declare
            stands boolean := false;
        begin
            if %3$s then
                raise exception 'this function does not run with the rights of its writer'
                    using errcode = 'PM004', detail = 'grant', hint = 'Grant the captures again: pgmend.grant_captures(role).';
            end if;
            if only_look then
                execute pgmend.recognition_statement(referencing_table, constraint_name, row_image) into stands using row_image;
            else
                execute pgmend.replay_statement(referencing_table, constraint_name, row_image) using row_image;
                perform pgmend.settle_constraints();
            end if;
            return stands;
        end
        $replay$
        $template$),
        function_name,
        case when writer is null then 'security invoker' else 'security definer' end,
        case
            when writer is null then 'false'
            else format(
                'current_user operator(pg_catalog.<>) %1$L::pg_catalog.name or session_user operator(pg_catalog.=) %1$L::pg_catalog.name '
                'or pg_catalog.current_setting(''role'') operator(pg_catalog.=) %1$L', writer_name
            )
        end
    );
    perform pgmend.close_function(signature);
    if to_regrole('pgmend_worker') is not null then
        execute format('grant execute on function %s to pgmend_worker', signature);
    end if;
    if writer is null then
        return;
    end if;
    execute format('grant create on schema pgmend to %s', writer);
    execute format('alter function %s owner to %s', signature, writer);
    execute format('revoke create on schema pgmend from %s', writer);
    perform set_config('role', writer_name, true);
    execute format('grant execute on function %s to %I', signature, installer);
    perform set_config('role', own_role, true);
exception when insufficient_privilege then
    raise exception 'no function can be made that belongs to %', writer
        using
            errcode = 'insufficient_privilege',
            hint = format('The installer must be able to become that role: grant %s to %I.', writer, installer);
end
$function$;

-- Runs what was deferred, until nothing is left: a trigger that runs now may defer anew what it queues, which would be run at the
-- commit, with the worker's rights (before 18) and for the whole batch to fail with it. Only a written row queues anything, so
-- nothing is left once a round has written none. Only triggers and exclusion constraints run code of others here.
-- No search_path of its own: the application's triggers find what they find in any session.
create or replace function pgmend.settle_constraints()
returns void
language plpgsql
as $function$
declare
    written bigint;
begin
    set constraints all immediate;
    if not exists (
        select from pg_catalog.pg_constraint as rule
        where rule.condeferrable and rule.contype operator(pg_catalog.=) any(array['t', 'x']::pg_catalog."char"[])
    ) then
        return;
    end if;
    for round in 1 .. 10 loop
        written := pgmend.rows_written();
        set constraints all immediate;
        if pgmend.rows_written() operator(pg_catalog.=) written then
            return;
        end if;
    end loop;
    raise exception 'deferred triggers defer one another without an end' using errcode = 'PM009';
end
$function$;

-- How many rows this transaction has written up to now.
create or replace function pgmend.rows_written()
returns bigint
language sql
volatile
set search_path = pg_catalog, pg_temp
as $function$
select
    coalesce(
        sum(
            pg_stat_get_xact_tuples_inserted(relation.oid)
            + pg_stat_get_xact_tuples_updated(relation.oid)
            + pg_stat_get_xact_tuples_deleted(relation.oid)
        ),
        0
    )::bigint
from pg_class as relation
where relation.relkind = 'r'
$function$;

-- A name that no function has yet; 0 is the worker's own.
create or replace function pgmend.free_replay_function(writer regrole)
returns name
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    'replay_as_'
    || case when writer is null then 0 else coalesce(max(substring(routine.proname from '[0-9]+$')::integer), 0) + 1 end
from pg_proc as routine
where routine.pronamespace = 'pgmend'::regnamespace and routine.proname ~ '^replay_as_[0-9]+$'
$function$;

-- The name of the function through which the worker replays for a role, or null where there is none. One that its owner has
-- altered is none: a setting of his, a search path for instance, would let his own code run in the worker's session.
create or replace function pgmend.replay_function_of(writer_role name)
returns name
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select routine.proname
from pg_proc as routine
inner join pg_roles as owner on owner.oid = routine.proowner
where routine.pronamespace = 'pgmend'::regnamespace
    and routine.prosecdef
    and routine.proconfig is null
    and routine.proname ~ '^replay_as_[0-9]+$'
    and owner.rolname = writer_role
$function$;

-- Takes away whatever functions replayed for a role, altered ones included: a role that owns one cannot be dropped.
create or replace function pgmend.take_replay_functions_away(writer regrole)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    taken regprocedure;
begin
    for taken in
        select routine.oid
        from pg_proc as routine
        where routine.pronamespace = 'pgmend'::regnamespace
            and routine.proname ~ '^replay_as_[0-9]+$'
            and routine.proowner = writer
    loop
        execute format('drop function %s', taken);
    end loop;
end
$function$;

-- Whether the rows of a role can be replayed: it was granted the captures itself, or may be the worker, as whoever installed
-- pgmend or a superuser may. For one that only inherits the grant of another role there is no function to replay with.
create or replace function pgmend.is_replayable(writer_role name)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select pgmend.replay_function_of(writer_role) is not null or exists (
    select from pg_roles as role
    where role.rolname = writer_role
        and (role.rolsuper or role.oid = (select space.nspowner from pg_namespace as space where space.nspname = 'pgmend'))
)
$function$;

-- Runs a captured insert again as its writer, deferred constraints included, or only looks whether its row stands. Raises what
-- the insert raises, and PM004 where nobody may replay for that role. The search path is the session's, without the schema of
-- the role's own name, which that role could fill with functions.
-- An advisory lock marks the rest of the transaction as one that replays, which nothing that runs inside can take back: the
-- session's role is the worker's here, and a row captured now would be replayed with the worker's rights (record_failed_insert).
-- Its second number is anybody's guess, so that nobody can hold it against us.
-- Security invoker and no search_path of its own: the application's triggers find what they find in any session.
create or replace function pgmend.replay_as(
    writer_role name,
    writer_claims text,
    referencing_table regclass,
    constraint_name name,
    row_image jsonb,
    only_look boolean
)
returns boolean
language plpgsql
as $function$
declare
    own_search_path constant text := pg_catalog.current_setting('search_path');
    own_settings constant text[] := pgmend.own_settings();
    function_name constant name := case
        when writer_role operator(pg_catalog.=) current_user then 'replay_as_0' else pgmend.replay_function_of(writer_role)
    end;
    some_number constant integer := pg_catalog.hashtext(pg_catalog.gen_random_uuid()::pg_catalog.text);
    stands boolean;
begin
    if function_name is null then
        raise exception 'the worker may not replay as %', writer_role
            using
                errcode = 'PM004', detail = 'grant',
                hint = pg_catalog.format('select pgmend.grant_captures(%L)', pg_catalog.quote_ident(writer_role));
    end if;
    if not pg_catalog.pg_try_advisory_xact_lock_shared(1886219621, some_number) then
        raise exception 'the mark of a replay is held by somebody else' using errcode = 'lock_not_available';
    end if;
    -- What a heal has set before, or any other code that this session ran, is not the row's.
    reset all;
    perform pgmend.restore_settings(own_settings);
    perform pg_catalog.set_config(
        'search_path',
        pg_catalog.ltrim(pg_catalog.regexp_replace(own_search_path, '(^|,)\s*"?\$user"?\s*(?=,|$)', '', 'g'), ', '),
        true
    );
    perform pg_catalog.set_config('request.jwt.claims', coalesce(writer_claims, ''), true);
    perform pg_catalog.set_config('pgmend.replaying', 'on', true);
    perform pg_catalog.set_config('pgmend.trying', 'on', true);
    execute pg_catalog.format('select pgmend.%I($1, $2, $3, $4)', function_name)
    into stands using referencing_table, constraint_name, row_image, only_look;
    -- Whatever code inside has set, for the transaction or the session, and what we have set for it. The names of an application's
    -- own settings are nobody's to list, so all are reset, and those that a session of the worker's has are set again.
    reset all;
    perform pg_catalog.set_config('search_path', own_search_path, false);
    perform pgmend.restore_settings(own_settings);
    perform pg_catalog.setseed(
        pg_catalog.hashtext(pg_catalog.gen_random_uuid()::pg_catalog.text) operator(pg_catalog./) 2147483648::pg_catalog.float8
    );
    -- It may have made temporary objects that stand for names of the catalog.
    if pg_catalog.pg_my_temp_schema() operator(pg_catalog.<>) 0 then
        execute 'discard temp';
    end if;
    perform pgmend.defer_again();
    return stands;
end
$function$;

-- What a session of the worker's has set for itself, or a pooler in its stead: all that `reset all` would take from it, but the
-- search path.
create or replace function pgmend.own_settings()
returns text[]
language sql
volatile
set search_path = pg_catalog, pg_temp
as $function$
select array_agg(array[own.setting, coalesce(current_setting(own.setting, true), '')])
from unnest(
    array[
        'jit', 'enable_seqscan', 'statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout', 'pgmend.silent',
        'application_name', 'client_encoding', 'datestyle', 'intervalstyle', 'timezone', 'standard_conforming_strings'
    ]
) as own (setting)
$function$;

create or replace function pgmend.restore_settings(own_settings text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    setting text[];
begin
    foreach setting slice 1 in array own_settings loop
        if coalesce(current_setting(setting[1], true), '') <> setting[2] then
            perform set_config(setting[1], setting[2], setting[1] = 'lock_timeout'); -- the worker's own is one of the transaction
        end if;
    end loop;
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
