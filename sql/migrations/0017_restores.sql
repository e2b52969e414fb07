-- Restores: rows of a repair go back to where they were, the last batch first (decision 0017).

-- The tables that a repair of these touches: they themselves, their partitions, and whatever refers to them, and so on, as far as
-- row-level security would hide rows of them from the caller.
create or replace function pgmend.hidden_tables(tables regclass[])
returns setof regclass
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
with recursive touched (relation) as (
    select given::oid from unnest(tables) as given
    union
    select foreign_key.conrelid
    from touched
    inner join pg_constraint as foreign_key on foreign_key.confrelid = touched.relation and foreign_key.contype = 'f'
),

every_table (relation) as (
    select touched.relation from touched
    union
    select member.relid::oid from touched cross join lateral pg_partition_tree(touched.relation) as member
)

select every_table.relation::regclass from every_table where row_security_active(every_table.relation)
$function$;

-- Compares what was put back with what was taken, value by value. put_back: [{"quarantine_ids", "rows": [{"table_oid",
-- "row_ctid"}]}], one for each table. Raises PM033 where a trigger, or a column that is another now, made a difference.
create or replace function pgmend.compare_restored(put_back jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
    ids bigint[];
    leaf regclass;
    part jsonb;
    images jsonb[];
    found_images jsonb[];
begin
    for part in select listed from jsonb_array_elements(put_back) as listed loop
        ids := array(select jsonb_array_elements_text(part -> 'quarantine_ids')::bigint);
        images := '{}';
        for leaf in select distinct (placed ->> 'table_oid')::oid::regclass from jsonb_array_elements(part -> 'rows') as placed loop
            execute format(
                'select array_agg(%1$s) from jsonb_to_recordset($1) as placed (table_oid oid, row_ctid tid) '
                'inner join only %2$s as stored on stored.ctid = placed.row_ctid where placed.table_oid = %3$s',
                pgmend.image_expression(
                    leaf, 'stored',
                    (
                        select array_agg(given::name)
                        from pgmend.quarantine as kept
                        cross join lateral jsonb_object_keys(kept.row_image) as given
                        where kept.quarantine_id = ids[1]
                    )
                ),
                leaf, leaf::oid
            ) into found_images using part -> 'rows';
            images := images || found_images;
        end loop;
        if exists (
            select kept.row_image from pgmend.quarantine as kept where kept.quarantine_id = any(ids)
            except all
            select stored from unnest(images) as stored
        ) then
            raise exception 'a row would not read as it did'
                using errcode = 'PM033', hint = 'A trigger, or a column of another type, changes what is restored.';
        end if;
    end loop;
end
$function$;

select pgmend.print_alike('pgmend.compare_restored(jsonb)');

-- Inserts quarantined rows again, those of all tables in one statement.
create or replace function pgmend.put_back(ids bigint[], operators_path text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    part record;
    parts text[] := '{}';
    answers text[] := '{}';
    given text[] := '{}';
    columns text;
    expressions text;
    answer jsonb;
begin
    for part in
        select
            kept.referencing_table, kept.table_name, min(kept.row_image::text)::jsonb as sample,
            array_agg(kept.quarantine_id order by kept.quarantine_id) as ids
        from pgmend.quarantine as kept
        where kept.quarantine_id = any(put_back.ids)
        group by
            kept.referencing_table, kept.table_name,
            (select array_agg(given_key order by given_key) from jsonb_object_keys(kept.row_image) as given_key)
    loop
        if not exists (select from pg_class as relation where relation.oid = part.referencing_table) then
            raise exception 'the table % is gone', part.table_name using errcode = 'undefined_table';
        end if;
        select
            string_agg(quote_ident(listed.column_name), ', '),
            string_agg(format('(kept.row_image ->> %L)::%s', listed.column_name, listed.type_name), ', ')
        into columns, expressions
        from pgmend.insertable_columns(part.referencing_table, part.sample) as listed;
        given := given || part.ids::text;
        parts := parts || format(
            'put_%1$s as (insert into %2$s (%3$s) overriding system value select %4$s from pgmend.quarantine as kept '
            'where kept.quarantine_id = any(($1[%1$s])::pg_catalog.int8[]) order by kept.quarantine_id '
            'returning tableoid as table_oid, ctid as row_ctid)',
            cardinality(given), part.referencing_table, columns, expressions
        );
        answers := answers || format(
            'select pg_catalog.to_jsonb(($1[%1$s])::pg_catalog.int8[]) as ids, '
            'pg_catalog.jsonb_agg(pg_catalog.to_jsonb(put_%1$s)) as placed, count(*) as size from put_%1$s',
            cardinality(given)
        );
    end loop;
    answer := pgmend.act_counted(
        'insert',
        format(
            'with %s select pg_catalog.jsonb_build_object(''acted'', sum(every.size), ''put_back'', pg_catalog.jsonb_agg('
            'pg_catalog.jsonb_build_object(''quarantine_ids'', every.ids, ''rows'', every.placed))) from (%s) as every',
            array_to_string(parts, ', '), array_to_string(answers, ' union all ')
        ),
        given, operators_path, cardinality(put_back.ids)
    );
    perform pgmend.compare_restored(answer -> 'put_back');
end
$function$;

-- Finds the rows that a repair has changed, as far as they still hold what it gave them: by primary key, or where there is
-- none, by the whole image. Puts their places, and locks them; root_id is the quarantine's.
create or replace function pgmend.place_changed(ids bigint[], relation regclass, columns text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    keys constant name[] := pgmend.primary_key_of(relation);
    one record;
    still_ours text;
begin
    perform pgmend.clear_places();
    select string_agg(
        format(
            'present.%1$I %2$s (kept.given_image ->> %1$L)::%3$s',
            attribute.attname, case when attribute.attname = any(keys) then '=' else 'is not distinct from' end,
            format_type(attribute.atttypid, -1)
        ),
        ' and '
    ) into still_ours
    from pg_attribute as attribute
    where attribute.attrelid = relation
        and (attribute.attname = any(keys) or attribute.attname = any(columns)) and not attribute.attisdropped;
    if keys is not null then
        execute format(
            'insert into pg_temp.pgmend_places (table_oid, row_ctid, root_id, depth) '
            'select present.tableoid, present.ctid, kept.quarantine_id, 0 '
            'from pgmend.quarantine as kept inner join %s as present on %s '
            'where kept.quarantine_id = any($1) for update of present skip locked on conflict do nothing',
            relation, still_ours
        ) using ids;
        return;
    end if;
    for one in
        select kept.quarantine_id, kept.given_image from pgmend.quarantine as kept where kept.quarantine_id = any(ids)
    loop
        execute format(
            'insert into pg_temp.pgmend_places (table_oid, row_ctid, root_id, depth) '
            'select present.tableoid, present.ctid, $1, 0 from %1$s as present '
            'where not exists (select from pg_temp.pgmend_places as known '
            'where known.table_oid = present.tableoid and known.row_ctid = present.ctid) and %2$s = $2 '
            'limit 1 for update of present skip locked',
            relation, pgmend.image_expression(relation, 'present')
        ) using one.quarantine_id, one.given_image;
    end loop;
end
$function$;

select pgmend.print_alike('pgmend.place_changed(bigint[], regclass, text[])');

-- Gives changed rows of one table their old values again.
create or replace function pgmend.change_back(ids bigint[], operators_path text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    part record;
    changes text;
begin
    for part in
        select kept.referencing_table, kept.table_name, step.changed_columns, array_agg(kept.quarantine_id) as part_ids
        from pgmend.quarantine as kept
        inner join pgmend.repair_steps as step on step.step_id = kept.step_id
        where kept.quarantine_id = any(ids)
        group by kept.referencing_table, kept.table_name, step.changed_columns
    loop
        if not exists (select from pg_class as relation where relation.oid = part.referencing_table) then
            raise exception 'the table % is gone', part.table_name using errcode = 'undefined_table';
        end if;
        select string_agg(format('%1$I = (kept.row_image ->> %1$L)::%2$s', attribute.attname, format_type(attribute.atttypid, -1)), ', ')
        into changes
        from pg_attribute as attribute
        where attribute.attrelid = part.referencing_table and attribute.attname = any(part.changed_columns)
            and not attribute.attisdropped;
        perform pgmend.place_changed(part.part_ids, part.referencing_table, part.changed_columns);
        if (select count(*) from pg_temp.pgmend_places) <> cardinality(part.part_ids) then
            raise exception 'the row holds another value by now, is locked, or is gone' using errcode = 'PM034';
        end if;
        perform pgmend.act_counted(
            'update',
            format(
                'with changed_back as (update %s as target set %s from pg_temp.pgmend_places as place '
                'inner join pgmend.quarantine as kept on kept.quarantine_id = place.root_id '
                'where target.tableoid = place.table_oid and target.ctid = place.row_ctid returning true) '
                'select pg_catalog.jsonb_build_object(''acted'', count(*)) from changed_back',
                part.referencing_table, changes
            ),
            null, operators_path, cardinality(part.part_ids)
        );
    end loop;
end
$function$;

-- Restores a set of quarantined rows, all of them or none. Returns null, or why not: {"sqlstate", "constraint", "reason"}.
-- What may pass by itself is raised.
create or replace function pgmend.restore_together(ids bigint[], operators_path text)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    taken_away constant bigint[] := array(
        select kept.quarantine_id from pgmend.quarantine as kept
        where kept.quarantine_id = any(ids) and kept.action in ('quarantine', 'delete')
    );
    changed constant bigint[] := array(
        select kept.quarantine_id from pgmend.quarantine as kept
        where kept.quarantine_id = any(ids) and kept.action not in ('quarantine', 'delete')
    );
    violated text;
begin
    -- A guard of ours in the mode park is to let the row through.
    perform set_config('pgmend.trying', 'on', true);
    if taken_away <> '{}' then
        perform pgmend.put_back(taken_away, operators_path);
    end if;
    if changed <> '{}' then
        perform pgmend.change_back(changed, operators_path);
    end if;
    perform set_config('pgmend.trying', '', true);
    update pgmend.quarantine as kept
    set restored_at = clock_timestamp(), refusal = null
    where kept.quarantine_id = any(ids);
    return null;
exception
    when transaction_rollback or insufficient_resources or operator_intervention or lock_not_available
        or insufficient_privilege or sqlstate 'PM031' then
        raise;
    when others or assert_failure then
        get stacked diagnostics violated = constraint_name;
        return jsonb_build_object(
            'sqlstate', sqlstate, 'constraint', nullif(violated, ''),
            'reason', (pgmend.evidence(sqlstate, null, null, sqlerrm) ->> 'message')
        );
end
$function$;

-- Restores what can be restored of a set: row by row, as often as another pass gets further, then what only waits for each other.
create or replace function pgmend.restore_one_by_one(ids bigint[], operators_path text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    restored bigint := 0;
    restored_here bigint;
    reason jsonb;
    one bigint;
    waiting bigint[];
begin
    loop
        restored_here := 0;
        for one in
            select kept.quarantine_id from pgmend.quarantine as kept
            where kept.quarantine_id = any(ids) and kept.restored_at is null
            order by kept.depth, kept.quarantine_id
        loop
            reason := pgmend.restore_together(array[one], operators_path);
            if reason is null then
                restored_here := restored_here + 1;
            else
                update pgmend.quarantine as kept set refusal = reason where kept.quarantine_id = one;
            end if;
        end loop;
        if restored_here = 0 then
            waiting := array(
                select kept.quarantine_id from pgmend.quarantine as kept
                where kept.quarantine_id = any(ids) and kept.restored_at is null and kept.refusal ->> 'sqlstate' = '23503'
            );
            if cardinality(waiting) > 1 and pgmend.restore_together(waiting, operators_path) is null then
                restored_here := cardinality(waiting);
            end if;
        end if;
        exit when restored_here = 0;
        restored := restored + restored_here;
    end loop;
    return restored;
end
$function$;

-- Restores the last batch of a repair below a given one, in one transaction, the caller's: all of it, or only what was taken
-- because of one key, or from one table. Returns no batch when there is none left.
create or replace function pgmend.restore_batch(
    wanted_repair integer, below bigint, wanted_key text, wanted_table regclass, operators_path text,
    out batch bigint, out restored bigint, out refused bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    newest pgmend.repair_batches;
    ids bigint[];
begin
    restored := 0;
    refused := 0;
    select written.* into newest
    from pgmend.repair_batches as written
    where written.repair_id = wanted_repair and written.batch < below
        and exists (
            select from pgmend.quarantine as kept
            where kept.quarantine_id between written.first_id and written.last_id
                and kept.batch = written.batch and kept.restored_at is null
                and (wanted_key is null or kept.old_key = wanted_key)
                and (wanted_table is null or kept.referencing_table = wanted_table)
        )
    order by written.batch desc
    limit 1;
    if newest.batch is null then
        return;
    end if;
    batch := newest.batch;
    select array_agg(locked.quarantine_id order by locked.quarantine_id) into ids
    from (
        select kept.quarantine_id
        from pgmend.quarantine as kept
        where kept.quarantine_id between newest.first_id and newest.last_id
            and kept.batch = newest.batch and kept.restored_at is null
            and (wanted_key is null or kept.old_key = wanted_key)
            and (wanted_table is null or kept.referencing_table = wanted_table)
        for no key update
    ) as locked;
    if ids is null then
        return; -- somebody else has restored it just now
    end if;
    if pgmend.restore_together(ids, operators_path) is null then
        restored := cardinality(ids);
    else
        restored := pgmend.restore_one_by_one(ids, operators_path);
        refused := cardinality(ids) - restored;
    end if;
    insert into pgmend.audit_entries (error_type, severity, table_name, message, details)
    select
        'QUARANTINED_ROW_RESTORED', 'info', kept.table_name,
        case repair.audit when 'row' then 'a row is what it was before the repair' else 'rows are what they were before the repair' end,
        jsonb_build_object(
            'repair_id', wanted_repair, 'batch', newest.batch, 'rows', count(*), 'quarantine_id', min(kept.quarantine_id)
        )
    from pgmend.quarantine as kept
    inner join pgmend.repairs as repair on repair.repair_id = kept.repair_id
    where kept.quarantine_id = any(ids) and kept.restored_at is not null
    group by kept.table_name, repair.audit, case repair.audit when 'row' then kept.quarantine_id end;
end
$function$;
