"""One run of the server process: launch it, wait until it answers, halt it."""

import signal
import socket
import struct
import subprocess
import threading
import time
from contextlib import suppress
from typing import Literal

from worker.embedded.account import Account, prefix
from worker.embedded.binaries import Binaries
from worker.embedded.creation import CLEAN_ENVIRONMENT, disk_hint
from worker.embedded.errors import EmbeddedError, StartError
from worker.embedded.workspace import Workspace

StopMode = Literal["fast", "immediate"]
STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 30.0
SECONDS_BETWEEN_LOOKS = 0.01
PROTOCOL = 196608  # version 3.0
STARTUP = struct.pack("!i", PROTOCOL) + b"user\0postgres\0database\0postgres\0\0"
GOODBYE = b"X" + struct.pack("!i", 4)


def launch(binaries: Binaries, workspace: Workspace, account: Account) -> subprocess.Popen[bytes]:
    """Start the server process. Only the main thread may: the server ends when the thread that started it ends."""
    if threading.current_thread() is not threading.main_thread():
        raise EmbeddedError(
            "the private server must be started from the main thread",
            hint="it ends with the thread that started it: call start and restart outside asyncio.to_thread",
        )
    with workspace.log.open("ab") as log:
        return subprocess.Popen(
            [
                *(*prefix(account), binaries.program("postgres"), "-D", str(workspace.data)),
                *("-c", f"config_file={workspace.config}"),
            ],
            cwd=workspace.root,
            env=CLEAN_ENVIRONMENT,
            pass_fds=(workspace.lock,),
            start_new_session=True,  # Ctrl-C is for the caller, who stops the server in order
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def await_ready(process: subprocess.Popen[bytes], workspace: Workspace, port: int) -> None:
    """Wait until the server accepts connections; if it ends instead, say why."""
    deadline = time.monotonic() + SECONDS_TO_START
    while not answers(workspace, port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise StartError(
                f"the private server did not come up within {SECONDS_TO_START:.0f} s"
                if process.returncode is None
                else f"the private server ended at its start with status {process.returncode}",
                detail=workspace.log_tail(),
                hint=disk_hint(workspace),
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)


def answers(workspace: Workspace, port: int) -> bool:
    """Connect, and see whether the server lets a session begin: the one reliable sign that it runs."""
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(5)
        connection.connect(str(workspace.sockets / f".s.PGSQL.{port}"))
        connection.sendall(struct.pack("!i", len(STARTUP) + 4) + STARTUP)
        if connection.recv(1) == b"R":  # "authentication"; an error, as during recovery, begins with E
            connection.sendall(GOODBYE)
            return True
    return False


def halt(process: subprocess.Popen[bytes], mode: StopMode) -> None:
    """Stop the server and wait for it: `fast` is orderly, `immediate` is a crash that recovery mends."""
    process.send_signal(STOP_SIGNALS[mode])
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """Let the system choose a loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
