-- The operator's search path.
select current_setting('search_path')
