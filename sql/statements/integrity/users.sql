-- What was counted last of the users of each profile source; nulls where a source was not counted yet.
select
    source.source_id, source.users_table::text as users_table, source.profiles_table::text as profiles_table,
    counts.users, counts.without_profile, counts.overdue, counts.overdue_since, counts.counted_at
from pgmend.profile_sources as source
left join pgmend.user_counts as counts on source.source_id = counts.source_id
order by source.source_id
