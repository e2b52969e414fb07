-- Rows of a repair that could not be restored, and why: the first $2 of them.
select
    kept.table_name,
    coalesce(
        (
            select string_agg(kept.row_image ->> part.column_name, ',' order by part.column_name)
            from unnest(pgmend.primary_key_of(kept.referencing_table)::text[]) as part (column_name)
        ),
        kept.old_key
    ) as row_key,
    kept.refusal ->> 'sqlstate' as sqlstate,
    kept.refusal ->> 'constraint' as constraint_name,
    kept.refusal ->> 'reason' as reason
from pgmend.repaired_rows as kept
where kept.repair_id = $1 and kept.restored_at is null and kept.refusal is not null
order by kept.quarantine_id
limit $2
