"""Points at which a test may watch or end the process: before and after whatever leaves it.

The gateways alone place them: the store around each commit, and the doors to the PBXs and to Slack around each call. So no
workflow has to think of them, and none can forget one. Nobody sets ``hook`` outside of tests.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

#: Called with each point, in the thread that reached it.
hook: Callable[[str], None] | None = None

_UNWATCHED: AbstractContextManager[None] = nullcontext()


def reached(point: str) -> None:
    """Say that this point was reached."""
    if hook is not None:
        hook(point)


def around(deed: str) -> AbstractContextManager[None]:
    """Say "before" and "after" of what the block does, whether or not it goes well."""
    return _UNWATCHED if hook is None else _around(deed)


@contextmanager
def _around(deed: str) -> Iterator[None]:
    reached(f"{deed} before")
    try:
        yield
    finally:
        reached(f"{deed} after")
