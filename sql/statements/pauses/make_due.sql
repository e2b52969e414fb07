-- Makes what waits in one profile source, or in all of them ($1 is null), due at once; returns those where something waited.
with made as materialized (
    select
        source.source_id,
        pgmend.make_events_due(source.source_id) as events
    from pgmend.profile_sources as source
    where $1::integer is null or source.source_id = $1
)

select source_id, events
from made
where events > 0
order by source_id
