-- Guards. A guarded constraint is a foreign key to a profiles table whose inserts pgmend looks after, in one of these modes:
--   report   nothing stands on the table; a failed insert is captured where pgmend.insert_or_park runs it, or it is reported
--   ensure   an insert that refers to a missing profile makes it first; the writer sees an ordinary insert
--   park     a row that refers to a missing profile is captured in place of its insert; the writer sees INSERT 0 0, or the honest
--            error where the role was not granted the captures
-- In all modes the two functions above capture as well.
-- replay_function: by default the captured row is inserted again; where an insert is more than a row (a conversation with its
-- admin and its welcome message), the application's own function is called with the row image instead. It raises what goes
-- wrong, and SQLSTATE PM001 when something must appear first (its detail names what it waits for: see resume_waiting).
-- unknown_user_grace: how long a captured insert for a user that does not exist waits for the sign-up to commit. Null: it is not
-- captured, and fails as it always did.
create table if not exists pgmend.guarded_constraints (
    guard_id integer generated always as identity,
    referencing_table regclass not null,
    constraint_name name not null,
    source_id integer not null,
    mode text not null default 'report',
    replay_function text,
    replayed_error_type text not null default 'INSERT_REPLAYED',
    unknown_user_grace interval,
    constraint guarded_constraints_pkey primary key (referencing_table, constraint_name),
    constraint guarded_constraints_id_is_unique unique (guard_id),
    constraint guarded_constraints_mode_is_known check (mode in ('report', 'ensure', 'park')),
    constraint guarded_constraints_source_is_attached foreign key (source_id)
    references pgmend.profile_sources (source_id) on delete cascade
);

-- The foreign keys that lead to the profiles of a source, and which of their columns holds the user's key: the one that refers to
-- the profiles' key. Read from the catalog every time, so that a renamed column is found under its new name.
create or replace view pgmend.guardable_constraints as
select
    foreign_key.conrelid::regclass as referencing_table,
    foreign_key.conname as constraint_name,
    source.source_id,
    referencing.attname as user_column,
    foreign_key.oid as constraint_oid,
    foreign_key.condeferrable as is_deferrable,
    foreign_key.condeferred as is_deferred
from pgmend.profile_sources as source
inner join pg_catalog.pg_attribute as referenced
    on source.profiles_table = referenced.attrelid and source.profiles_key = referenced.attname
inner join pg_catalog.pg_constraint as foreign_key
    on referenced.attrelid = foreign_key.confrelid and referenced.attnum = any(foreign_key.confkey)
inner join pg_catalog.pg_attribute as referencing
    on
        foreign_key.conrelid = referencing.attrelid
        and referencing.attnum = foreign_key.conkey[array_position(foreign_key.confkey, referenced.attnum)]
where foreign_key.contype = 'f' and foreign_key.conparentid = 0;

create or replace view pgmend.guards as
select
    guard.guard_id,
    guard.referencing_table,
    guard.constraint_name,
    guard.source_id,
    guard.mode,
    guard.replay_function,
    guard.replayed_error_type,
    guard.unknown_user_grace,
    guardable.user_column,
    guardable.constraint_oid,
    guardable.is_deferrable,
    guardable.is_deferred
from pgmend.guarded_constraints as guard
inner join pgmend.guardable_constraints as guardable
    on
        guard.referencing_table = guardable.referencing_table
        and guard.constraint_name = guardable.constraint_name
        and guard.source_id = guardable.source_id;

-- Guards one foreign key. Safe to call again: the settings are replaced. The modes ensure and park put a trigger on the
-- referencing table (ShareRowExclusive lock, for an instant; AccessExclusive where one is taken away).
create or replace function pgmend.guard(
    referencing_table regclass,
    constraint_name name,
    mode text default 'report',
    replay_function regprocedure default null,
    replayed_error_type text default 'INSERT_REPLAYED',
    unknown_user_grace interval default null
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    guarded_source integer;
    candidates integer;
    guarded pgmend.guards;
begin
    select min(guardable.source_id), count(*) into guarded_source, candidates
    from pgmend.guardable_constraints as guardable
    where guardable.referencing_table = guard.referencing_table and guardable.constraint_name = guard.constraint_name;
    if candidates > 1 then
        raise exception 'the key % of % leads to the profiles of % sources', guard.constraint_name, guard.referencing_table, candidates
            using errcode = 'ambiguous_parameter', hint = 'One profiles table with several users tables cannot be guarded yet.';
    end if;
    if guarded_source is null then
        raise exception 'there is no foreign key % of % to the key of an attached profiles table',
            guard.constraint_name, guard.referencing_table
            using
                errcode = 'undefined_object',
                hint = 'Attach the profiles table first with pgmend.attach_source, and name the key as \d prints it.';
    end if;

    if exists (
        select from pg_proc as routine
        where routine.oid = guard.replay_function
            and (routine.pronargs <> 1 or routine.proargtypes[0] <> 'jsonb'::regtype)
    ) then
        raise exception '% does not take the row image alone', guard.replay_function
            using errcode = 'invalid_function_definition', hint = 'A replay function has one argument, of type jsonb.';
    end if;
    if guard.mode not in ('report', 'ensure', 'park') then
        raise exception 'there is no mode %', guard.mode
            using errcode = 'invalid_parameter_value', hint = 'The modes are report, ensure and park.';
    end if;

    insert into pgmend.guarded_constraints
        (referencing_table, constraint_name, source_id, mode, replay_function, replayed_error_type, unknown_user_grace)
    values (
        guard.referencing_table, guard.constraint_name, guarded_source, guard.mode,
        guard.replay_function::oid::regproc::text, guard.replayed_error_type, guard.unknown_user_grace
    )
    on conflict on constraint guarded_constraints_pkey do update set
        source_id = excluded.source_id,
        mode = excluded.mode,
        replay_function = excluded.replay_function,
        replayed_error_type = excluded.replayed_error_type,
        unknown_user_grace = excluded.unknown_user_grace;

    select looked_up.* into strict guarded
    from pgmend.guards as looked_up
    where looked_up.referencing_table = guard.referencing_table and looked_up.constraint_name = guard.constraint_name;
    if guarded.mode = 'ensure' and guarded.is_deferrable and not guarded.is_deferred then
        raise exception 'the key % of % is deferrable but immediate, and cannot be ensured',
            guarded.constraint_name, guarded.referencing_table
            using
                errcode = 'feature_not_supported',
                hint = 'The guard could not know when a transaction defers it. Make the key initially deferred, or use the mode report.';
    end if;
    if guarded.mode = 'park' and guarded.is_deferrable then
        raise exception 'the key % of % is deferrable, and rows that violate it cannot be parked',
            guarded.constraint_name, guarded.referencing_table
            using
                errcode = 'feature_not_supported',
                hint = 'The profile may come later in the same transaction, which the guard cannot know. Use the mode report or ensure.';
    end if;
    -- The trigger looks at the rows with the installer's rights, and whoever owns the table chooses its types, casts and operators.
    if guarded.mode <> 'report' and not exists (
        select from pg_class as relation
        where relation.oid = guarded.referencing_table and pg_has_role(relation.relowner, current_user, 'member')
    ) then
        raise exception 'the owner of % is not to be trusted with the rights of %', guarded.referencing_table, current_user
            using
                errcode = 'insufficient_privilege',
                hint = 'Install pgmend as the role that owns the application''s tables, or use the mode report.';
    end if;
    perform pgmend.place_guard(guarded);
end
$function$;

-- Takes a guard off again, its trigger with it, also from a table that another role owns. Captured rows stay events.
create or replace function pgmend.unguard(referencing_table regclass, constraint_name name)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_column
declare
    removed integer;
begin
    delete from pgmend.guarded_constraints as guarded
    where guarded.referencing_table = unguard.referencing_table and guarded.constraint_name = unguard.constraint_name
    returning guarded.guard_id into removed;
    if removed is null then
        raise exception 'the key % of % is not guarded', unguard.constraint_name, unguard.referencing_table
            using errcode = 'undefined_object', hint = 'pgmend.guarded_constraints lists the guards.';
    end if;
    perform pgmend.take_guard_away(removed);
end
$function$;

-- Takes the triggers of one guard away, also from a table that another role owns.
create or replace function pgmend.take_guard_away(guard_id integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    execute format(
        'drop function if exists pgmend.ensure_guarded_%1$s(), pgmend.find_missing_%1$s(), pgmend.park_guarded_%1$s() cascade',
        guard_id
    );
end
$function$;

-- Makes the triggers and the functions of one guard, or takes away those of another mode.
--
-- ensure is an AFTER trigger whose name sorts before those of the foreign keys ("RI_ConstraintTrigger_…"), so it runs at the end
-- of the statement and just before the key is checked: a statement that writes the profile itself, after the row that refers to
-- it, is left alone; a row that a policy or a CHECK refuses makes no profile; and every BEFORE trigger has had its say about the
-- key. For a deferred key it is a constraint trigger that is deferred as well.
-- park is a pair of BEFORE triggers whose names sort first, by a leading space, so that no other trigger has its effect on a row
-- that is then captured, and they see the row as the writer gave it: the first finds out,
-- with the installer's rights, that the profile is missing; the second, with the writer's, rehearses the insert (park_row).
--
-- No search_path is pinned, which would cost every insert: each name is qualified, the key's own operators included. A renamed
-- column is noticed where the function fails on it, and looked up.
create or replace function pgmend.place_guard(guarded pgmend.guards)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    the_profile text;
    some_column_is_null text;
begin
    perform pgmend.take_guard_away(guarded.guard_id);
    if guarded.mode = 'report' then
        return;
    end if;

    select
        format(
            'from %s as profile where %s',
            foreign_key.confrelid::regclass,
            string_agg(
                format('profile.%I operator(%I.%s) new.%I', referenced.attname, space.nspname, equality.oprname, referencing.attname),
                ' and ' order by pairs.place
            )
        ),
        string_agg(format('new.%I is null', referencing.attname), ' or ' order by pairs.place)
    into strict the_profile, some_column_is_null
    from pg_constraint as foreign_key
    cross join lateral unnest(foreign_key.conkey, foreign_key.confkey, foreign_key.conpfeqop)
        with ordinality as pairs (referencing_number, referenced_number, equality_oid, place)
    inner join pg_attribute as referencing
        on referencing.attrelid = foreign_key.conrelid and referencing.attnum = pairs.referencing_number
    inner join pg_attribute as referenced
        on referenced.attrelid = foreign_key.confrelid and referenced.attnum = pairs.referenced_number
    inner join pg_operator as equality on equality.oid = pairs.equality_oid
    inner join pg_namespace as space on space.oid = equality.oprnamespace
    where foreign_key.oid = guarded.constraint_oid
        and (guarded.mode = 'ensure' or referencing.attgenerated = '') -- a BEFORE trigger sees no generated value
    group by foreign_key.confrelid;

    if guarded.mode = 'ensure' then
        perform pgmend.place_ensure(guarded, the_profile, some_column_is_null);
    else
        perform pgmend.place_park(guarded, the_profile, some_column_is_null);
    end if;
end
$function$;

-- The profile is looked for in the snapshot of the statement, which spares a new one for each row: where it is not in there, the
-- healing looks again.
--
-- The first row whose profile is missing has all rows of its statement looked at, in the transition table, so that a COPY or a
-- multi-row insert is healed at once; the others, in whose snapshot the profiles are missing still, are passed over. Once a
-- session has written many rows, a statement of many rows is looked at as a whole even if nothing is missing, and its other rows
-- need no look of their own. A statement is known again by what Postgres writes into each of its rows: the transaction and the
-- command that wrote it (decision 0012).
-- Partitions, and tables that inherit, can have no transition table on a row's trigger, and neither can a deferred one; tables of
-- another access method need not keep the command. Each row is for itself there.
create or replace function pgmend.place_ensure(guarded pgmend.guards, the_profile text, some_column_is_null text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    is_set_wise constant boolean := not guarded.is_deferred and pgmend.can_have_transition_table(guarded.referencing_table);
begin
    -- format() prints a value by its type's output function; a cast could be of the type's owner's making.
    execute format(
        pgmend.with_quotes_of_its_own(
            case when is_set_wise then $template$
        create function pgmend.ensure_guarded_%1$s()
        returns trigger
        language plpgsql
        stable
        security definer
        as $guard$
        #variable_conflict use_column
        declare
            is_another_of_many boolean;
            mark text;
        begin
            if pg_catalog.pg_stat_get_xact_tuples_inserted(tg_relid) operator(pg_catalog.>) 20000 then
                mark := pg_catalog.concat(new.xmin, '/', new.cmin);
                if pg_catalog.current_setting('pgmend.ensured_%1$s', true) operator(pg_catalog.=) mark then
                    return null;
                end if;
                is_another_of_many := pg_catalog.current_setting('pgmend.begun_%1$s', true) operator(pg_catalog.=) mark;
                mark := pg_catalog.set_config('pgmend.begun_%1$s', mark, true);
            end if;
            begin
                perform %3$s;
                if is_another_of_many is not true and (found or %2$s) then
                    return null;
                end if;
                mark := pg_catalog.concat(new.xmin, '/', new.cmin);
                if pg_catalog.current_setting('pgmend.ensured_%1$s', true) operator(pg_catalog.=) mark then
                    return null;
                end if;
                perform pgmend.ensure_profiles(
                    %1$s,
                    array(
                        select distinct pg_catalog.format('%%s', new.%4$I)
                        from pgmend_new_rows as new
                        where not (%2$s) and not exists (select %3$s)
                    )
                );
                mark := pg_catalog.set_config('pgmend.ensured_%1$s', mark, true);
            exception when syntax_error_or_access_rule_violation or invalid_schema_name then
                perform pgmend.ensure_by_catalog(%1$s, tg_relid, new);
            end;
            return null;
        end
        $guard$
        $template$
            else $template$
        create function pgmend.ensure_guarded_%1$s()
        returns trigger
        language plpgsql
        stable
        security definer
        as $guard$
        begin
            perform %3$s;
            if not (found or %2$s) then
                perform pgmend.ensure_profiles(%1$s, array[pg_catalog.format('%%s', new.%4$I)]);
            end if;
            return null;
        exception when syntax_error_or_access_rule_violation or invalid_schema_name then
            perform pgmend.ensure_by_catalog(%1$s, tg_relid, new);
            return null;
        end
        $guard$
        $template$
            end
        ),
        guarded.guard_id, some_column_is_null, the_profile, guarded.user_column
    );
    perform pgmend.close_function(format('pgmend.ensure_guarded_%s()', guarded.guard_id));
    execute format(
        'create %1$s trigger "PGMEND_ensure_%2$s" after insert on %3$s %4$s for each row execute function pgmend.ensure_guarded_%2$s()',
        case when guarded.is_deferred then 'constraint' end,
        guarded.guard_id,
        guarded.referencing_table,
        case
            when guarded.is_deferred then 'deferrable initially deferred'
            when is_set_wise then 'referencing new table as pgmend_new_rows'
        end
    );
end
$function$;

create or replace function pgmend.can_have_transition_table(relation regclass)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $function$
select
    described.relkind = 'r'
    and method.amname = 'heap'
    and not exists (select from pg_inherits as inheritance where inheritance.inhrelid = relation)
from pg_class as described
inner join pg_am as method on method.oid = described.relam
where described.oid = relation
$function$;

create or replace function pgmend.place_park(guarded pgmend.guards, the_profile text, some_column_is_null text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    execute format(
        pgmend.with_quotes_of_its_own($template$
        create function pgmend.find_missing_%1$s()
        returns trigger
        language plpgsql
        stable
        security definer
        as $guard$
        begin
            if %2$s then
                return new;
            end if;
            perform %3$s;
            if not found then
                perform pg_catalog.set_config('pgmend.missing', '%1$s', true);
            end if;
            return new;
        exception when syntax_error_or_access_rule_violation or invalid_schema_name then
            return new;
        end
        $guard$
        $template$),
        guarded.guard_id, some_column_is_null, the_profile
    );
    execute format(
        pgmend.with_quotes_of_its_own($template$
        create function pgmend.park_guarded_%1$s()
        returns trigger
        language plpgsql
        as $guard$
        begin
            perform pg_catalog.set_config('pgmend.missing', '', true);
            -- Not one condition: to look up a function in a schema takes the right to use it.
            if not pg_catalog.has_schema_privilege('pgmend', 'usage') then
                return new;
            end if;
            if not pg_catalog.has_function_privilege(
                'pgmend.park_row(pg_catalog.regclass, pg_catalog.anyelement)', 'execute'
            ) then
                return new;
            end if;
            -- A partition's trigger is its table's, and a name would be another's after a rename.
            if pgmend.park_row(
                (
                    select placed.tgrelid
                    from pg_catalog.pg_trigger as placed
                    where placed.tgname operator(pg_catalog.=) tg_name
                        and placed.tgparentid operator(pg_catalog.=) 0::pg_catalog.oid
                        and placed.tgrelid operator(pg_catalog.=) any(
                            pg_catalog.array_append(
                                array(select above.relid::pg_catalog.oid from pg_catalog.pg_partition_ancestors(tg_relid) as above),
                                tg_relid
                            )
                        )
                ),
                new
            ) then
                return null;
            end if;
            return new;
        end
        $guard$
        $template$),
        guarded.guard_id
    );
    perform pgmend.close_function(format('pgmend.find_missing_%s()', guarded.guard_id));
    perform pgmend.close_function(format('pgmend.park_guarded_%s()', guarded.guard_id));
    execute format(
        $template$
        create trigger " PGMEND_park_%1$s_finds" before insert on %2$s
        for each row execute function pgmend.find_missing_%1$s();
        create trigger " PGMEND_park_%1$s_parks" before insert on %2$s
        for each row when (
            pg_catalog.current_setting('pgmend.missing', true) operator(pg_catalog.=) '%1$s'
            and pg_catalog.current_setting('pgmend.trying', true) operator(pg_catalog.=) 'on' is not true
        )
        execute function pgmend.park_guarded_%1$s()
        $template$,
        guarded.guard_id, guarded.referencing_table
    );
end
$function$;

-- The same where something was renamed, or is gone: the key's column by its present name. Without the key nothing is to be done.
create or replace function pgmend.ensure_by_catalog(guard_id integer, fired_on regclass, referencing_row anyelement)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    key_column name;
    user_key text;
begin
    select guard.user_column into key_column from pgmend.guards as guard where guard.guard_id = ensure_by_catalog.guard_id;
    if key_column is null then
        return;
    end if;
    execute format('select format(''%%s'', ($1).%I)', key_column) into user_key using referencing_row;
    perform pgmend.ensure_profiles(guard_id, array_remove(array[user_key], ''));
exception when syntax_error_or_access_rule_violation or invalid_schema_name then
    raise log 'pgmend could not look after an insert into % (%)', fired_on, sqlstate;
end
$function$;

-- Makes the profiles that rows are about to refer to, where the source wants one for the user, and audits each. Whatever keeps
-- one from being made is logged, and the foreign key then says what it always says, of the row that it is about: hence one by
-- one where they cannot be made together.
create or replace function pgmend.ensure_profiles(guard_id integer, user_keys text[])
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
#variable_conflict use_variable
declare
    guarded pgmend.guarded_constraints;
    user_key text;
begin
    select guard.* into guarded from pgmend.guarded_constraints as guard where guard.guard_id = ensure_profiles.guard_id;
    if guarded.guard_id is null or cardinality(user_keys) = 0 or exists (
        select from pgmend.profile_sources as source
        where source.source_id = guarded.source_id and source.paused_at is not null
    )
    then
        return;
    end if;
    if pgmend.has_temporary_objects() then
        raise log 'pgmend makes no profile in a session that has temporary objects';
        return;
    end if;
    begin
        execute format(
            $query$
            insert into pgmend.audit_entries
                (error_type, severity, user_id, table_name, constraint_name, message, details, correlation_id)
            select
                'MISSING_PROFILE_CREATED', 'info', healed.user_key, $2, $3,
                'the missing profile was created',
                jsonb_build_object('verdict', 'healed', 'source_id', $4, 'lane', 'ensure'),
                pgmend.given_correlation_id()
            from %s as healed (user_key)
            $query$,
            case
                when cardinality(user_keys) = 1
                    then format('(select $1[1] where pgmend.heal_one_%s($1[1]) = ''healed'')', guarded.source_id)
                else format('pgmend.heal_many_%s($1)', guarded.source_id)
            end
        )
        using user_keys, guarded.referencing_table::text, guarded.constraint_name, guarded.source_id;
    exception
        when transaction_rollback or insufficient_resources or operator_intervention or object_not_in_prerequisite_state then
            raise;
        when others or assert_failure then
            raise log 'pgmend could not make % profiles for an insert into % (%)',
                cardinality(user_keys), guarded.referencing_table, sqlstate;
            if cardinality(user_keys) > 1 then
                foreach user_key in array user_keys loop
                    perform pgmend.ensure_profiles(guard_id, array[user_key]);
                end loop;
            end if;
    end;
end
$function$;
