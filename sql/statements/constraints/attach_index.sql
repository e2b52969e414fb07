-- The text that makes the index $2 of a partition part of the index $1 of the partitioned table. AccessExclusive on $2.
select format('alter index %s attach partition %s', $1::text, $2::text) as text
