"""The event loop that both front ends run in."""

import asyncio
from collections.abc import Callable

import uvicorn


def factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Makes uvloop's loops where there is uvloop, else asyncio's; for `asyncio.Runner`."""
    return uvicorn.Config(app="", log_config=None).get_loop_factory()
