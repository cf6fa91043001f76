"""Server addresses: valid and invalid ones, and that passwords are never shown."""

from __future__ import annotations

import pytest

from repl.address import Address, AddressSyntaxError, is_address, parse_address


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("redis://localhost", Address(host="localhost")),
        ("redis://", Address()),
        ("redis://h:1/2", Address(host="h", port=1, database=2)),
        ("redis://h:0", Address(host="h", port=0)),
        ("redis://[::1]:7000", Address(host="::1", port=7000)),
        ("redis://:pw@h", Address(host="h", password="pw")),
        ("redis://ann:p%40w%2F@h/", Address(host="h", user="ann", password="p@w/")),
        ("redis://:%FF@h", Address(host="h", password="\udcff")),
        ("REDISS://h/15", Address(host="h", tls=True, database=15)),
        ("unix:app.sock", Address(path="app.sock")),
        ("unix:../a b#1.sock", Address(path="../a b#1.sock")),
        ("unix:/tmp/app.sock?db=3", Address(path="/tmp/app.sock", database=3)),
        ("unix:///tmp/app.sock?db=3", Address(path="/tmp/app.sock", database=3)),
        (
            "unix://ann:pw@/tmp/a%20b.sock",
            Address(path="/tmp/a b.sock", user="ann", password="pw"),
        ),
    ],
)
def test_valid_addresses(text: str, wanted: Address) -> None:
    assert is_address(text)
    assert parse_address(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "redis://h:port",
        "redis://h:99999",
        "redis://h/one",
        "redis://h/-1",
        "redis://u:secret#x@h",
        "redis://u:secret?x@h",
        "redis://u:sec/ret@h",
        "redis://[::1",
        "unix:",
        "unix://host/path",
        "unix:///p?db=secret",
    ],
)
def test_invalid_addresses(text: str) -> None:
    with pytest.raises(AddressSyntaxError) as caught:
        parse_address(text)
    assert "sec" not in str(caught.value)


def test_a_path_is_not_an_address() -> None:
    assert not any(map(is_address, ("data", "redis", "./unix:x", "dump.rdb", ":memory:")))


def test_the_password_is_not_shown() -> None:
    address = parse_address("redis://ann:secret@h:1/2")
    assert "secret" not in f"{address} {address!r}"
    assert (str(address), str(parse_address("redis://[::1]"))) == ("h:1", "[::1]:6379")
    assert str(parse_address("unix:a.sock")) == "unix:a.sock"
