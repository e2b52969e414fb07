-- The dead letters of each verdict, with the hint of the oldest.
select
    verdict,
    count(*) as count,
    (array_agg(hint order by event_id))[1] as hint
from pgmend.dead_letters
group by verdict
order by verdict
