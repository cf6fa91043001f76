"""minidis for coroutines: the same names, awaited.

>>> import asyncio, minidis.aio
>>> async def main():
...     async with minidis.aio.open() as db:
...         await db.rpush("jobs", "one")
...         return await db.blpop("jobs", timeout=5)
>>> asyncio.run(main())
[b'jobs', b'one']
"""

from minidis.aio.database import AsyncMinidis
from minidis.aio.messages import AsyncMonitoring, AsyncSubscription
from minidis.aio.opening import open, wrap
from minidis.aio.pipeline import AsyncPipeline, AsyncTransaction

__all__ = [
    "AsyncMinidis",
    "AsyncMonitoring",
    "AsyncPipeline",
    "AsyncSubscription",
    "AsyncTransaction",
    "open",
    "wrap",
]
