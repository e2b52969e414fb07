-- The profile sources, by id.
select source_id
from pgmend.profile_sources
order by source_id
