-- Repairs: orphans are healed, or taken into the quarantine with everything that refers to them, or given another key, in small
-- transactions that can be killed anywhere (decision 0016). An operator's matter: every function runs with the caller's rights,
-- and nothing here is granted to the worker.
create sequence if not exists pgmend.quarantine_ids as bigint;

-- One run. search_path: the operator's, under which the application's triggers run.
create table if not exists pgmend.repairs (
    repair_id integer generated always as identity,
    plan jsonb not null,
    audit text not null,
    search_path text not null,
    state text not null default 'running',
    started_by name not null default session_user,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    constraint repairs_pkey primary key (repair_id),
    constraint repairs_state_is_known check (state in ('running', 'finished', 'abandoned')),
    constraint repairs_audit_is_by_row_or_batch check (audit in ('row', 'batch'))
);

-- One reference, one reason, one strategy. selection: the query that finds the reference's orphans. is_sole: the plan found
-- orphans of no other reason. changed_columns: what reassign, nullify and map set. last_candidate: how far the present pass has
-- come. missed: candidates of this pass that had moved or were locked; any of them makes another pass.
create table if not exists pgmend.repair_steps (
    step_id integer generated always as identity,
    repair_id integer not null,
    referencing_table regclass not null,
    reference text not null,
    referenced_table regclass not null,
    referenced_column name not null,
    changed_columns text[] not null,
    constraint_name name,
    source_id integer,
    selection text not null,
    error_type text not null,
    reason text not null,
    is_sole boolean not null,
    strategy text not null,
    argument text,
    state text not null default 'waiting',
    passes integer not null default 0,
    last_candidate bigint not null default 0,
    missed bigint not null default 0,
    rows_planned bigint not null,
    rows_done bigint not null default 0,
    rows_along bigint not null default 0,
    rows_refused bigint not null default 0,
    refusal text,
    constraint repair_steps_pkey primary key (step_id),
    constraint repair_steps_repair_exists foreign key (repair_id) references pgmend.repairs (repair_id),
    constraint repair_steps_state_is_known check (state in ('waiting', 'working', 'done')),
    constraint repair_steps_strategy_is_known check (
        strategy in ('heal', 'quarantine', 'reassign', 'nullify', 'map', 'delete')
    )
);

create index if not exists repair_steps_by_repair on pgmend.repair_steps (repair_id);

-- Where the orphans of a step stood when it looked last: up to a thousand of one table in a row, in the order of their pages.
-- first_id: the number of the first, without gaps. keys: of users, where they are all that matters (heal).
create table if not exists pgmend.repair_candidates (
    step_id integer not null,
    first_id bigint not null,
    table_oid oid not null,
    places tid[] not null,
    keys text[] not null,
    constraint repair_candidates_pkey primary key (step_id, first_id)
);

-- What the strategy map puts in the place of a key.
create table if not exists pgmend.repair_map (
    step_id integer not null,
    old_key text not null,
    new_key text not null,
    constraint repair_map_pkey primary key (step_id, old_key)
);

-- One row for each row of the application that was taken away or changed. batch: rows of one transaction; they go back
-- together, the last batch first (decision 0017). root_id: the orphan along with which the row was taken (old_key is the key
-- of that orphan), depth: how many keys lead there. Images: {"column": "exact text" or null}. given_image: a changed row as it
-- was after the change.
create table if not exists pgmend.quarantine (
    quarantine_id bigint not null default nextval('pgmend.quarantine_ids'),
    repair_id integer not null,
    step_id integer not null,
    batch bigint not null,
    root_id bigint not null,
    depth integer not null,
    action text not null,
    referencing_table regclass not null,
    table_name text not null,
    old_key text,
    row_image jsonb not null,
    given_image jsonb,
    taken_at timestamptz not null default clock_timestamp(),
    restored_at timestamptz,
    refusal jsonb,
    constraint quarantine_pkey primary key (quarantine_id),
    constraint quarantine_action_is_known check (action in ('quarantine', 'delete', 'reassign', 'nullify', 'map'))
);

-- One transaction of a run. Its rows in the quarantine are among those from first_id to last_id, which is why these need no index
-- of their own for it.
create table if not exists pgmend.repair_batches (
    repair_id integer not null,
    batch bigint generated always as identity,
    first_id bigint not null,
    last_id bigint not null,
    constraint repair_batches_pkey primary key (repair_id, batch),
    constraint repair_batches_repair_exists foreign key (repair_id) references pgmend.repairs (repair_id)
);

-- What each repair has taken away or changed, with the batch that did; in the quarantine alone that would take reading all of it.
create or replace view pgmend.repaired_rows as
select
    written.repair_id,
    written.batch,
    kept.quarantine_id,
    kept.step_id,
    kept.root_id,
    kept.depth,
    kept.action,
    kept.referencing_table,
    kept.table_name,
    kept.old_key,
    kept.row_image,
    kept.given_image,
    kept.taken_at,
    kept.restored_at,
    kept.refusal
from pgmend.repair_batches as written
inner join pgmend.quarantine as kept
    on written.batch = kept.batch and kept.quarantine_id between written.first_id and written.last_id;

-- The text of an expression that prints all columns of a row, except generated ones, as the images have them: by the types' own
-- output functions, since a cast to text drops the blanks of a char and can be redefined. wanted: only these columns.
create or replace function pgmend.image_expression(relation regclass, row_alias text, wanted name[] default null)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    format(
        'jsonb_object(array[%s]::text[], array[%s]::text[])',
        string_agg(quote_literal(attribute.attname), ', ' order by attribute.attnum),
        string_agg(
            format('textin(%I.%I(%s.%I))', space.nspname, output.proname, row_alias, attribute.attname),
            ', ' order by attribute.attnum
        )
    )
from pg_attribute as attribute
inner join pg_type as type on type.oid = attribute.atttypid
inner join pg_proc as output on output.oid = type.typoutput
inner join pg_namespace as space on space.oid = output.pronamespace
where attribute.attrelid = relation
    and attribute.attnum > 0
    and not attribute.attisdropped
    and attribute.attgenerated = ''
    and (wanted is null or attribute.attname = any(wanted))
$function$;

-- Lets a function of ours print and read values under settings of its own, so that a text means the same in every session.
create or replace function pgmend.print_alike(routine regprocedure)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    setting record;
begin
    for setting in
        select fixed.name, fixed.value
        from (
            values
            ('datestyle', 'ISO, YMD'), ('intervalstyle', 'iso_8601'), ('timezone', 'UTC'), ('extra_float_digits', '1'),
            ('bytea_output', 'hex'), ('lc_monetary', 'C'), ('xmloption', 'content')
        ) as fixed (name, value)
    loop
        execute format('alter function %s set %I = %L', routine, setting.name, setting.value);
    end loop;
end
$function$;

-- The columns of a table's primary key, or null where it has none.
create or replace function pgmend.primary_key_of(relation regclass)
returns name[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select array_agg(attribute.attname order by attribute.attnum)
from pg_index as rule
inner join pg_attribute as attribute on attribute.attrelid = rule.indrelid and attribute.attnum = any(rule.indkey)
where rule.indrelid = relation and rule.indisprimary
$function$;

-- The table that a person knows: the root of a partition, any other table itself.
create or replace function pgmend.table_of(relation regclass)
returns regclass
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select coalesce(pg_partition_root(relation), relation)
$function$;

-- The foreign keys that lead to a table or to one whose partition it is, each with the condition by which its rows refer, under
-- the key's own operators.
create or replace function pgmend.references_to(relation regclass)
returns table (referencing_table regclass, condition text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    foreign_key.conrelid::regclass,
    string_agg(
        format(
            'referenced.%I operator(%I.%s) referencing.%I',
            referenced.attname, space.nspname, comparison.oprname, referencing.attname
        ),
        ' and ' order by pair.place
    )
from pg_constraint as foreign_key
cross join lateral unnest(foreign_key.conkey, foreign_key.confkey, foreign_key.conpfeqop)
    with ordinality as pair (referencing_number, referenced_number, operator_oid, place)
inner join pg_attribute as referencing
    on referencing.attrelid = foreign_key.conrelid and referencing.attnum = pair.referencing_number
inner join pg_attribute as referenced
    on referenced.attrelid = foreign_key.confrelid and referenced.attnum = pair.referenced_number
inner join pg_operator as comparison on comparison.oid = pair.operator_oid
inner join pg_namespace as space on space.oid = comparison.oprnamespace
where foreign_key.contype = 'f'
    and foreign_key.conparentid = 0
    and (
        foreign_key.confrelid = relation
        or foreign_key.confrelid in (select ancestor.relid from pg_partition_ancestors(relation) as ancestor (relid))
    )
group by foreign_key.oid, foreign_key.conrelid
order by foreign_key.oid
$function$;

-- How many rows of the application's tables this transaction has deleted and updated so far, whoever did it (decision 0018).
create or replace function pgmend.changes_so_far(out deleted bigint, out updated bigint)
language sql
volatile
set search_path = pg_catalog, pg_temp
as $function$
select
    coalesce(sum(pg_stat_get_xact_tuples_deleted(relation.oid)), 0)::bigint,
    coalesce(sum(pg_stat_get_xact_tuples_updated(relation.oid)), 0)::bigint
from pg_class as relation
where relation.relkind = 'r'
    and relation.relpersistence <> 't'
    and relation.relnamespace not in ('pg_catalog'::regnamespace, 'pgmend'::regnamespace)
$function$;

-- Runs a statement of ours (an insert, update or delete) on the application's tables under the operator's search path, for the
-- sake of their triggers, and returns its one answer, {"acted": count, …}. Raises PM031 unless exactly so many rows have gone or
-- changed, triggers and keys included.
create or replace function pgmend.act_counted(kind text, act text, given text[], operators_path text, expected bigint)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
    before record;
    after record;
    answer jsonb;
    is_as_written boolean;
begin
    select counted.* into before from pgmend.changes_so_far() as counted;
    perform set_config('search_path', operators_path, true);
    execute act into answer using given;
    set constraints all immediate;
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
    select counted.* into after from pgmend.changes_so_far() as counted;
    is_as_written := (answer ->> 'acted')::bigint = expected and case kind
        when 'insert' then after.deleted = before.deleted and after.updated = before.updated
        when 'delete' then after.deleted - before.deleted = expected and after.updated = before.updated
        -- a row that moves to another partition is deleted there and inserted here
        else after.deleted - before.deleted + after.updated - before.updated = expected
    end;
    if not is_as_written then
        raise exception 'a trigger does more, or less, than was written down: % of % rows, % deleted, % changed',
            answer ->> 'acted', expected, after.deleted - before.deleted, after.updated - before.updated
            using errcode = 'PM031', hint = 'Nothing has happened. Disable the trigger for the time of the repair.';
    end if;
    return answer;
end
$function$;

-- Whether the pages of a step's orphans can stay in the server's buffers until their batches come: where there is room for them,
-- and where a ctid alone names a row, which it does not on a table with partitions or heirs. Healing reads no orphan again.
create or replace function pgmend.may_linger(step pgmend.repair_steps)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    step.strategy <> 'heal' and relation.relkind = 'r'
    and not exists (select from pg_inherits as heir where heir.inhparent = relation.oid)
    and least(step.rows_planned, pg_relation_size(relation.oid) / current_setting('block_size')::bigint) < buffers.setting::bigint
from pg_class as relation
inner join pg_settings as buffers on buffers.name = 'shared_buffers'
where relation.oid = step.referencing_table
$function$;

-- The text of a query that searches the orphans of a step: table_oid, row_ctid, and key where that matters. Where the plan found
-- no orphan of another reason, the first pass does not ask for it: each is judged under its lock, and what was no such orphan
-- makes another pass. Materialized: with a limit in sight, the planner would prefer what finds the first orphan soon.
create or replace function pgmend.search_of(step pgmend.repair_steps)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    format(
        case
            when step.strategy = 'heal'
                then
                    'with found as materialized (%1$s) select distinct on (found.key) found.table_oid, found.row_ctid, found.key '
                    'from found where found.reason = %2$L order by found.key'
            when step.strategy = 'map'
                then
                    'with found as materialized (%1$s) select found.table_oid, found.row_ctid, null::text as key from found '
                    'where found.reason = %2$L and exists (select from pgmend.repair_map as entry '
                    'where entry.step_id = %3$s and entry.old_key = found.key)'
            when step.is_sole and step.passes = 0
                then 'select found.table_oid, found.row_ctid, null::text as key from (%1$s offset 0) as found'
            else
                'with found as materialized (%1$s) select found.table_oid, found.row_ctid, null::text as key from found '
                'where found.reason = %2$L'
        end,
        step.selection, step.reason, step.step_id
    )
$function$;

-- A search in one table that reads each orphan again when two more have been found. A scan of a large table reads through a small
-- ring of buffers, and a page is gone when the ring comes round, unless somebody comes back to it after the scan has let it go:
-- then it stays (decision 0021). The table is the same for all: it is not asked of each row of the scan.
create or replace function pgmend.lingering(search text, relation regclass)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    format(
        'select coalesce((select %1$s::oid from only %2$s as again where again.ctid = passed.earlier), %1$s) as table_oid, '
        'passed.row_ctid, passed.key '
        'from (select found.*, lag(found.row_ctid, 2) over () as earlier from (%3$s) as found) as passed',
        relation::oid, relation, replace(search, 'orphan.tableoid as table_oid', format('%s::oid as table_oid', relation::oid))
    )
$function$;

-- Looks for the orphans of a step and writes down where they stand: one pass. Returns how many there are, up to so many.
create or replace function pgmend.collect_orphans(wanted_step integer, most bigint)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = on
set work_mem = '64MB'
as $function$
declare
    step pgmend.repair_steps;
    search text;
    collected bigint;
begin
    select found.* into strict step
    from pgmend.repair_steps as found where found.step_id = wanted_step for no key update;
    search := pgmend.search_of(step);
    if pgmend.may_linger(step) then
        -- Several workers would have gone on to other pages by the time that an orphan is read again.
        set local max_parallel_workers_per_gather = 0;
        search := pgmend.lingering(search, step.referencing_table);
    end if;
    delete from pgmend.repair_candidates as candidate where candidate.step_id = wanted_step;
    -- A table made of a query can be filled by parallel workers, an insert cannot.
    execute format(
        'create temporary table pgmend_found on commit drop as with wanted as materialized (%s limit %s) '
        'select numbered.table_oid, (numbered.place - 1) / 1000 as piece, '
        'array_agg(numbered.row_ctid order by numbered.place) as places, array_agg(numbered.key order by numbered.place) as keys '
        'from (select wanted.*, row_number() over (partition by wanted.table_oid order by wanted.row_ctid) as place from wanted) '
        'as numbered group by numbered.table_oid, (numbered.place - 1) / 1000',
        search, most
    );
    execute format(
        'insert into pgmend.repair_candidates (step_id, first_id, table_oid, places, keys) '
        'select %s, 1 + coalesce(sum(cardinality(found.places)) over (order by found.table_oid, found.piece '
        'rows between unbounded preceding and 1 preceding), 0), found.table_oid, found.places, found.keys '
        'from pg_temp.pgmend_found as found',
        wanted_step
    );
    drop table pg_temp.pgmend_found;
    select coalesce(sum(cardinality(candidate.places)), 0) into collected
    from pgmend.repair_candidates as candidate
    where candidate.step_id = wanted_step;
    update pgmend.repair_steps as found
    set state = case when collected = 0 then 'done' else 'working' end,
        passes = found.passes + 1,
        last_candidate = 0,
        missed = case when collected = most then 1 else 0 end, -- there may be more
        rows_refused = 0,
        refusal = null
    where found.step_id = wanted_step;
    return collected;
end
$function$;

-- Locks candidates of one table, passing over what is locked already, and returns those that still are orphans of the step's
-- reason, each with a number for the quarantine and its key: the second look has a snapshot of its own, under the lock.
create or replace function pgmend.hold_orphans(
    step pgmend.repair_steps, leaf regclass, candidates tid[], out places tid[], out root_ids bigint[], out keys text[]
)
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
    selection constant text := replace(
        step.selection,
        format(' from %s as orphan where ', step.referencing_table),
        format(' from only %s as orphan where ', leaf)
    );
    locked tid[];
begin
    if selection = step.selection then
        raise exception 'the selection does not read %', step.referencing_table;
    end if;
    execute format(
        'select array_agg(held.row_ctid) from (select orphan.ctid as row_ctid from only %s as orphan '
        'where orphan.ctid = any($1) for update skip locked) as held',
        leaf
    ) into locked using candidates;
    execute format(
        'select array_agg(found.row_ctid), array_agg(nextval(''pgmend.quarantine_ids'')), array_agg(found.key) '
        'from (%s) as found where found.row_ctid = any($1) and found.reason = $2',
        selection
    ) into places, root_ids, keys using locked, step.reason;
end
$function$;

-- Orphans that something may refer to, and what is found to refer to them, for the length of a batch's transaction.
create or replace function pgmend.clear_places()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    if to_regclass('pg_temp.pgmend_places') is null then
        create temporary table pgmend_places (
            table_oid oid not null,
            row_ctid tid not null,
            root_id bigint not null,
            depth integer not null,
            key text,
            primary key (table_oid, row_ctid)
        ) on commit delete rows;
    end if;
    delete from pg_temp.pgmend_places;
end
$function$;

-- Puts held orphans of one table into the places, and nothing else.
create or replace function pgmend.place_roots(leaf regclass, places tid[], root_ids bigint[], keys text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    perform pgmend.clear_places();
    insert into pg_temp.pgmend_places (table_oid, row_ctid, root_id, depth, key)
    select leaf, held.row_ctid, held.root_id, 0, held.key
    from unnest(places, root_ids, keys) as held (row_ctid, root_id, key);
end
$function$;

-- The foreign keys that lead to tables of which rows are in the places, at one depth or at all.
create or replace function pgmend.links_to_places(at_depth integer default null)
returns table (referenced_table regclass, referencing_table regclass, condition text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    return query
    select place.table_oid::regclass, key.referencing_table, key.condition
    from (
        select distinct placed.table_oid
        from pg_temp.pgmend_places as placed
        where at_depth is null or placed.depth = at_depth
    ) as place
    cross join lateral pgmend.references_to(place.table_oid) as key;
end
$function$;

-- Adds the rows that refer to those in the places, and so on, level by level, about so many at each level; locked, and without
-- those that somebody else has locked, where they are to be taken. Returns whether the budget has cut something.
create or replace function pgmend.spread_places(budget bigint, locking boolean)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
declare
    link record;
    level integer := 0;
    added bigint;
    found_here bigint;
    is_cut boolean := false;
begin
    loop
        found_here := 0;
        for link in select found.* from pgmend.links_to_places(level) as found loop
            execute format(
                'insert into pg_temp.pgmend_places (table_oid, row_ctid, root_id, depth, key) '
                'select referencing.tableoid, referencing.ctid, place.root_id, %1$s, place.key '
                'from pg_temp.pgmend_places as place '
                'inner join only %2$s as referenced on referenced.ctid = place.row_ctid '
                'inner join %3$s as referencing on %4$s '
                'where place.table_oid = %5$s and place.depth = %6$s and not exists ('
                'select from pg_temp.pgmend_places as known '
                'where known.table_oid = referencing.tableoid and known.row_ctid = referencing.ctid) '
                'limit %7$L %8$s on conflict do nothing',
                level + 1, link.referenced_table, link.referencing_table, link.condition,
                link.referenced_table::oid, level, budget, case when locking then 'for update of referencing skip locked' end
            );
            get diagnostics added = row_count;
            found_here := found_here + added;
            is_cut := is_cut or coalesce(added >= budget, false);
        end loop;
        exit when found_here = 0;
        level := level + 1;
    end loop;
    return is_cut;
end
$function$;

-- Adds all rows that have to go with those in the places, locked, and takes out again whatever would leave a referencing row
-- behind. Returns whether the budget has cut something.
create or replace function pgmend.gather_referencing(budget bigint)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    is_cut constant boolean := pgmend.spread_places(budget, true);
begin
    perform pgmend.close_places(is_cut);
    return is_cut;
end
$function$;

-- How many rows would go along with the orphans of a reference, for each of these reasons and each table: each row once, with the
-- first orphan that leads to it. Locks nothing. Nothing is counted where no key leads to the table, where there are more orphans
-- than most, or where nothing may be written, a table of this session's own included: is_counted says so.
create or replace function pgmend.count_along(selection text, relation regclass, reasons text[], most bigint)
returns table (is_counted boolean, reason text, referencing_table text, referencing_rows bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    roots bigint;
begin
    if not exists (
        select from pg_partition_tree(relation) as leaf cross join lateral pgmend.references_to(leaf.relid::regclass)
        union all
        select from pgmend.references_to(relation)
    ) then
        return;
    end if;
    if current_setting('transaction_read_only') = 'on' then
        return query select false, null::text, null::text, null::bigint;
        return;
    end if;
    perform pgmend.clear_places();
    execute format(
        'insert into pg_temp.pgmend_places (table_oid, row_ctid, root_id, depth, key) '
        'select found.table_oid, found.row_ctid, pg_catalog.row_number() over (), 0, found.reason '
        'from (%s) as found where found.reason = any($1) limit $2 + 1',
        selection
    ) using reasons, most;
    get diagnostics roots = row_count;
    if roots > most then
        return query select false, null::text, null::text, null::bigint;
        return;
    end if;
    perform pgmend.spread_places(null, false);
    return query
    select true, place.key, pgmend.table_of(place.table_oid::regclass)::text, count(*)
    from pg_temp.pgmend_places as place
    where place.depth > 0
    group by place.key, pgmend.table_of(place.table_oid::regclass)
    order by place.key, count(*) desc;
end
$function$;

-- Those of the given keys under which no row is: for want of one, or because they are none of the column's type.
create or replace function pgmend.keys_without_row(relation regclass, column_name name, given text[])
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    key_type constant text := (
        select format_type(attribute.atttypid, -1)
        from pg_attribute as attribute
        where attribute.attrelid = relation and attribute.attname = column_name
    );
    without constant text := format(
        'select array(select asked.key from pg_catalog.unnest($1) as asked (key) '
        'where not exists (select from %s as present where present.%I = asked.key::%s))',
        relation, column_name, key_type
    );
    missing text[] := '{}';
    missing_here text[];
    key text;
begin
    execute without into missing using given;
    return missing;
exception when data_exception then
    foreach key in array given loop
        begin
            execute without into missing_here using array[key];
            missing := missing || missing_here;
        exception when data_exception then
            missing := missing || key;
        end;
    end loop;
    return missing;
end
$function$;

-- Takes rows out of the places until no row that refers to one of them is left outside. Where the budget has cut nothing, a row
-- also goes when the orphan stays because of which it was to be taken.
create or replace function pgmend.close_places(is_cut boolean)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
declare
    link record;
    removed bigint;
    removed_here bigint;
begin
    loop
        removed_here := 0;
        for link in select found.* from pgmend.links_to_places() as found loop
            execute format(
                'delete from pg_temp.pgmend_places as place using only %1$s as referenced, %2$s as referencing '
                'where place.table_oid = %4$s and referenced.ctid = place.row_ctid and %3$s and not exists ('
                'select from pg_temp.pgmend_places as known '
                'where known.table_oid = referencing.tableoid and known.row_ctid = referencing.ctid)',
                link.referenced_table, link.referencing_table, link.condition, link.referenced_table::oid
            );
            get diagnostics removed = row_count;
            removed_here := removed_here + removed;
        end loop;
        if not is_cut then
            delete from pg_temp.pgmend_places as place
            where place.depth > 0 and not exists (
                select from pg_temp.pgmend_places as root where root.depth = 0 and root.root_id = place.root_id
            );
            get diagnostics removed = row_count;
            removed_here := removed_here + removed;
        end if;
        exit when removed_here = 0;
    end loop;
end
$function$;

-- The orphans that are held, and the rows that have to go along with them: for each table their places, the orphan because of
-- which each goes, how many keys lead there, and that orphan's key. Where nothing refers to the orphans' table, they are all.
create or replace function pgmend.closure_of(leaf regclass, places tid[], root_ids bigint[], keys text[], budget bigint)
returns table (table_oid oid, row_ctids tid[], roots bigint[], depths integer[], root_keys text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    is_cut boolean;
begin
    if not exists (select from pgmend.references_to(leaf)) then
        return query select leaf::oid, places, root_ids, array_fill(0, array[cardinality(places)]), keys;
        return;
    end if;
    perform pgmend.place_roots(leaf, places, root_ids, keys);
    is_cut := pgmend.gather_referencing(budget);
    if is_cut and not exists (select from pg_temp.pgmend_places) then
        -- A cycle larger than the budget has no leaves to begin with.
        perform pgmend.place_roots(leaf, places, root_ids, keys);
        perform pgmend.gather_referencing(null);
    end if;
    return query
    select
        place.table_oid, array_agg(place.row_ctid), array_agg(place.root_id), array_agg(place.depth), array_agg(place.key)
    from pg_temp.pgmend_places as place
    group by place.table_oid;
end
$function$;

-- Writes held rows of one table into the quarantine, as they stand.
create or replace function pgmend.write_down_rows(
    step pgmend.repair_steps, new_batch bigint, leaf regclass, places tid[], root_ids bigint[], depths integer[], keys text[]
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_nestloop = off
as $function$
declare
    known_as constant regclass := pgmend.table_of(leaf);
begin
    execute format(
        'insert into pgmend.quarantine (quarantine_id, repair_id, step_id, batch, root_id, depth, action, '
        'referencing_table, table_name, old_key, row_image) '
        'select case when place.depth = 0 then place.root_id else nextval(''pgmend.quarantine_ids'') end, '
        '$1, $2, $3, place.root_id, place.depth, $4, $5, $6, place.key, %1$s '
        'from only %2$s as kept inner join unnest($7, $8, $9, $10) as place (row_ctid, root_id, depth, key) '
        'on place.row_ctid = kept.ctid where kept.ctid = any($7)',
        pgmend.image_expression(leaf, 'kept'), leaf
    ) using
        step.repair_id, step.step_id, new_batch, step.strategy, known_as, known_as::text, places, root_ids, depths, keys;
end
$function$;

select pgmend.print_alike(
    'pgmend.write_down_rows(pgmend.repair_steps, bigint, regclass, tid[], bigint[], integer[], text[])'
);

-- Takes held orphans, and what refers to them, into the quarantine. Deletes the rows of all tables in one statement: keys are
-- checked at its end.
create or replace function pgmend.take_rows(
    step pgmend.repair_steps, new_batch bigint, leaf regclass, places tid[], root_ids bigint[], keys text[], budget bigint,
    operators_path text, out taken bigint, out along bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    part record;
    given text[] := '{}';
    deletions text[] := '{}';
    counts text[] := '{}';
begin
    taken := 0;
    along := 0;
    for part in
        select held.*, cardinality(array_positions(held.depths, 0)) as root_count
        from pgmend.closure_of(leaf, places, root_ids, keys, budget) as held
    loop
        perform pgmend.write_down_rows(
            step, new_batch, part.table_oid::regclass, part.row_ctids, part.roots, part.depths, part.root_keys
        );
        given := given || part.row_ctids::text;
        deletions := deletions || format(
            'gone_%1$s as (delete from only %2$s where ctid = any(($1[%1$s])::pg_catalog.tid[]) returning true)',
            cardinality(given), part.table_oid::regclass
        );
        counts := counts || format('(select count(*) from gone_%s)', cardinality(given));
        taken := taken + part.root_count;
        along := along + cardinality(part.row_ctids) - part.root_count;
    end loop;
    if taken + along > 0 then
        perform pgmend.act_counted(
            'delete',
            format(
                'with %s select pg_catalog.jsonb_build_object(''acted'', %s)',
                array_to_string(deletions, ', '), array_to_string(counts, ' + ')
            ),
            given, operators_path, taken + along
        );
    end if;
end
$function$;

-- The new key of each of some keys of orphans, null where there is none to be had. The row that is referred to from now on is
-- held, so that it cannot go; where it is not there, or somebody is deleting it, there is none.
create or replace function pgmend.new_keys_of(step pgmend.repair_steps, keys text[])
returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
declare
    wanted_type constant text := (
        select format_type(attribute.atttypid, -1)
        from pg_attribute as attribute
        where attribute.attrelid = step.referenced_table and attribute.attname = step.referenced_column
    );
    wanted constant text[] := array(
        select coalesce(
            step.argument,
            (select entry.new_key from pgmend.repair_map as entry where entry.step_id = step.step_id and entry.old_key = given.key)
        )
        from unnest(keys) with ordinality as given (key, place)
        order by given.place
    );
    held text[];
begin
    execute format(
        'select array_agg(held.given) from (select wanted.given from pg_catalog.unnest($1) as wanted (given) '
        'inner join %1$s as present on present.%2$I = wanted.given::%3$s for key share of present skip locked) as held',
        step.referenced_table, step.referenced_column, wanted_type
    ) into held using array(select distinct given.key from unnest(wanted) as given (key) where given.key is not null);
    return array(
        select case when given.key = any(held) then given.key end
        from unnest(wanted) with ordinality as given (key, place)
        order by given.place
    );
end
$function$;

-- Sets the step's columns of held orphans to their new key, or to null, and writes down what the rows were and are then. An
-- orphan without a new key stays.
create or replace function pgmend.change_rows(
    step pgmend.repair_steps, new_batch bigint, leaf regclass, places tid[], root_ids bigint[], keys text[], operators_path text,
    out taken bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    changes text;
    answer jsonb;
    chosen record;
begin
    select
        array_agg(held.row_ctid) as places, array_agg(held.root_id) as root_ids, array_agg(held.key) as keys,
        array_agg(held.new_key) as new_keys, count(*) as size
    into chosen
    from unnest(
        places, root_ids, keys, case when step.strategy <> 'nullify' then pgmend.new_keys_of(step, keys) end
    ) as held (row_ctid, root_id, key, new_key)
    where step.strategy = 'nullify' or held.new_key is not null;
    taken := chosen.size;
    if taken = 0 then
        return;
    end if;
    perform pgmend.write_down_rows(
        step, new_batch, leaf, chosen.places, chosen.root_ids, array_fill(0, array[taken::integer]), chosen.keys
    );
    select string_agg(
        format('%I = (changed.new_key)::%s', attribute.attname, format_type(attribute.atttypid, -1)), ', '
    ) into changes
    from pg_attribute as attribute
    where attribute.attrelid = step.referencing_table and attribute.attname = any(step.changed_columns);
    answer := pgmend.act_counted(
        'update',
        format(
            'with changed_rows as (update %1$s as target set %2$s '
            'from rows from (pg_catalog.unnest(($1[1])::pg_catalog.tid[]), '
            'pg_catalog.unnest(($1[2])::pg_catalog.text[]), pg_catalog.unnest(($1[3])::pg_catalog.int8[])) '
            'as changed (row_ctid, new_key, quarantine_id) '
            'where target.tableoid = %3$s and target.ctid = changed.row_ctid '
            'returning changed.quarantine_id, target.tableoid as table_oid, target.ctid as row_ctid) '
            'select pg_catalog.jsonb_build_object(''acted'', count(*), ''rows'', pg_catalog.jsonb_agg(pg_catalog.to_jsonb(changed_rows))) '
            'from changed_rows',
            step.referencing_table, changes, leaf::oid
        ),
        array[chosen.places::text, chosen.new_keys::text, chosen.root_ids::text], operators_path, taken
    );
    perform pgmend.write_down_changes(answer -> 'rows');
end
$function$;

-- Writes down how changed rows read after the change: [{"quarantine_id", "table_oid", "row_ctid"}].
create or replace function pgmend.write_down_changes(changed_rows jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $function$
declare
    leaf regclass;
begin
    for leaf in
        select distinct (changed ->> 'table_oid')::oid::regclass from jsonb_array_elements(changed_rows) as changed
    loop
        execute format(
            'update pgmend.quarantine as quarantined set given_image = %1$s '
            'from jsonb_to_recordset($1) as changed (quarantine_id bigint, table_oid oid, row_ctid tid) '
            'inner join only %2$s as given on given.ctid = changed.row_ctid '
            'where changed.table_oid = %3$s and quarantined.quarantine_id = changed.quarantine_id',
            pgmend.image_expression(leaf, 'given'), leaf, leaf::oid
        ) using changed_rows;
    end loop;
end
$function$;

select pgmend.print_alike('pgmend.write_down_changes(jsonb)');

-- One audit entry for each row of a batch, or one for all of it: so many orphans, and so many rows along with them.
create or replace function pgmend.audit_batch(step pgmend.repair_steps, wanted_batch bigint, taken bigint, along bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    of_all constant jsonb := jsonb_build_object(
        'repair_id', step.repair_id, 'batch', wanted_batch, 'reference', step.reference, 'reason', step.reason,
        'strategy', step.strategy
    );
begin
    if (select repair.audit from pgmend.repairs as repair where repair.repair_id = step.repair_id) = 'batch' then
        insert into pgmend.audit_entries
        (error_type, severity, user_id, table_name, constraint_name, message, details)
        values (
            step.error_type, 'warning', null, pgmend.table_of(step.referencing_table)::text, step.constraint_name,
            'rows whose reference led nowhere were repaired',
            of_all || jsonb_build_object('rows', taken, 'rows_along', along)
        );
        return;
    end if;
    insert into pgmend.audit_entries
    (error_type, severity, user_id, table_name, constraint_name, message, details)
    select
        case when kept.depth = 0 then step.error_type else 'REFERENCING_ROW_QUARANTINED' end,
        'warning',
        case when step.source_id is not null then kept.old_key end,
        kept.table_name,
        case when kept.depth = 0 then step.constraint_name end,
        case when kept.depth = 0 then 'a row whose reference led nowhere was repaired' else 'a row went into the quarantine with the row it refers to' end,
        of_all || jsonb_build_object('quarantine_id', kept.quarantine_id)
    from pgmend.repaired_rows as kept
    where kept.repair_id = step.repair_id and kept.batch = wanted_batch;
end
$function$;

-- Repairs some candidates of one table in a savepoint. A row that the application's own rules refuse (a unique key, a trigger
-- that raises) is found by taking fewer and fewer, and stays as it is. What may pass by itself is raised.
create or replace function pgmend.repair_piece(
    step pgmend.repair_steps, leaf regclass, candidates tid[], budget bigint, operators_path text,
    out taken bigint, out along bigint, out refused bigint, out refusal text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    size constant integer := cardinality(candidates);
    piece constant integer := case when size > 25 then 25 when size > 5 then 5 else 1 end;
    new_batch constant bigint := nextval(pg_get_serial_sequence('pgmend.repair_batches', 'batch'));
    held record;
    part record;
begin
    taken := 0;
    along := 0;
    refused := 0;
    select found.* into held from pgmend.hold_orphans(step, leaf, candidates) as found;
    if held.places is null then
        return;
    end if;
    if step.strategy in ('quarantine', 'delete') then
        select gone.taken, gone.along into taken, along
        from pgmend.take_rows(step, new_batch, leaf, held.places, held.root_ids, held.keys, budget, operators_path) as gone;
    else
        taken := pgmend.change_rows(step, new_batch, leaf, held.places, held.root_ids, held.keys, operators_path);
    end if;
    if taken + along > 0 then
        insert into pgmend.repair_batches (repair_id, batch, first_id, last_id) overriding system value
        values (step.repair_id, new_batch, held.root_ids[1], currval('pgmend.quarantine_ids'));
        perform pgmend.audit_batch(step, new_batch, taken, along);
    end if;
exception
    when transaction_rollback or insufficient_resources or operator_intervention or lock_not_available
        or insufficient_privilege or sqlstate 'PM031' or undefined_object or undefined_table or undefined_column or undefined_function then
        raise;
    when others or assert_failure then
        taken := 0;
        along := 0;
        refused := 0;
        if size = 1 then
            refused := 1;
            refusal := format('%s: %s', sqlstate, (pgmend.evidence(sqlstate, null, null, sqlerrm) ->> 'message'));
            return;
        end if;
        for piece_start in 1 .. size by piece loop
            part := pgmend.repair_piece(step, leaf, candidates[piece_start : piece_start + piece - 1], budget, operators_path);
            taken := taken + part.taken;
            along := along + part.along;
            refused := refused + part.refused;
            refusal := coalesce(refusal, part.refusal);
        end loop;
end
$function$;

-- Users' keys as the users table of a source spells them, each once.
create or replace function pgmend.keys_as_spelled(source_id integer, given text[])
returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    key_type text;
    spelled text[];
begin
    select format_type(attribute.atttypid, -1) into key_type
    from pgmend.profile_sources as source
    inner join pg_attribute as attribute on source.users_table = attribute.attrelid and source.users_key = attribute.attname
    where source.source_id = keys_as_spelled.source_id;
    execute format('select array_agg(distinct (btrim(key, %L)::%s)::text) from unnest($1) as key', e' \t\n\r\f\x0B', key_type)
    into spelled using given;
    return spelled;
end
$function$;

-- Makes the profiles of some users by the recipe of their source.
create or replace function pgmend.heal_piece(
    step pgmend.repair_steps, user_keys text[],
    out taken bigint, out missed bigint, out refused bigint, out refusal text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    -- As the users table spells them, each once: orphans may have a key as text, in any spelling.
    known constant text[] := pgmend.keys_as_spelled(step.source_id, user_keys);
    one text;
    outcome text;
    answers jsonb;
    healed text[];
begin
    select jsonb_agg(to_jsonb(answer)) into answers from pgmend.heal_users(step.source_id, known) as answer;
    answers := coalesce(answers, '[]');
    healed := array(select answer ->> 'user_key' from jsonb_array_elements(answers) as answer where answer ->> 'outcome' = 'healed');
    select count(*), min(answer -> 'failure' ->> 'sqlstate') || ': ' || min(answer -> 'failure' ->> 'message') into refused, refusal
    from jsonb_array_elements(answers) as answer
    where answer ->> 'outcome' = 'failed' and answer -> 'failure' ->> 'sqlstate' <> '55P03';
    missed := 0;
    -- What the recipe did not settle at once: a source with a function, or somebody whose row was locked.
    for one in
        select asked.user_key
        from unnest(known) as asked (user_key)
        where not exists (
            select from jsonb_array_elements(answers) as answer
            where answer ->> 'user_key' = asked.user_key
                and answer -> 'failure' ->> 'sqlstate' is distinct from '55P03'
        )
    loop
        begin
            outcome := pgmend.heal_user(step.source_id, one);
            if outcome = 'healed' then
                healed := healed || one;
            elsif outcome = 'not_healed' then
                missed := missed + 1;
            end if;
        exception
            when transaction_rollback or insufficient_resources or operator_intervention or lock_not_available
                or insufficient_privilege then
                raise;
            when others or assert_failure then
                refused := refused + 1;
                refusal := coalesce(refusal, format('%s: the recipe was refused', sqlstate));
        end;
    end loop;
    taken := cardinality(healed);
    insert into pgmend.audit_entries (error_type, severity, user_id, message, details)
    select
        'MISSING_PROFILE_CREATED', 'info', made.user_key, 'the missing profile was created',
        jsonb_build_object('verdict', 'healed', 'source_id', step.source_id, 'lane', 'repair', 'repair_id', step.repair_id)
    from unnest(healed) as made (user_key);
end
$function$;

-- One batch of a step: the next candidates, in one transaction, the caller's. Returns what became of them; chosen is 0 at the end
-- of a pass.
create or replace function pgmend.repair_batch(
    wanted_step integer, most integer, budget bigint, operators_path text,
    out chosen bigint, out taken bigint, out along bigint, out missed bigint, out refused bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    step pgmend.repair_steps;
    part record;
    outcome record;
    last_chosen bigint;
    newest_refusal text;
begin
    select found.* into strict step
    from pgmend.repair_steps as found where found.step_id = wanted_step for no key update;
    chosen := 0;
    taken := 0;
    along := 0;
    missed := 0;
    refused := 0;
    for part in
        select
            candidate.table_oid, array_agg(one.row_ctid) as places, array_agg(one.key) as keys, count(*) as size,
            max(candidate.first_id + one.place - 1) as last_id
        from pgmend.repair_candidates as candidate
        cross join lateral unnest(candidate.places, candidate.keys) with ordinality as one (row_ctid, key, place)
        where candidate.step_id = wanted_step
            and candidate.first_id between step.last_candidate - 998 and step.last_candidate + most
            and candidate.first_id + one.place - 1 between step.last_candidate + 1 and step.last_candidate + most
        group by candidate.table_oid
    loop
        if step.strategy = 'heal' then
            outcome := pgmend.heal_piece(step, part.keys);
            missed := missed + outcome.missed;
        else
            outcome := pgmend.repair_piece(step, part.table_oid::regclass, part.places, budget, operators_path);
            along := along + outcome.along;
            missed := missed + part.size - outcome.taken - outcome.refused;
        end if;
        chosen := chosen + part.size;
        last_chosen := greatest(last_chosen, part.last_id);
        taken := taken + outcome.taken;
        refused := refused + outcome.refused;
        newest_refusal := coalesce(outcome.refusal, newest_refusal);
    end loop;
    update pgmend.repair_steps as found
    set last_candidate = coalesce(last_chosen, found.last_candidate),
        missed = found.missed + repair_batch.missed,
        rows_done = found.rows_done + repair_batch.taken,
        rows_along = found.rows_along + repair_batch.along,
        rows_refused = found.rows_refused + repair_batch.refused,
        refusal = coalesce(newest_refusal, found.refusal),
        state = case when repair_batch.chosen = 0 and found.missed = 0 then 'done' else found.state end
    where found.step_id = wanted_step;
    if chosen = 0 then
        delete from pgmend.repair_candidates as candidate where candidate.step_id = wanted_step;
    end if;
end
$function$;

-- The query that counts the orphans of a declared foreign key to attached profiles: reason, rows and keys. Null where it is none.
-- Types are the key's own, so that nothing is malformed.
create or replace function pgmend.tally_of(key_oid oid)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
with pair as (
    select
        foreign_key.conrelid, foreign_key.confrelid, listed.place, referenced.attname as referenced_column,
        format('orphan.%I', referencing.attname) as given,
        format('present.%I operator(%I.%s) orphan.%I', referenced.attname, space.nspname, comparison.oprname, referencing.attname) as met
    from pg_constraint as foreign_key
    cross join lateral unnest(foreign_key.conkey, foreign_key.confkey, foreign_key.conpfeqop)
        with ordinality as listed (referencing_number, referenced_number, operator_oid, place)
    inner join pg_attribute as referencing
        on referencing.attrelid = foreign_key.conrelid and referencing.attnum = listed.referencing_number
    inner join pg_attribute as referenced
        on referenced.attrelid = foreign_key.confrelid and referenced.attnum = listed.referenced_number
    inner join pg_operator as comparison on comparison.oid = listed.operator_oid
    inner join pg_namespace as space on space.oid = comparison.oprnamespace
    where foreign_key.oid = key_oid and foreign_key.contype = 'f' and foreign_key.conparentid = 0
),

told as (
    select
        string_agg(
            format(
                '(select case when coalesce((%s), false) then %L when (%s) then %L else %L end from %s as users '
                'where users.%I::text = lost.%I::text limit 1)',
                source.erased_when, 'erased', source.eligible_when, 'healable', 'not_eligible', source.users_table,
                source.users_key, 'key_' || pair.place
            ),
            ', ' order by source.source_id
        ) as by_each,
        min(format('lost.%I::text', 'key_' || pair.place)) as user_key,
        min(format('present.%I::text = lost.%I::text', pair.referenced_column, 'key_' || pair.place)) as is_theirs
    from pair
    inner join pgmend.profile_sources as source
        on source.profiles_table = pair.confrelid and source.profiles_key = pair.referenced_column
),

spelled as (
    select
        min(pair.conrelid)::regclass as referencing_table,
        min(pair.confrelid)::regclass as referenced_table,
        string_agg(format('%s as %I', pair.given, 'key_' || pair.place), ', ' order by pair.place) as columns,
        string_agg(pair.given, ', ' order by pair.place) as grouping,
        string_agg(format('%s is not null', pair.given), ' and ' order by pair.place) as is_given,
        string_agg(pair.met, ' and ' order by pair.place) as is_present,
        count(*) > 1 as is_composite
    from pair
)

select
    format(
        'select judged.reason, sum(judged.orphans)::bigint as orphans, count(*) as keys from (select lost.orphans, '
        'case %1$s when ''healable'' in (%2$s) then ''healable'' else coalesce(%2$s, '
        'case when exists (select from pgmend.audit_entries as entry where entry.user_id = %3$s '
        'and (entry.error_type in (''MISSING_PROFILE_CREATED'', ''ERASED_USER_EVENT_DROPPED'') '
        'or entry.details ->> ''kind'' = ''user_created'')) then ''gone'' else ''unknown'' end) end as reason '
        'from (select %4$s, count(*) as orphans from %5$s as orphan where %6$s '
        'and not exists (select from %7$s as present where %8$s) group by %9$s) as lost) as judged '
        'group by judged.reason order by orphans desc, judged.reason',
        case
            when spelled.is_composite
                then format('when exists (select from %s as present where %s) then ''mismatched''', spelled.referenced_table, told.is_theirs)
        end,
        told.by_each, told.user_key, spelled.columns, spelled.referencing_table, spelled.is_given, spelled.referenced_table,
        spelled.is_present, spelled.grouping
    )
from spelled cross join told
where told.by_each is not null
$function$;

-- Counts the orphans of one declared foreign key for a worker that may not read the application's tables, with the installer's
-- rights: only where the key leads to attached profiles, and only what a trusted owner has made, since whoever owns a table
-- chooses its types, casts and operators. Raises where row-level security would hide rows.
create or replace function pgmend.tally_orphans(key_oid oid)
returns table (reason text, orphans bigint, keys bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
set enable_seqscan = on
set work_mem = '64MB'
as $function$
declare
    query constant text := pgmend.tally_of(key_oid);
    distrusted regclass;
begin
    if query is null then
        raise exception 'this is no foreign key to attached profiles' using errcode = 'undefined_object';
    end if;
    select relation.oid into distrusted
    from pg_constraint as foreign_key
    inner join pg_class as relation on relation.oid in (foreign_key.conrelid, foreign_key.confrelid)
    where foreign_key.oid = key_oid and not pg_has_role(relation.relowner, current_user, 'member')
    limit 1;
    if distrusted is not null then
        raise exception 'the owner of % is not to be trusted with the rights of %', distrusted, current_user
            using errcode = 'insufficient_privilege';
    end if;
    return query execute query;
end
$function$;
