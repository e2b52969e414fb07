-- After how many milliseconds of waiting the server looks for a deadlock.
select setting.setting::integer as milliseconds
from pg_catalog.pg_settings as setting
where setting.name = 'deadlock_timeout'
