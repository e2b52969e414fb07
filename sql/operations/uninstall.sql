-- Removes pgmend: the schema, and with its functions every trigger on the application's tables, also on tables that another
-- role owns. What stays is the audit table. Refused while captured rows, or rows that a repair took away, would be lost, unless
-- `set pgmend.discard_events = 'yes'` was said before. A lock that does not come soon is given up: then run it again.
do $operation$
declare
    captured_rows bigint;
    role_name name;
begin
    -- Shorter than deadlock_timeout: a sign-up that meets this in a deadlock is never the one that is ended.
    perform set_config('lock_timeout', '500ms', true);

    if to_regclass('pgmend.careful_events') is not null and coalesce(current_setting('pgmend.discard_events', true), '') <> 'yes' then
        -- A capture that is not committed yet is waited for, and counted.
        lock table pgmend.careful_events, pgmend.dead_letters in access exclusive mode;
        select count(*) into captured_rows
        from (
            select from pgmend.careful_events where kind = 'insert_failed'
            union all
            select from pgmend.dead_letters where kind = 'insert_failed'
        ) as captured;
        if captured_rows > 0 then
            raise exception '% captured rows would be lost', captured_rows
                using
                    errcode = 'PM011',
                    hint = 'Let the worker drain the outbox and look at pgmend.dead_letters, or say '
                        '"set pgmend.discard_events = ''yes''" before (pgmend uninstall --discard-events).';
        end if;
    end if;

    if to_regclass('pgmend.quarantine') is not null and coalesce(current_setting('pgmend.discard_events', true), '') <> 'yes' then
        lock table pgmend.quarantine in access exclusive mode;
        select count(*) into captured_rows from pgmend.quarantine where restored_at is null;
        if captured_rows > 0 then
            raise exception '% quarantined rows would be lost', captured_rows
                using
                    errcode = 'PM011',
                    hint = 'pgmend restore brings them back; copy pgmend.quarantine to a table of yours, or say '
                        '"set pgmend.discard_events = ''yes''" before (pgmend uninstall --discard-events).';
        end if;
    end if;

    drop schema if exists pgmend cascade;

    for role_name in
        select wanted from unnest(array['pgmend_worker', 'pgmend_operator']) as wanted where to_regrole(wanted) is not null
    loop
        begin
            execute format('drop role %I', role_name);
        exception when dependent_objects_still_exist or insufficient_privilege then
            raise notice 'the role % stays: it is used elsewhere, or another role made it', role_name;
        end;
    end loop;
end
$operation$;
