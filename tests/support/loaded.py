"""A worker that says at its end which modules it had loaded: ``python -m tests.support.loaded [BLOCKED]``."""

import json
import sys

from worker.__main__ import main

if __name__ == "__main__":
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    modules.update(dict.fromkeys(sys.argv[1:]))  # None: to import it fails, as if it were not installed
    status = main(["run"])
    print(json.dumps({"event": "modules", "level": "info", "names": [name for name in modules if modules[name]]}))  # noqa: T201
    sys.exit(status)
