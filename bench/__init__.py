"""Measurements, each beside its reference in the same run: ``./run bench [NAME ...]``.

__main__        command line, table, JSON
measurements    the list of them: drain, latency, sign_up, held_snapshot, others, memory
application     the sample application, users to fill it with, and poison among them
own             our side: the worker's path in this process, and the worker as a process of its own
pacing          sign-ups at a steady pace, from a process of their own
laboratory      the private server, and a fresh copy of a prepared database for every round
rounds          interleaving (A B A B ...), medians, ratios
report          figures, targets, the table
picture         SVG by hand
reference/      what we are measured against, written as a good engineer would write it for this one application
"""
