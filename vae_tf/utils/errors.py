"""The exception for input that the user can correct."""


class InputError(ValueError):
    """Bad input from the user: data, arguments, files.

    The message is a complete sentence or two: what came, what was expected, what to do. The command
    line prints it without a traceback; every other exception is a defect and keeps its traceback.
    """
