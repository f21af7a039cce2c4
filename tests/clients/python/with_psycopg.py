"""A Python application that reads the URI of the binding, by psycopg."""

import os
from pathlib import Path

import psycopg

orders = Path(os.environ["SERVICE_BINDING_ROOT"]) / "orders"
uri = (orders / "uri").read_text()
with psycopg.connect(f"{uri}&sslrootcert={orders}/certificates") as connection:
    connection.execute("INSERT INTO written VALUES ('psycopg')")
    (found,) = connection.execute("SELECT DISTINCT client FROM written WHERE client = 'psycopg'").fetchone() or (
        "nothing",
    )
print(f"read: {found}")
