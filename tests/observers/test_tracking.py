"""Client-side caching: what is remembered, who is told, when, and in how many messages."""

from __future__ import annotations

from typing import Any

import pytest

import minidis
from minidis import Minidis
from minidis.clients.client import Client
from minidis.errors import ResponseError


class ClientSession:
    """A connection that notes what it hears, its replies among it, as its program would."""

    def __init__(self, db: Minidis[bytes], protocol: int = 3) -> None:
        self.heard: list[Any] = []
        self.client = _Ear(self.heard)
        self.client.protocol = protocol
        self.session = Minidis[bytes](db.engine, client=self.client)

    def __call__(self, *lines: str) -> list[Any]:
        """Run commands; everything that comes while they run, in order."""
        self.heard.clear()
        for line in lines:
            self.heard.append(_reply(self.session, line))
            self.session.engine.tracking.release(self.client)
        return self.news

    @property
    def news(self) -> list[Any]:
        """What has come since somebody looked."""
        found = list(self.heard)
        self.heard.clear()
        return found


class _Ear(Client):
    takes_messages = True

    def __init__(self, heard: list[Any]) -> None:
        super().__init__()
        self._heard = heard

    def deliver(self, message: Any) -> None:
        match message:
            case [b"invalidate", keys]:
                self._heard.append(shown(keys))
            case [kind, *rest]:
                self._heard.append(" ".join([kind.decode(), *map(shown, rest)]))


def _reply(session: Minidis[bytes], line: str) -> Any:
    try:
        return session.execute(*line.split())
    except ResponseError as error:
        return str(error)


def shown(value: Any) -> str:
    """Invalidated keys as a line: "-a b"; "-everything" for all of them."""
    if isinstance(value, list):
        return "-" + b" ".join(value).decode()
    if value is None:
        return "-everything"
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture
def reader(db: Minidis[bytes]) -> ClientSession:
    """A connection that tracks."""
    caller = ClientSession(db)
    caller("CLIENT TRACKING ON")
    return caller


@pytest.fixture
def writer(db: Minidis[bytes]) -> ClientSession:
    return ClientSession(db)


# what is remembered ------------------------------------------------------------------------------


def test_who_has_read_a_key_is_told_once(reader: ClientSession, writer: ClientSession) -> None:
    reader("GET k", "MGET x y")
    writer("MSET y 1 k 1 other 1 x 1")
    assert reader.news == ["-y", "-k", "-x"]
    writer("SET k 2")
    assert reader.news == []
    reader("GET k")
    writer("DEL k")
    assert reader.news == ["-k"]


def test_only_what_is_read_by_commands_that_only_read(
    reader: ClientSession, writer: ClientSession
) -> None:
    reader("GETEX a", "SINTERSTORE d s1 s2", "EXISTS e", "TTL t", "TYPE ty")
    writer("MSET a 1 s1 1 e 1 t 1 ty 1")
    assert reader.news == ["-e", "-t", "-ty"]


def test_keys_are_the_same_in_all_databases(reader: ClientSession, writer: ClientSession) -> None:
    reader("GET k")
    writer("SELECT 3", "SET k 1")
    assert reader.news == ["-k"]


def test_two_readers(db: Minidis[bytes], reader: ClientSession, writer: ClientSession) -> None:
    second, third = ClientSession(db), ClientSession(db)
    for caller in (third, second):
        caller("CLIENT TRACKING ON", "GET k", "GET k")
    reader("GET k")
    writer("SET k 1")
    assert reader.news == second.news == third.news == ["-k"]


def test_an_expired_key_is_told() -> None:
    clock = minidis.ManualClock(100)
    with minidis.open(clock=clock) as db:
        reader = ClientSession(db)
        db.set("k", 1, ex=10)
        reader("CLIENT TRACKING ON", "GET k")
        clock.advance(11)
        assert reader.news == ["-k"]


def test_flushing_is_told_with_one_message(db: Minidis[bytes], reader: ClientSession) -> None:
    other = ClientSession(db)
    other("CLIENT TRACKING ON BCAST PREFIX x")
    db.set("k", 1)
    reader("GET k")
    for line in ("FLUSHDB", "FLUSHALL"):
        db.execute(*line.split())
        assert reader.news == other.news == ["-everything"]


def test_no_more_keys_than_allowed(
    db: Minidis[bytes], reader: ClientSession, writer: ClientSession
) -> None:
    db.config_set("tracking-table-max-keys", 2)
    assert reader("MGET a b c") == [[None, None, None], "-a"]
    assert len(db.engine.tracking) == 2
    db.config_set("tracking-table-max-keys", 0)
    reader("MGET a b c d")
    assert len(db.engine.tracking) == 4
    writer("MSET a 1 d 1")
    assert reader.news == ["-a", "-d"]


# who changes it himself --------------------------------------------------------------------------


def test_own_changes_are_told_after_the_reply(reader: ClientSession) -> None:
    assert reader("GET k", "SET k 1", "PING") == [None, "OK", "-k", "PONG"]
    answers = reader("GET k", "MULTI", "SET k 4", "DEL k", "EXEC")
    assert answers == [b"1", "OK", "QUEUED", "QUEUED", ["OK", 1], "-k"]
    assert reader("FLUSHALL") == ["OK", "-everything"]


def test_noloop(reader: ClientSession, writer: ClientSession) -> None:
    reader("CLIENT TRACKING ON NOLOOP")
    assert reader("GET k", "SET k 1", "GET k") == [None, "OK", b"1"]
    writer("SET k 2")
    assert reader.news == ["-k"]
    assert reader("FLUSHDB") == ["OK", "-everything"]


def test_noloop_does_not_hide_that_a_key_has_expired() -> None:
    clock = minidis.ManualClock(100)
    with minidis.open(clock=clock) as db:
        reader = ClientSession(db)
        reader("CLIENT TRACKING ON BCAST NOLOOP")
        db.set("k", 1, pxat=99_000)
        db.set("j", 1, pxat=200_000)
        assert reader.news == ["-k", "-j"]
        db.engine.schedule = lambda deadline: None  # type: ignore[method-assign]
        clock._us = 300_000_000  # nobody notices that j is due, but who asks for it
        assert reader("GET j") == [None, "-j"]


# CACHING -----------------------------------------------------------------------------------------


def test_optin(reader: ClientSession, writer: ClientSession) -> None:
    reader("CLIENT TRACKING ON OPTIN", "GET a", "CLIENT CACHING YES", "GET b", "GET c")
    writer("MSET a 1 b 1 c 1")
    assert reader.news == ["-b"]


def test_optout(reader: ClientSession, writer: ClientSession) -> None:
    reader("CLIENT TRACKING ON OPTOUT", "GET a", "CLIENT CACHING NO", "GET b", "GET c")
    writer("MSET a 1 b 1 c 1")
    assert reader.news == ["-a", "-c"]


@pytest.mark.parametrize(
    ("between", "remembered"),
    [
        ("", True),
        ("PING", False),
        ("FOO", False),
        ("GET", False),
        ("CLIENT ID", True),
        ("CLIENT CACHING no-such-word", True),
        ("CLIENT TRACKING ON OPTIN", True),
        ("SELECT 0", False),
    ],
)
def test_caching_is_for_the_next_command(
    reader: ClientSession, writer: ClientSession, between: str, remembered: bool
) -> None:
    reader("CLIENT TRACKING ON OPTIN", "CLIENT CACHING YES", *filter(None, [between]), "GET k")
    writer("SET k 1")
    assert reader.news == ["-k"] * remembered


def test_caching_is_for_a_whole_transaction(reader: ClientSession, writer: ClientSession) -> None:
    reader("CLIENT TRACKING ON OPTIN")
    for lines in (["CLIENT CACHING YES", "MULTI"], ["MULTI", "CLIENT CACHING YES"]):
        reader(*lines, "GET a", "PING", "GET b", "EXEC", "GET c")
        writer("MSET a 1 b 1 c 1")
        assert reader.news == ["-a", "-b"]


# broadcasting ------------------------------------------------------------------------------------


def test_one_message_for_each_prefix(reader: ClientSession, writer: ClientSession) -> None:
    reader("CLIENT TRACKING OFF", "CLIENT TRACKING ON BCAST PREFIX user: PREFIX o PREFIX toolong")
    writer("MSET user:2 1 user:1 1 x 1 o 1 too 1")
    assert reader.news == ["-o", "-user:1 user:2"]
    writer("SET user:1 1")
    assert reader.news == ["-user:1"]
    assert reader("MULTI", "SET user:3 1", "SET user:1 1", "EXEC")[-1] == "-user:1 user:3"
    reader("CLIENT TRACKING OFF")
    writer("SET user:1 1")
    assert reader.news == []


def test_without_prefix_all_keys_are_told(reader: ClientSession, writer: ClientSession) -> None:
    reader("CLIENT TRACKING OFF", "CLIENT TRACKING ON BCAST")
    writer("MSET b 1 a 1")
    assert reader.news == ["-a b"]


def test_who_broadcasts_is_not_told_of_what_it_has_read(
    db: Minidis[bytes], reader: ClientSession, writer: ClientSession
) -> None:
    other = ClientSession(db)
    other("CLIENT TRACKING ON")
    reader("GET k", "CLIENT TRACKING OFF", "CLIENT TRACKING ON BCAST PREFIX x")
    writer("SET k 1")
    assert reader.news == []


def test_broadcasting_without_own_changes(reader: ClientSession, writer: ClientSession) -> None:
    reader("CLIENT TRACKING OFF", "CLIENT TRACKING ON BCAST NOLOOP")
    assert reader("SET a 1") == ["OK"]
    writer("SET a 1")
    assert reader.news == ["-a"]


# redirection -------------------------------------------------------------------------------------


def test_redirection_to_subscribers_of_resp2(db: Minidis[bytes], writer: ClientSession) -> None:
    reader, target = ClientSession(db, 2), ClientSession(db, 2)
    reader(f"CLIENT TRACKING ON REDIRECT {target.client.id}", "GET k")
    target("SUBSCRIBE __redis__:invalidate")
    writer("SET k 1")
    assert target.news == ["message __redis__:invalidate -k"]
    assert reader("GET k", "SET k 1", "FLUSHALL") == [b"1", "OK", "OK"]
    assert target.news == [
        "message __redis__:invalidate -k",
        "message __redis__:invalidate -everything",
    ]
    target("UNSUBSCRIBE")
    reader("GET k")
    writer("SET k 1")
    assert target.news == []


def test_redirection_to_resp3(
    db: Minidis[bytes], reader: ClientSession, writer: ClientSession
) -> None:
    target = ClientSession(db)
    assert reader(f"CLIENT TRACKING ON REDIRECT {target.client.id}", "GET k") == ["OK", None]
    writer("SET k 1")
    assert (target.news, reader.news) == (["-k"], [])


def test_the_target_of_a_redirection_has_gone(
    db: Minidis[bytes], reader: ClientSession, writer: ClientSession
) -> None:
    target = ClientSession(db)
    number = target.client.id
    reader(f"CLIENT TRACKING ON REDIRECT {number}", "GET k")
    target.session.end()
    writer("SET k 1")
    assert reader.news == [f"tracking-redir-broken {number}"]
    assert reader("CLIENT TRACKINGINFO")[0][b"flags"] == {b"on", b"broken_redirect"}
    reader("CLIENT TRACKING ON")
    assert reader("CLIENT TRACKINGINFO")[0][b"flags"] == {b"on"}


def test_resp2_without_redirection_hears_nothing(db: Minidis[bytes], writer: ClientSession) -> None:
    reader = ClientSession(db, 2)
    assert reader("CLIENT TRACKING ON", "GET k", "SET k 1") == ["OK", None, "OK"]
    assert reader("GET k") == [b"1"]
    writer("SET k 2")
    assert reader.news == []


# the commands ------------------------------------------------------------------------------------

NO_SUCH_CLIENT = "ERR The client ID you want redirect to does not exist"
CACHING = (
    "ERR CLIENT CACHING can be called only when the client is in tracking mode "
    "with OPTIN or OPTOUT mode enabled"
)
BCAST = (
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, "
    "and then re-enabling it with a different mode."
)
OPT = BCAST.replace("BCAST mode on/off", "OPTIN/OPTOUT mode")
OVERLAP = "Prefixes for a single client must not overlap."
#: What is on before ("" for nothing), the options, and the answer; {} is the id of the caller.
REFUSALS = [
    ("", "", "ERR wrong number of arguments for 'client|tracking' command"),
    ("", "maybe", "ERR syntax error"),
    ("", "maybe REDIRECT 9999", NO_SUCH_CLIENT),
    ("", "ON FOO", "ERR syntax error"),
    ("", "ON REDIRECT", "ERR syntax error"),
    ("", "ON REDIRECT x", "ERR value is not an integer or out of range"),
    ("", "ON REDIRECT 0", NO_SUCH_CLIENT),
    ("", "ON REDIRECT 9999 FOO", NO_SUCH_CLIENT),
    ("", "ON FOO REDIRECT 9999", "ERR syntax error"),
    ("", "OFF REDIRECT 9999", NO_SUCH_CLIENT),
    ("", "ON REDIRECT {} REDIRECT x", "ERR A client can only redirect to a single other client"),
    ("", "ON REDIRECT {} REDIRECT", "ERR syntax error"),
    ("", "ON PREFIX", "ERR syntax error"),
    ("", "ON PREFIX a", "ERR PREFIX option requires BCAST mode to be enabled"),
    ("", "ON BCAST OPTIN", "ERR OPTIN and OPTOUT are not compatible with BCAST"),
    ("", "ON OPTIN OPTOUT", "ERR You can't specify both OPTIN mode and OPTOUT mode"),
    ("", "OFF OPTIN OPTOUT PREFIX a", "OK"),
    ("ON", "ON BCAST OPTIN", BCAST),
    ("ON BCAST", "ON", BCAST),
    ("ON OPTIN", "ON OPTOUT", OPT),
    ("ON OPTOUT", "ON OPTIN", OPT),
    ("ON OPTIN", "ON NOLOOP", "OK"),
    (
        "",
        "ON BCAST PREFIX foo PREFIX foob",
        f"ERR Prefix 'foo' overlaps with another provided prefix 'foob'. {OVERLAP}",
    ),
    (
        "ON BCAST PREFIX foo",
        "ON BCAST PREFIX x PREFIX fo",
        f"ERR Prefix 'fo' overlaps with an existing prefix 'foo'. {OVERLAP}",
    ),
    (
        "ON BCAST",
        "ON BCAST PREFIX x",
        f"ERR Prefix 'x' overlaps with an existing prefix ''. {OVERLAP}",
    ),
    ("ON BCAST PREFIX x", "ON BCAST PREFIX y", "OK"),
]


@pytest.mark.parametrize(("before", "options", "answer"), REFUSALS)
def test_options(writer: ClientSession, before: str, options: str, answer: str) -> None:
    if before:
        assert writer(f"CLIENT TRACKING {before}") == ["OK"]
    flags = writer("CLIENT TRACKINGINFO")
    line = f"CLIENT TRACKING {options}".format(writer.client.id)
    assert writer(line) == [answer]
    if answer != "OK":
        assert writer("CLIENT TRACKINGINFO") == flags


def test_caching_needs_its_mode(writer: ClientSession) -> None:
    assert writer("CLIENT CACHING YES", "CLIENT CACHING x") == [CACHING, CACHING]
    writer("CLIENT TRACKING ON OPTIN")
    assert writer("CLIENT CACHING NO", "CLIENT CACHING x", "CLIENT CACHING yes") == [
        "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
        "ERR syntax error",
        "OK",
    ]


def test_what_is_on(db: Minidis[bytes], writer: ClientSession) -> None:
    off = {b"flags": {b"off"}, b"redirect": -1, b"prefixes": []}
    assert writer("CLIENT TRACKINGINFO", "CLIENT GETREDIR") == [off, -1]
    writer("CLIENT TRACKING ON OPTOUT NOLOOP", "CLIENT CACHING NO")
    assert writer("CLIENT TRACKINGINFO", "CLIENT GETREDIR") == [
        {b"flags": {b"on", b"optout", b"caching-no", b"noloop"}, b"redirect": 0, b"prefixes": []},
        0,
    ]
    target = ClientSession(db).client
    writer(
        "CLIENT TRACKING OFF", f"CLIENT TRACKING ON BCAST PREFIX b PREFIX a REDIRECT {target.id}"
    )
    assert writer("CLIENT TRACKINGINFO", "CLIENT GETREDIR") == [
        {b"flags": {b"on", b"bcast"}, b"redirect": target.id, b"prefixes": [b"a", b"b"]},
        target.id,
    ]


def test_a_session_of_the_program_needs_a_redirection(
    db: Minidis[bytes], writer: ClientSession
) -> None:
    with pytest.raises(ResponseError, match="give `redirect`"):
        db.client_tracking("on")
    target = ClientSession(db)
    db.client_tracking("on", redirect=target.client.id, optin=True)
    db.get("a")
    db.client_caching("yes")
    db.get("b")
    db.get("c")
    writer("MSET a 1 b 1 c 1")
    assert target.news == ["-b"]
    db.client_tracking("off")
    assert db.client_getredir() == -1


def test_nothing_is_kept_when_nobody_tracks(db: Minidis[bytes], reader: ClientSession) -> None:
    reader("MGET a b")
    other = ClientSession(db)
    other("CLIENT TRACKING ON BCAST PREFIX x")
    table = db.engine.tracking
    assert (table.clients, len(table), db.engine.observed) == (2, 2, True)
    reader.session.end()
    other("CLIENT TRACKING OFF")
    assert (table.clients, len(table), db.engine.observed) == (0, 0, False)
    assert not table._prefixes and not table._lengths
