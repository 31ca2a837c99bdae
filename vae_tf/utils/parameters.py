"""What a function or a class takes, read from its signature and its docstring."""

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REQUIRED = inspect.Parameter.empty  # the default of a parameter without one

_MODULES = re.compile(r"\b(?:\w+\.)+(?=\w)")
_SECTION = re.compile(r"^(?:Args|Attributes):\n((?:(?: .*)?\n)+)", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        name: str.
        annotation: str. As written, without names of modules: "float | Schedule". "" without one.
        default: Its default, or `REQUIRED`.
        text: str. What the docstring says of it, in one line. "" if nothing.
    """

    name: str
    annotation: str
    default: Any
    text: str


def read_parameters(thing: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The parameters of a function, or of the constructor of a class.

    Args:
        thing: The function or the class.
    """
    texts = argument_texts(inspect.getdoc(thing) or "")
    return tuple(
        Parameter(p.name, _written(p.annotation), p.default, texts.get(p.name, ""))
        for p in inspect.signature(thing).parameters.values()
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    )


def parse_parameters(node: ast.FunctionDef | ast.ClassDef) -> tuple[Parameter, ...]:
    """What `read_parameters` gives for the function or class of `node`, without importing it.

    A class has the parameters of its own `__init__`, and none if it defines none.

    Raises:
        ValueError: if a default is no literal.
    """
    texts = argument_texts(ast.get_docstring(node) or "")
    function = node if isinstance(node, ast.FunctionDef) else _init(node)
    if function is None:
        return ()
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = list(zip(positional, defaults, strict=True))[function is not node :]  # without self
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return tuple(
        Parameter(
            argument.arg,
            _written_in(argument.annotation),
            REQUIRED if default is None else ast.literal_eval(default),
            texts.get(argument.arg, ""),
        )
        for argument, default in pairs
    )


def argument_texts(docstring: str) -> dict[str, str]:
    """The entries of the `Args:` or `Attributes:` of a docstring: name -> one line.

    Args:
        docstring: str. Without the indentation of its function.
    """
    section = _SECTION.search(docstring + "\n")
    parts = _ENTRY.split(section[1])[1:] if section else []
    return {
        name: " ".join(text.split()) for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _written(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _MODULES.sub("", text)


def _written_in(annotation: ast.expr | None) -> str:
    if annotation is None:
        return ""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _MODULES.sub("", annotation.value)
    return _MODULES.sub("", ast.unparse(annotation))


def _init(node: ast.ClassDef) -> ast.FunctionDef | None:
    functions = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    return next((function for function in functions if function.name == "__init__"), None)
