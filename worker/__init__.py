"""pgmend: triggers record what a sign-up race broke, this worker claims the events, heals, replays and audits each once.

Read ``pipeline`` first: it is the path of an event, top to bottom.
"""

__version__ = "0.1.0"
