"""Whether an error means that the database is away for a while, or that a statement is wrong."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# Primary result codes: locked, full, out of reach, or hindered by the machine.
_SQLITE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_INTERRUPT,
}
# Classes of SQLSTATE: connection, a server that only reads for now, transactions to be repeated,
# no resources, locks, operator, system.
_POSTGRES = ("08", "25006", "40", "53", "55", "57", "58")


def is_away(error: BaseException) -> bool:
    """Whether the same may succeed later, with nothing changed but the database's condition: it is
    locked, full, restarting or can't be reached. A statement that is wrong fails for ever."""
    if isinstance(error, PoolTimeoutError):  # every connection waits for something
        return True
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code is not None:
            return (code & 0xFF) in _SQLITE
        state = getattr(error.orig, "sqlstate", None) or ""
        if error.connection_invalidated or state.startswith(_POSTGRES):
            return True
        # The driver's own complaints: about the connection, or about a value that doesn't fit.
        cause = error.orig.__cause__ if error.orig else None
        return isinstance(error, InterfaceError) and not isinstance(cause, ValueError)
    # Drivers let the errors of connecting through. One that names a file is about that file.
    return isinstance(error, OSError) and error.filename is None
