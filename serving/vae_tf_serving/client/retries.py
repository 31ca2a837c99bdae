"""When a call is tried again."""

from typing import Any

import tenacity

from vae_tf_serving.client.error import ServingError
from vae_tf_serving.client.options import Options


def policy(options: Options) -> dict[str, Any]:
    """The arguments of tenacity's `Retrying` and `AsyncRetrying`.

    UNAVAILABLE alone is tried again: such a call was not answered, and asking twice changes nothing.
    The waits are random, up to 0.2, 0.4, 0.8, ... 5 seconds, so that clients which a restart cut off
    together do not return together.
    """
    return {
        "retry": tenacity.retry_if_exception(_is_unavailable),
        "wait": tenacity.wait_random_exponential(multiplier=0.2, max=5),
        "stop": tenacity.stop_after_attempt(options.max_retries + 1)
        | tenacity.stop_before_delay(options.deadline),
        "reraise": True,
    }


def _is_unavailable(error: BaseException) -> bool:
    return isinstance(error, ServingError) and error.code == "UNAVAILABLE"
