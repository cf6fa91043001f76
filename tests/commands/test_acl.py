"""ACL commands: through the typed API, through words, and what they mean for connections."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import minidis
from minidis import FileError, Minidis, ResponseError
from tests.commands.callers import connect

NO_COMMAND = "NOPERM User ann has no permissions to run the '{}' command"
NO_KEY = "NOPERM No permissions to access a key"
NO_CHANNEL = "NOPERM No permissions to access a channel"


def refused(session: Any, *words: Any) -> str:
    """The message with which the words are refused."""
    with pytest.raises(ResponseError) as caught:
        session.execute(*words)
    return str(caught.value)


def login(db: Any, name: str = "ann") -> Any:
    """A connection of that user, who needs no password."""
    session, client = connect(db)
    session.execute("AUTH", name, "x")
    return session, client


# users ---------------------------------------------------------------------------------------


def test_users_come_and_go(db: Any) -> None:
    assert db.acl_setuser("ann", "on", ["~a*", "+get"]) == "OK"
    assert db.execute("ACL", "SETUSER", "bob") == "OK"
    assert db.acl_users() == [b"ann", b"bob", b"default"]
    assert db.acl_list() == [
        b"user ann on sanitize-payload ~a* resetchannels -@all +get",
        b"user bob off sanitize-payload resetchannels -@all",
        b"user default on nopass sanitize-payload ~* &* +@all",
    ]
    assert db.acl_deluser("ann", "bob", "eve") == 2
    assert refused(db, "ACL", "DELUSER", "default") == ("ERR The 'default' user cannot be removed")


def test_getuser(db: Any) -> None:
    db.acl_setuser("ann", "on", "nopass", "~a*", "%R~b", "&c", "+@read", "-get", "(+set ~x)")
    user = db.acl_getuser("ann")
    assert list(user) == [b"flags", b"passwords", b"commands", b"keys", b"channels", b"selectors"]
    assert user == {
        b"flags": {b"on", b"nopass", b"sanitize-payload"},
        b"passwords": [],
        b"commands": b"-@all +@read -get",
        b"keys": b"~a* %R~b",
        b"channels": b"&c",
        b"selectors": [{b"commands": b"-@all +set", b"keys": b"~x", b"channels": b""}],
    }
    assert db.acl_getuser("unknown") is None


def test_setuser_changes_all_or_nothing(db: Any) -> None:
    db.acl_setuser("ann", "+get")
    assert refused(db, "ACL", "SETUSER", "ann", "-get", "on", "+@nope") == (
        "ERR Error in ACL SETUSER modifier '+@nope': Unknown command or category name in ACL"
    )
    assert db.acl_list()[0] == b"user ann off sanitize-payload resetchannels -@all +get"


def test_text_answers() -> None:
    with minidis.open(decode_responses=True) as db:
        assert db.acl_setuser("ann", "+get") == "OK"
        assert db.acl_users() == ["ann", "default"] and db.acl_whoami() == "default"
        user = db.acl_getuser("ann")
        assert user is not None and user["commands"] == "-@all +get"


def test_an_interruption_changes_nothing(db: Any) -> None:
    db.acl_setuser("ann", "+get")
    before = db.acl_list()
    for call in (
        lambda: db.acl_setuser("ann", "+@all"),
        lambda: db.acl_setuser("bob", "+@all"),
        lambda: db.acl_deluser("ann"),
    ):
        db.engine.clients.update_all_checks = interrupting_once()
        with pytest.raises(KeyboardInterrupt):
            call()
        assert db.acl_list() == before


def interrupting_once() -> Callable[[], None]:
    """An interruption at the first call; what is called again belongs to putting back."""
    left = [KeyboardInterrupt]

    def interrupt() -> None:
        if left:
            raise left.pop()

    return interrupt


# small things --------------------------------------------------------------------------------


def test_categories(db: Any) -> None:
    assert db.acl_cat()[:3] == [b"keyspace", b"read", b"write"]
    assert len(db.acl_cat()) == 21
    assert {b"get", b"set", b"append"} <= set(db.acl_cat("String"))
    assert b"config|set" in db.acl_cat("dangerous") and b"config" not in db.acl_cat("dangerous")
    assert refused(db, "ACL", "CAT", "nope") == "ERR Unknown category 'nope'"
    assert refused(db, "ACL", "CAT", "all", "b") == (
        "ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."
    )


def test_every_command_has_categories(db: Any) -> None:
    categories = [set(db.acl_cat(category)) for category in db.acl_cat()]
    db.acl_setuser("ann", "+@all", *[b"-@" + category for category in db.acl_cat()])
    assert db.acl_dryrun("ann", "PING") != "OK" and db.acl_dryrun("ann", "DEBUG", "DIGEST") != "OK"
    fast, slow = (set(db.acl_cat(category)) for category in ("fast", "slow"))
    assert not fast & slow
    assert set().union(*categories) == fast | slow


def test_genpass(db: Any) -> None:
    assert [len(db.acl_genpass(bits)) for bits in (1, 4, 5, 8, 9, 4096)] == [1, 1, 2, 2, 3, 1024]
    assert len(db.acl_genpass()) == 64 and db.acl_genpass() != db.acl_genpass()
    for bits in (0, 4097, -1):
        assert refused(db, "ACL", "GENPASS", bits) == (
            "ERR ACL GENPASS argument must be the number of bits for the output password, "
            "a positive number up to 4096"
        )
    assert "not an integer" in refused(db, "ACL", "GENPASS", "x")
    assert "for 'Genpass'. Try ACL HELP." in refused(db, "ACL", "Genpass", "x", "y")


def test_dryrun(db: Any) -> None:
    db.acl_setuser("ann", "+get", "+config|get", "+publish", "~a*", "&c*")
    assert db.acl_dryrun("ann", "GET", "a") == "OK"
    assert db.acl_dryrun("ann", "get", "b") == (
        b"User ann has no permissions to access the 'b' key"
    )
    assert db.acl_dryrun("ann", "CONFIG", "SET", "a", "b") == (
        b"User ann has no permissions to run the 'config|set' command"
    )
    assert db.acl_dryrun("ann", "PUBLISH", "x", "y") == (
        b"User ann has no permissions to access the 'x' channel"
    )
    for words, message in (
        (("eve", "get", "a"), "User 'eve' not found"),
        (("ann", "nope"), "Command 'nope' not found"),
        (("ann", "Config", "nope"), "Command 'Config' not found"),
        (("ann", "config|get", "x"), "Command 'config|get' not found"),
        (("ann", "get"), "wrong number of arguments for 'get' command"),
        (("ann", "config"), "wrong number of arguments for 'config' command"),
        (("ann", "config", "get"), "wrong number of arguments for 'config|get' command"),
    ):
        assert refused(db, "ACL", "DRYRUN", *words) == "ERR " + message


def test_help(db: Any) -> None:
    text = " ".join(db.acl_help())
    for name in ("CAT", "DELUSER", "DRYRUN", "GENPASS", "GETUSER", "LIST", "LOAD", "LOG", "SAVE"):
        assert name in text


# connections ---------------------------------------------------------------------------------


def test_what_a_connection_may_do(db: Any) -> None:
    db.acl_setuser("ann", "on", "nopass", "+@all", "-config", "~a*", "%R~r*", "&c*")
    session, _ = login(db)
    assert session.execute("ACL", "WHOAMI") == b"ann" and db.acl_whoami() == b"default"
    assert session.execute("SET", "a", 1) == "OK"
    assert session.execute("GET", "r") is None
    assert refused(session, "SET", "r", 1) == refused(session, "MGET", "a", "b") == NO_KEY
    assert refused(session, "CONFIG", "GET", "*") == NO_COMMAND.format("config|get")
    assert refused(session, "PUBLISH", "x", "y") == NO_CHANNEL
    assert refused(session, "GET") == "ERR wrong number of arguments for 'get' command"
    assert db.get("b") is None  # the program itself may do everything


def test_a_change_concerns_connections_at_once(db: Any) -> None:
    db.acl_setuser("ann", "on", "nopass", "+@all", "~*", "&*")
    session, client = login(db)
    assert session.execute("GET", "a") is None
    db.acl_setuser("ann", "-get")
    assert refused(session, "GET", "a") == NO_COMMAND.format("get")
    db.acl_setuser("ann", "+get", "off")
    assert session.execute("GET", "a") is None  # who is in stays in
    db.acl_deluser("ann")
    assert client.killed


def test_sort_follows_keys_that_are_not_named(db: Any) -> None:
    db.acl_setuser("ann", "on", "nopass", "+@all", "~l")
    session, _ = login(db)
    db.rpush("l", 2, 1)
    assert session.execute("SORT", "l", "BY", "nosort") == [b"2", b"1"]
    message = "ERR {} option of SORT denied due to insufficient ACL permissions."
    assert refused(session, "SORT", "l", "BY", "w*") == message.format("BY")
    assert refused(session, "SORT_RO", "l", "GET", "#") == message.format("GET")
    db.acl_setuser("ann", "%R~*")
    assert session.execute("SORT", "l", "GET", "#") == [b"1", b"2"]


def test_transactions(db: Any) -> None:
    db.acl_setuser("ann", "on", "nopass", "+@all", "~*", "&*")
    session, _ = login(db)
    session.execute("MULTI")
    for words in (("GET", "a"), ("SET", "b", 1), ("PUBLISH", "c", 1), ("PING",)):
        session.execute(*words)
    db.acl_setuser("ann", "-get", "resetkeys", "resetchannels")
    *denied, last = session.execute("EXEC")
    begin = "NOPERM ACLs rules changed between the moment the transaction was accumulated and "
    assert all(str(error).startswith(begin) for error in denied) and last == "PONG"
    assert [str(error).rpartition(": ")[2] for error in denied] == [
        "no permission to execute the command or subcommand",
        "no permission to touch the specified keys",
        "no permission to access one of the channels used as arguments",
    ]
    session.execute("MULTI")
    assert refused(session, "GET", "a") == NO_COMMAND.format("get")
    assert refused(session, "EXEC").startswith("EXECABORT")
    contexts = [(entry[b"context"], entry[b"object"]) for entry in db.acl_log()]
    assert contexts == [(b"multi", what) for what in (b"get", b"c", b"b")]
    assert db.acl_log()[0][b"count"] == 2


def test_listeners_end_with_their_permission(db: Any) -> None:
    db.acl_setuser("ann", "on", "nopass", "+@all", "&c*", "&d*")
    session, client = login(db)
    session.execute("SUBSCRIBE", "c1")
    session.execute("PSUBSCRIBE", "d*")
    other, bystander = login(db)
    other.execute("SSUBSCRIBE", "c2")
    db.acl_setuser("ann", "resetchannels", "&c*", "(&d*)")
    assert not client.killed and not bystander.killed
    db.acl_setuser("ann", "clearselectors", "&d1")
    assert client.killed and not bystander.killed
    db.acl_setuser("ann", "resetchannels", "&c1")
    assert bystander.killed


def test_log(db: Any) -> None:
    clock = minidis.ManualClock()
    with minidis.open(clock=clock) as db:
        db.acl_setuser("ann", "on", ">secret", "+@all", "~a")
        session, _ = connect(db)
        with pytest.raises(ResponseError, match="WRONGPASS"):
            session.execute("AUTH", "ann", "guess")
        session.execute("AUTH", "ann", "secret")
        refused(session, "GET", "b")
        clock.advance(1.5)
        refused(session, "GET", "b")
        clock.advance(0.25)
        newest, oldest = db.acl_log()
        assert b" cmd=get user=ann " in newest.pop(b"client-info")
        assert newest == {
            b"count": 2,
            b"reason": b"key",
            b"context": b"toplevel",
            b"object": b"b",
            b"username": b"ann",
            b"age-seconds": 0.25,
            b"entry-id": 1,
            b"timestamp-created": 1_700_000_000_000,
            b"timestamp-last-updated": 1_700_000_001_500,
        }
        assert (oldest[b"reason"], oldest[b"username"], oldest[b"object"]) == (
            b"auth",
            b"ann",
            b"AUTH",
        )
        assert db.acl_log(1)[0][b"count"] == 2 and db.acl_log(0) == db.acl_log(-1) == []
        assert "not an integer" in refused(db, "ACL", "LOG", "x")
        assert "for 'LOG'. Try ACL HELP." in refused(db, "ACL", "LOG", 1, 2)
        db.config_set("acllog-max-len", 1)
        refused(session, "GET", "c")
        assert [entry[b"object"] for entry in db.acl_log()] == [b"c"]
        assert db.execute("ACL", "LOG", "reset") == "OK" and db.acl_log() == []
        assert db.acl_log_reset() == "OK"


# configuration and file ----------------------------------------------------------------------


def test_requirepass() -> None:
    with minidis.open(requirepass="grüß") as db:
        session, _ = connect(db)
        assert refused(session, "GET", "a").startswith("NOAUTH")
        assert refused(session, "AUTH", "x").startswith("WRONGPASS")
        assert session.execute("AUTH", "grüß") == "OK"
        assert session.execute("CONFIG", "GET", "requirepass") == {b"requirepass": "grüß".encode()}
        db.config_set("requirepass", "")
        session, _ = connect(db)
        assert session.execute("GET", "a") is None


def test_channels_of_new_users(db: Any) -> None:
    assert refused(db, "CONFIG", "SET", "acl-pubsub-default", "x") == (
        "ERR CONFIG SET failed (possibly related to argument 'acl-pubsub-default') - "
        "argument(s) must be one of the following: allchannels, resetchannels"
    )
    db.config_set("acl-pubsub-default", "AllChannels")
    db.acl_setuser("ann")
    assert db.acl_list()[0] == b"user ann off sanitize-payload &* -@all"
    assert db.config_get("acl-pubsub-default") == {b"acl-pubsub-default": b"allchannels"}


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "üsers.acl"
    path.write_bytes(b"")
    mode = path.stat().st_mode & 0o777
    with minidis.open(aclfile=str(path), requirepass="foo") as db:
        db.acl_setuser("ann", "on", "nopass", "+@read", "~a*", "(+set ~b)")
        lines = db.acl_list()
        assert db.acl_save() == "OK"
        assert path.read_bytes() == b"".join(line + b"\n" for line in lines)
        assert os.listdir(tmp_path) == [path.name]
        assert path.stat().st_mode & 0o777 == mode
        assert refused(db, "CONFIG", "SET", "aclfile", "x").endswith("can't set immutable config")
        assert db.config_get("aclfile") == {b"aclfile": str(path).encode()}
    with minidis.open(aclfile=str(path)) as db:
        assert db.acl_list() == lines
        _, client = login(db)
        of_default, other = connect(db)
        of_default.execute("AUTH", "foo")
        path.write_bytes(b"user bob on\nuser default on nopass +@all ~*\n")
        assert db.acl_load() == "OK" and db.acl_users() == [b"bob", b"default"]
        assert client.killed and not other.killed
        assert refused(of_default, "PUBLISH", "c", "x") == NO_CHANNEL
        path.write_bytes(b"user bob off\nnonsense\n")
        assert refused(db, "ACL", "LOAD") == (
            f"ERR {path}:2 should start with user keyword followed by the username. WARNING: ACL "
            "errors detected, no change to the previously active ACL rules was performed"
        )
        assert db.acl_users() == [b"bob", b"default"]
        path.unlink()
        assert refused(db, "ACL", "LOAD") == (
            f"ERR Error loading ACLs, opening file '{path}': No such file or directory"
        )


def test_requirepass_counts_where_the_file_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    path.write_bytes(b"user bob on\n")
    with minidis.open(aclfile=str(path), requirepass="foo") as db:
        session, _ = connect(db)
        assert refused(session, "GET", "a").startswith("NOAUTH")
        assert session.execute("AUTH", "foo") == "OK"
        path.write_bytes(b"user default on nopass sanitize-payload ~* +@all\n")
        assert session.execute("ACL", "LOAD") == "OK" and db.engine.users.default.nopass


def test_a_database_does_not_open_with_a_file_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    with pytest.raises(FileError, match="No such file"):
        minidis.open(aclfile=str(path))
    path.write_bytes(b"user ann +nope\n")
    with pytest.raises(FileError, match=r"users\.acl:1: Error in applying operation '\+nope'"):
        minidis.open(aclfile=str(path))


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    path.write_bytes(b"")
    with minidis.open(aclfile=str(path)) as db:
        path.unlink()
        path.mkdir()
        assert refused(db, "ACL", "SAVE") == (
            "ERR There was an error trying to save the ACLs. "
            "Please check the server logs for more information"
        )
        assert os.listdir(tmp_path) == ["users.acl"]


def test_no_file(db: Minidis[bytes]) -> None:
    for subcommand in ("SAVE", "LOAD"):
        assert refused(db, "ACL", subcommand).startswith(
            "ERR This Redis instance is not configured to use an ACL file."
        )
