"""The options of every catalogued ms-swift and vLLM release, read from their wheels.

``tools.extract`` writes the data; this package only reads it.
"""

from schema.catalogue.lifetime import Lifetime
from schema.catalogue.lifetime import is_known
from schema.catalogue.lifetime import knowing
from schema.catalogue.lifetime import lifetime
from schema.catalogue.lifetime import spans
from schema.catalogue.load import descriptions
from schema.catalogue.load import names
from schema.catalogue.load import nearest
from schema.catalogue.load import newest
from schema.catalogue.load import release
from schema.catalogue.load import versions
from schema.catalogue.load import vllm_engine_args
from schema.catalogue.load import vllm_versions
from schema.catalogue.model import CatalogueError
from schema.catalogue.model import Field
from schema.catalogue.model import Release
from schema.catalogue.model import UnknownReleaseError
from schema.catalogue.model import order

__all__ = [
    "CatalogueError",
    "Field",
    "Lifetime",
    "Release",
    "UnknownReleaseError",
    "descriptions",
    "is_known",
    "knowing",
    "lifetime",
    "names",
    "nearest",
    "newest",
    "order",
    "release",
    "spans",
    "versions",
    "vllm_engine_args",
    "vllm_versions",
]
