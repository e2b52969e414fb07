"""What a command has to load before it can say anything."""

import subprocess
import sys

LOADED = """
import sys
from worker.commands.parser import make_parser
make_parser()
print(sorted({"aiohttp", "jinja2", "prometheus_client", "opentelemetry"} & set(sys.modules)))
"""


def test_commands_start_without_the_web_server() -> None:
    """Whoever is on call waits for each command's start: what only the worker serves with is loaded by the worker alone."""
    ran = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)

    assert ran.stdout == "[]\n"
