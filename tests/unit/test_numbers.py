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
def test_rows_of_a_batch_are_one_or_more(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A batch of nothing would never end."""
    with pytest.raises(SystemExit, match="2"):
        make_parser().parse_args(["repair", f"--batch-size={value}"])

    assert "argument --batch-size: " in capsys.readouterr().err
