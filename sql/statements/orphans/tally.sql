-- The text of a query that counts the orphans of one reference by reason, over a selection by key ($1, see selection.sql). Up to
-- so many keys ($2) of each reason come along as a sample, those with the most orphans first.
select
    format(
        $query$
        select
            placed.reason,
            sum(placed.orphans)::bigint as orphans,
            count(*) as keys,
            min(placed.first_seen) as first_seen,
            max(placed.last_seen) as last_seen,
            sum(placed.last_hour)::bigint as last_hour,
            sum(placed.last_day)::bigint as last_day,
            coalesce(array_agg(placed.key order by placed.place) filter (where placed.place <= %2$s), '{}') as sample
        from (
            select
                found.*,
                row_number() over (
                    partition by found.reason order by found.orphans desc, found.key collate "C"
                ) as place
            from (%1$s) as found
        ) as placed
        group by placed.reason
        order by orphans desc, reason
        $query$,
        $1::text, $2::integer
    ) as query
