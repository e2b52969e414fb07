-- About how many users source $1 has: as the sweep counted them last, else as the server believes; 0 where neither knows.
select coalesce(counts.users, greatest(users.reltuples, 0)::bigint, 0) as about
from pgmend.profile_sources as source
left join pgmend.user_counts as counts on source.source_id = counts.source_id
left join pg_catalog.pg_class as users on source.users_table = users.oid
where source.source_id = $1
