"""Which errors say "try again later" and which say "this can never work"."""

from typing import Final

import asyncpg
from redis.exceptions import RedisError

from zhiyin.runtime.halting import Halted
from zhiyin.runtime.log.interface import LogUnavailable

# What PostgreSQL, Redis or the log raise when they are away or overloaded, or when two
# transactions got into each other's way. None of it is the fault of the record at hand.
OUTAGES: Final[tuple[type[BaseException], ...]] = (
    OSError,
    TimeoutError,
    LogUnavailable,
    RedisError,
    asyncpg.exceptions._base.InterfaceError,
    asyncpg.exceptions._base.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,  # serialization, deadlock
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # shutdown, cancelled, cannot connect now
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.PostgresSystemError,
    asyncpg.ConfigFileError,
    asyncpg.InternalServerError,
)


def is_outage(error: BaseException) -> bool:
    """Whether the same call may well succeed later. An `ExceptionGroup` is one if all of it is."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_outage(inner) for inner in error.exceptions)
    return isinstance(error, OUTAGES)


# A table, column or right is missing: no record's fault, and no later attempt will differ.
SYSTEMIC: Final = (asyncpg.SyntaxOrAccessError, asyncpg.InvalidAuthorizationSpecificationError)


def raise_unless_outage(error: Exception) -> None:
    """Raise Halted for a systemic error, and anything else that trying again will not mend."""
    if isinstance(error, SYSTEMIC):
        raise Halted(f"the database refuses what the service does: {error}") from error
    if not is_outage(error):
        raise error
