"""What already went wrong: a database full of orphans, taken to keys that hold, and back to what it was, byte for byte.

story        the acts in order, from the key that cannot be added to the proof of the restore: read this first
shop         the database that it begins with, and what is remembered of it
acts         the work: diagnose, repair, constrain, verify, restore, with the real command
wishes       what is asked of the command: references, strategies, keys
application  clients that go on writing to the same tables all the while; ``beside`` watches them, ``deeds`` are their statements
running      the command pgmend as a process, shown while it runs; ``ran`` is what is left of it
narrator     what a spectator sees, in a pipe; terminal_narrator on a terminal
proof        checksums, counts and invariants: promises against facts
result       everything that is reported at the end
"""
