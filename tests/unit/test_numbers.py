"""Numbers on the command line: what is none of its kind is usage, whatever the command."""

import pytest

from worker.commands.parser import make_parser


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "soon"])
@pytest.mark.parametrize("command", [["repair"], ["restore", "1"]], ids=["repair", "restore"])
def test_pause_is_a_time(command: list[str], value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """None, or some; the message says what is wrong with it."""
    assert make_parser().parse_args([*command, "--pause-milliseconds", "0.5"]).pause_milliseconds == 0.5
    with pytest.raises(SystemExit, match="2"):
        make_parser().parse_args([*command, f"--pause-milliseconds={value}"])

    assert "argument --pause-milliseconds: " in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-3", "1.5", "many"])
@pytest.mark.parametrize("option", ["repair --batch-size", "constrain --lock-timeout", "constrain --attempts"])
def test_what_is_counted_is_one_or_more(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A batch of nothing would never end, and no attempt does nothing."""
    command, name = option.split()
    with pytest.raises(SystemExit, match="2"):
        make_parser().parse_args([command, f"{name}={value}"])

    assert f"argument {name}: " in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
def test_looks_are_some_time_apart(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A watch without a pause would keep the database busy with nothing else."""
    assert make_parser().parse_args(["status", "--every-seconds", "0.01"]).every_seconds == 0.01
    with pytest.raises(SystemExit, match="2"):
        make_parser().parse_args(["status", f"--every-seconds={value}"])

    assert "argument --every-seconds: " in capsys.readouterr().err
