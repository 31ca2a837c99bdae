"""What is read from the sources is what the imported functions and classes take."""

import ast
import inspect
import subprocess
import sys
import textwrap

import pytest

from vae_tf import objectives, presets
from vae_tf.runs import TrainingConfig
from vae_tf.utils.errors import InputError
from vae_tf.utils.parameters import REQUIRED, Parameter, parse_parameters, read_parameters
from vae_tf.utils.registry import OBJECTIVES, PRESETS

ALL = [(registry, name) for registry in (OBJECTIVES, PRESETS) for name in registry.names()]


def described(
    size: int,
    beta: "float | objectives.Schedule" = -1.5,
    *others: int,
    names: str | None = None,
    sizes: tuple[int, ...] = (),
    bare=3,
    **more: int,
):
    """Has parameters of every kind.

    Args:
        size: int. A number of
            things.
        beta: float or `Schedule`. A weight: between 0 and 1. Defaults to -1.5.
        others: int. Not read.

    Returns:
        Nothing.
    """


@pytest.mark.parametrize(("registry", "name"), ALL)
def test_sources_and_signatures_agree(registry, name):
    thing = registry.get(name)
    own = TrainingConfig.options()
    read = registry.parameters(name)
    signature = inspect.signature(thing).parameters
    assert [(p.name, p.default) for p in read] == [(p.name, p.default) for p in signature.values()]
    imported = read_parameters(thing)
    assert [p.text for p in read] == [p.text for p in imported]
    assert all(p.text for p in read)
    # Of the other parameters some have an alias as their type, which the source does not resolve.
    assert [p for p in read if p.name in own] == [p for p in imported if p.name in own]
    assert all(p.name in own or p.default is REQUIRED or registry is PRESETS for p in read)


def test_all_objectives_and_presets_of_the_package_have_a_name():
    classes = {value for value in vars(objectives).values() if inspect.isclass(value)}
    concrete = {c for c in classes if issubclass(c, objectives.Objective)} - {objectives.Objective}
    assert {OBJECTIVES.get(name) for name in OBJECTIVES.names()} == concrete
    assert {PRESETS.get(name) for name in PRESETS.names()} == {
        presets.conv,
        presets.conv_deep,
        presets.mlp,
    }


def test_parameters_of_every_kind():
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(described))).body
    expected = (
        Parameter("size", "int", REQUIRED, "int. A number of things."),
        Parameter(
            "beta",
            "float | Schedule",
            -1.5,
            "float or `Schedule`. A weight: between 0 and 1. Defaults to -1.5.",
        ),
        Parameter("names", "str | None", None, ""),
        Parameter("sizes", "tuple[int, ...]", (), ""),
        Parameter("bare", "", 3, ""),
    )
    assert read_parameters(described) == expected
    assert parse_parameters(node) == expected


def test_names_and_refusals():
    assert OBJECTIVES.names() == ["elbo", "iwae", "beta_tc"]
    assert not OBJECTIVES.is_built_in("nope")
    with pytest.raises(InputError, match="no objective 'nope'; give one of elbo, iwae, beta_tc"):
        OBJECTIVES.get("nope")
    with pytest.raises(ValueError, match=r"'mlp' of vae_tf\.presets\.mlp has that name already"):
        presets.register("mlp")(described)


def test_names_and_parameters_import_no_tensorflow():
    script = (
        "import sys\n"
        "from vae_tf.runs.config import TrainingConfig\n"
        "TrainingConfig(preset='conv', filters=(3,), objective='beta_tc', beta=2.0)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
