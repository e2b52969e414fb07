-- Rings by hand: the probe proves with it that a bell rung on one connection is heard on another.
select pg_notify('pgmend', $1)
