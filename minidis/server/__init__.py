"""The door: other programs speak RESP to a database that lives in this one."""

from minidis.server.door import Door, serve
from minidis.server.program import serve_forever

__all__ = ["Door", "serve", "serve_forever"]
