-- A row for each prepared statement of the session, and a thousand for each that was not prepared by the worker's driver.
select
from pg_catalog.pg_prepared_statements as kept
cross join lateral pg_catalog.generate_series(1, case when kept.from_sql then 1000 else 1 end)
