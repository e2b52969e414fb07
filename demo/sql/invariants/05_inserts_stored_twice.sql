-- Inserts of which more than one row stands.
select
    count(*) filter (where stored.copies > 1) as found,
    count(*) as checked
from (
    select count(*) as copies
    from demo.stored_inserts
    group by intent_id
) as stored
