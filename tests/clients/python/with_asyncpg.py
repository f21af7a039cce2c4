"""A Python application that reads the URI of the binding, by asyncpg."""

import asyncio
import os
from pathlib import Path

import asyncpg


async def main() -> None:
    """Connect, write and read."""
    orders = Path(os.environ["SERVICE_BINDING_ROOT"]) / "orders"
    uri = (orders / "uri").read_text()
    connection = await asyncpg.connect(f"{uri}&sslrootcert={orders}/certificates")
    await connection.execute("INSERT INTO written VALUES ('asyncpg')")
    found = await connection.fetchval("SELECT DISTINCT client FROM written WHERE client = 'asyncpg'")
    await connection.close()
    print(f"read: {found}")


asyncio.run(main())
