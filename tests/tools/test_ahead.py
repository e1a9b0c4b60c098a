"""The validators that are made ahead of time are those of the models."""

from schema.ahead import FILE
from tools.ahead import text


def test_validators_are_what_pydantic_makes_of_the_models():
    assert FILE.read_text() == text(), "run `python -m tools.ahead`: a model has changed, or pydantic has"
