-- Says that no worker is awake. The mark is taken by the next statement, whose snapshot is younger than this word.
select setval('pgmend.doorbell_lease', 0)
