-- A login that may count events and read nothing of them. For whoever owns the schema pgmend and may create roles; to be run again
-- after each migration, which closes the schema to everybody it does not know. Give it a password.
do $role$
begin
    if to_regrole('pgmend_scaler') is null then
        create role pgmend_scaler login connection limit 3;
    end if;
end
$role$;

alter role pgmend_scaler set statement_timeout = '5s';

grant usage on schema pgmend to pgmend_scaler;
grant select (event_id) on pgmend.express_events to pgmend_scaler;
grant select (available_at) on pgmend.careful_events to pgmend_scaler;
