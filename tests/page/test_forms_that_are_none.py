"""What claims to be a form and cannot be read is refused: it costs neither an error of the server nor a line of its log."""

from io import StringIO

import pytest

from tests.support.paged import Visitor
from worker.web.page.throttle import Throttle

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://["}, 403),
        ({"Content-Type": f"{FORM}; charset=nonsense"}, 400),
        ({"Content-Type": f"{FORM}; charset=unicode_escape"}, 400),
        ({"Content-Encoding": "gzip"}, 400),
    ],
)
async def test_unreadable_form_is_refused(keeper: Visitor, log_lines: StringIO, headers: dict[str, str], status: int) -> None:
    """Neither an origin, nor an encoding, nor a compression that nobody's browser sends is an accident of ours."""
    form = (await keeper.get("/sign-in")).form("/sign-in")

    answer = await keeper.post("/sign-in", {"form": form, "name": "Ada", "token": "wrong"}, **headers)

    assert answer.status == status
    assert log_lines.getvalue() == ""


def test_throttle_tells_addresses_apart_on_a_socket_of_both_kinds() -> None:
    """There an IPv4 address is written as one of IPv6, and they would all be one network."""
    throttle = Throttle()
    for _ in range(9):
        throttle.failed("::ffff:192.0.2.1", 0.0)

    assert throttle.wait("::ffff:192.0.2.1", 0.0) > 0
    assert throttle.wait("::ffff:198.51.100.7", 0.0) == 0
    assert throttle.wait("192.0.2.1", 0.0) > 0
