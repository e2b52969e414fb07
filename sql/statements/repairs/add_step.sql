-- Adds a step to a run.
insert into pgmend.repair_steps (
    repair_id, referencing_table, reference, referenced_table, referenced_column, changed_columns, constraint_name,
    source_id, selection, error_type, reason, is_sole, strategy, argument, rows_planned
)
values ($1, $2::text::regclass, $3, $4::text::regclass, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
returning step_id
