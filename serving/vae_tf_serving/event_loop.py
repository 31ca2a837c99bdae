"""Event loop of both front ends."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import uvicorn

T = TypeVar("T")


def factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Returns the loop factory for `asyncio.Runner`: uvloop's if it is installed, else asyncio's."""
    return uvicorn.Config(app="", log_config=None).get_loop_factory()


async def offload_if(large: bool, function: Callable[..., T], *arguments: Any) -> T:
    """Calls `function` in a thread if `large`, so that other requests need not wait, else here."""
    if large:
        return await asyncio.to_thread(function, *arguments)
    return function(*arguments)
