-- Whether there is a profile source of this id.
select count(*) > 0 as is_there
from pgmend.profile_sources
where source_id = $1
