"""How an option is read from source: classes, annotations, defaults, metadata."""

import dataclasses
from textwrap import dedent
from typing import Any

import pytest

from tools.extract.modules import Modules
from tools.extract.options import options
from tools.extract.parser import parsed

HEADER = """
from dataclasses import KW_ONLY, InitVar, dataclass, field
from enum import Enum
from typing import *
"""


def read(source, name="Args", others=None):
    """The options of a class in a module ``main``, next to other files."""
    files = {"main.py": HEADER + dedent(source), **(others or {})}
    return options(Modules(files.get), "main", name, parsed)


def real(source, name="Args"):
    """The names and defaults that Python itself finds."""
    namespace: dict[str, Any] = {"__name__": "main"}
    exec(HEADER + dedent(source), namespace)  # noqa: S102
    return {field.name: field.default for field in dataclasses.fields(namespace[name])}


def option(annotation, value="None"):
    return read(f"@dataclass\nclass Args:\n    x: {annotation} = {value}\n")["x"]


HIERARCHIES = {
    "a later class overrides": """
        @dataclass
        class A:
            x: int = 1
            y: int = 2
        @dataclass
        class Args(A):
            x: str = "a"
        """,
    "the first base wins": """
        @dataclass
        class A:
            x: int = 1
        @dataclass
        class B:
            x: int = 2
        @dataclass
        class Args(A, B):
            pass
        """,
    "a base's inherited field counts as its own": """
        @dataclass
        class Root:
            x: int = 1
        @dataclass
        class A(Root):
            pass
        @dataclass
        class B(Root):
            x: int = 2
        @dataclass
        class Args(A, B):
            pass
        """,
    "a diamond's most derived class wins": """
        @dataclass
        class Root:
            x: int = 1
        @dataclass
        class A(Root):
            x: int = 3
        @dataclass
        class B(Root):
            x: int = 2
        @dataclass
        class Args(B, A):
            y: int = 0
        """,
    "an assignment without annotation makes no field": """
        @dataclass
        class Args:
            x: int = 1
            client = None
        """,
    "an assignment without annotation leaves an inherited default": """
        @dataclass
        class A:
            x: int = 1
        @dataclass
        class Args(A):
            x = 2
        """,
    "an annotation without value takes an inherited value": """
        @dataclass
        class A:
            x: int = 1
        @dataclass
        class B(A):
            x = 2
        @dataclass
        class Args(B):
            x: int
        """,
    "class variables and the like are no fields": """
        @dataclass
        class Args:
            limit: ClassVar[int] = 3
            seed: InitVar[int] = 4
            x: int = 1
            _: KW_ONLY
            y: int = 2
        """,
    "a class without decorator passes on its parent's fields": """
        @dataclass
        class A:
            x: int = 1
        class Plain(A):
            x: int = 2
            z: int = 3
        @dataclass(repr=False)
        class Args(Plain):
            y: int = 2
        """,
}


@pytest.mark.parametrize("source", HIERARCHIES.values(), ids=HIERARCHIES)
def test_fields_and_defaults_are_those_of_dataclasses(source):
    assert {name: field.default for name, field in read(source).items()} == real(source)


def test_field_names_the_class_that_declares_it():
    found = read(HIERARCHIES["a later class overrides"])
    assert {name: field.declared_by for name, field in found.items()} == {"x": "Args", "y": "A"}


def test_field_that_init_does_not_take_is_no_option():
    assert read("@dataclass\nclass Args:\n    x: int = field(init=False, default=1)\n    y: int = 0\n").keys() == {
        "y"
    }


@pytest.mark.parametrize(
    ("annotation", "kind", "many", "nullable", "choices"),
    [
        ("int", "int", False, False, ()),
        ("Optional[float]", "float", False, True, ()),
        ("None | str", "str", False, True, ()),
        ("bool", "bool", False, False, ()),
        ("bool | None", "bool", False, True, ()),
        ("Union[str, bool]", "bool", False, False, ()),
        ("'int'", "int", False, False, ()),
        ("List[int]", "int", True, False, ()),
        ("Optional[List[float]]", "float", True, True, ()),
        ("list[str] | None", "str", True, True, ()),
        ("None | str | list[str]", "str", False, True, ()),
        ("Union[str, List[str], None]", "str", True, True, ()),
        ("Literal['a', 'b']", "choice", False, False, ("a", "b")),
        ("Literal['a', None]", "choice", False, True, ("a", None)),
        ("Literal[1, -1, True]", "choice", False, False, (1, -1, True)),
        ("Optional[Literal['a']]", "choice", False, True, ("a",)),
        ("list[Literal['a']]", "choice", True, False, ("a",)),
        ("dict", "json", False, False, ()),
        ("Union[dict, str]", "json", False, False, ()),
        ("Optional[Union[str, dict]]", "json", False, True, ()),
        ("dict[str, Any] | str | None", "json", False, True, ()),
        ("Any", "str", False, False, ()),
        ("Callable[[], int]", "str", False, False, ()),
    ],
)
def test_annotation_is_taken_as_the_command_line_takes_it(annotation, kind, many, nullable, choices):
    found = option(annotation, "'not None'")
    assert (found.kind, found.many, found.nullable, found.choices) == (kind, many, nullable, choices)


def test_default_of_none_makes_an_option_nullable():
    assert option("int").nullable


def test_annotation_is_kept_with_normalised_whitespace():
    assert option('Optional[ Literal["a",\n        "b"] ]').annotation == "Optional[Literal['a', 'b']]"


COLOURS = {
    "pkg/__init__.py": "if TYPE_CHECKING:\n    from .colours import Colour\nelse:\n    load()\n",
    "pkg/colours.py": dedent("""
        from enum import Enum
        class Text(str, Enum):
            pass
        class Colour(Text):
            RED = "red"
            BLUE = "blue"
        """),
}


@pytest.mark.parametrize(
    "annotation", ["Colour", "Colour | str", "Optional[Colour]", "Alias", "Direct", "Literal[Names, 'blue']"]
)
def test_choices_are_found_through_imports_and_aliases(annotation):
    source = f"""
        from pkg import Colour
        from pkg.colours import Colour as Direct
        Alias = Optional[Colour]
        Names = Literal["red"]
        @dataclass
        class Args:
            x: {annotation} = "red"
        """
    found = read(source, others=COLOURS)["x"]
    assert (found.kind, found.choices) == ("choice", ("red", "blue"))


def test_choices_in_the_metadata_are_the_parsers():
    found = option("str", "field(default='a', metadata={'help': 'x', 'choices': ['a', 'b']})")
    assert (found.kind, found.choices) == ("choice", ("a", "b"))


def test_choices_that_the_metadata_computes_are_refused():
    with pytest.raises(ValueError, match="malformed"):
        option("str", "field(default='a', metadata={'choices': sorted(table)})")


@pytest.mark.parametrize(
    ("value", "default"),
    [
        ("-1.5", -1.5),
        ("'a'", "a"),
        ("[1, 2]", [1, 2]),
        ("(1, 2)", [1, 2]),
        ("field(default=3)", 3),
        ("field(default_factory=list)", []),
        ("field(default_factory=dict)", {}),
        ("field(default_factory=lambda: [8000])", [8000]),
        ("field(default_factory=make)", "<factory>"),
        ("field(metadata={})", "<required>"),
        ("os.getpid()", "<factory>"),
        ("unknown", "<factory>"),
        ("LIMIT", 7),
        ("Level.HIGH", "high"),
        ("Level.MISSING", "<factory>"),
        ("get_field(Level, 'HIGH')", "high"),
    ],
)
def test_default(value, default):
    source = f"""
        LIMIT = 7
        class Level(Enum):
            HIGH = "high"
        @dataclass
        class Args:
            x: Any = {value}
        """
    assert read(source)["x"].default == default


def test_field_without_a_default_is_required():
    assert read("@dataclass\nclass Args:\n    x: int\n")["x"].default == "<required>"


def test_unknown_class_is_refused():
    with pytest.raises(LookupError, match="main has no class Missing"):
        read("x = 1\n", "Missing")
