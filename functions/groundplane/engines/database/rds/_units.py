"""Units of parameters: postgresql.conf takes "64MB", a parameter group only the number, in the parameter's own unit."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from groundplane.core.refusal import Reason, Refusal

_BYTES: Final = {"B": 1, "kB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_MICROSECONDS: Final = {"us": 1, "ms": 10**3, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6}
_WITH_UNIT: Final = re.compile(r"^(-?\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB|us|ms|s|min|h|d)$")

# What pg_settings calls the unit of each, as a number of bytes or microseconds.
_PAGES: Final = 8 * 2**10
_OWN_BYTES: Final = {
    "autovacuum_work_mem": 2**10,
    "effective_cache_size": _PAGES,
    "gin_pending_list_limit": 2**10,
    "log_temp_files": 2**10,
    "logical_decoding_work_mem": 2**10,
    "maintenance_work_mem": 2**10,
    "max_slot_wal_keep_size": 2**20,
    "max_stack_depth": 2**10,
    "max_wal_size": 2**20,
    "min_parallel_index_scan_size": _PAGES,
    "min_parallel_table_scan_size": _PAGES,
    "min_wal_size": 2**20,
    "shared_buffers": _PAGES,
    "temp_buffers": _PAGES,
    "temp_file_limit": 2**10,
    "track_activity_query_size": 1,
    "vacuum_buffer_usage_limit": 2**10,
    "wal_buffers": _PAGES,
    "wal_keep_size": 2**20,
    "work_mem": 2**10,
}
_OWN_MICROSECONDS: Final = {
    "autovacuum_naptime": 10**6,
    "autovacuum_vacuum_cost_delay": 10**3,
    "checkpoint_timeout": 10**6,
    "client_connection_check_interval": 10**3,
    "deadlock_timeout": 10**3,
    "idle_in_transaction_session_timeout": 10**3,
    "idle_session_timeout": 10**3,
    "lock_timeout": 10**3,
    "log_autovacuum_min_duration": 10**3,
    "log_min_duration_sample": 10**3,
    "log_min_duration_statement": 10**3,
    "max_standby_archive_delay": 10**3,
    "max_standby_streaming_delay": 10**3,
    "statement_timeout": 10**3,
    "tcp_keepalives_idle": 10**6,
    "tcp_keepalives_interval": 10**6,
    "transaction_timeout": 10**3,
    "wal_receiver_timeout": 10**3,
    "wal_sender_timeout": 10**3,
}


def bare(name: str, value: str) -> str:
    """Return *value* of parameter *name* as a parameter group takes it; rounded as PostgreSQL would round it.

    Raises:
        Refusal: NotOffered, when it has a unit that is not one of this parameter's, or whose own unit is not known.
    """
    match = _WITH_UNIT.match(value)
    if match is None:
        return value
    number, unit = match.groups()
    scale, own = (_BYTES, _OWN_BYTES) if unit in _BYTES else (_MICROSECONDS, _OWN_MICROSECONDS)
    if name not in own:
        raise Refusal(
            Reason.NOT_OFFERED,
            f"parameters.{name}: rds takes a number without a unit, and {value} has one. Write it in the parameter's"
            " own unit, as column unit of pg_settings tells it.",
        )
    whole = (Decimal(number) * scale[unit] / own[name]).to_integral_value(ROUND_HALF_EVEN)
    return str(int(whole))
