-- Counts the users of source $1, and those without a profile, and keeps the counts.
insert into pgmend.user_counts as known (source_id, users, without_profile, overdue, overdue_since, counted_at)
select
    source.source_id, counted.users, counted.without_profile, counted.overdue,
    case when counted.overdue > 0 then clock_timestamp() end,
    clock_timestamp()
from pgmend.profile_sources as source
cross join lateral pgmend.count_users(source.source_id) as counted
where source.source_id = $1
on conflict (source_id) do update set
    users = excluded.users,
    without_profile = excluded.without_profile,
    overdue = excluded.overdue,
    overdue_since = case when excluded.overdue > 0 then coalesce(known.overdue_since, excluded.overdue_since) end,
    counted_at = excluded.counted_at
