-- How a captured insert is run again: by the worker, under the role and claims of the writer, so that grants, row-level security
-- and the application's triggers judge the row as they would have judged it then.

-- The statement that replays a captured row; it takes the row image as $1. Generated columns are left out, identity values are
-- overridden, absent columns take their defaults.
create or replace function pgmend.replay_statement(referencing_table regclass, constraint_name name, row_image jsonb)
returns text
language plpgsql
stable
set search_path = ''
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
begin
    perform pg_catalog.set_config('request.jwt.claims', coalesce(writer_claims, ''), true);
    perform pg_catalog.set_config('role', writer_role, true);
    execute statement using row_image;
    set constraints all immediate;
    perform pg_catalog.set_config('role', 'none', true);
    perform pg_catalog.set_config('request.jwt.claims', '', true);
end
$function$;

-- Whether the captured row stands in its table already, value by value: a replay that meets itself is done, not in conflict.
create or replace function pgmend.captured_row_exists(referencing_table regclass, row_image jsonb)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $function$
declare
    conditions text;
    found_row boolean;
begin
    select
        string_agg(
            case
                when row_image ->> listed.column_name::text is null then format('stored.%I is null', listed.column_name)
                when listed.column_name = any (keys.columns)
                    then format('stored.%I = ($1 ->> %L)::%s', listed.column_name, listed.column_name, listed.type_name)
                else format('stored.%I::text = $1 ->> %L', listed.column_name, listed.column_name)
            end,
            ' and '
        )
    into conditions
    from pgmend.insertable_columns(referencing_table, row_image) as listed
    cross join (
        select array_agg(attribute.attname) as columns
        from pg_index as primary_key
        inner join pg_attribute as attribute
            on attribute.attrelid = primary_key.indrelid and attribute.attnum = any (primary_key.indkey)
        where primary_key.indrelid = referencing_table and primary_key.indisprimary
    ) as keys;
    execute format('select exists (select from %s as stored where %s)', referencing_table, conditions)
    into found_row using row_image;
    return found_row;
end
$function$;
