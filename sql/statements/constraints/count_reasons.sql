-- The text that counts the orphans that a selection ($1, see orphans/selection) finds, for each reason.
select
    format('select orphan.reason, count(*) as number from (%s) as orphan group by orphan.reason order by 2 desc, 1', $1::text)
        as text
