"""Values that a scenario keeps as objects: data files that were read, and Python functions.

They are written as a text that stands for them, but a scenario that is loaded again keeps the object; in a
fingerprint, its hash stands in its place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from pydantic import GetCoreSchemaHandler, SerializationInfo
from pydantic_core import core_schema

# What a serialisation context holds under this key to get hashes in place of texts.
HASHES = "hashes_of_kept_values"


class Kept(ABC):
    """Base of such values. ``sha256`` is the hash of all that the value means."""

    __slots__ = ()

    sha256: str

    @abstractmethod
    def text(self) -> str:
        """What stands for it where a scenario is written down."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """An instance validates as itself and is written back as its text, or as its hash in a fingerprint."""
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(written, info_arg=True)
        )


def written(value: Kept, info: SerializationInfo) -> str:
    """The text of a kept value, or its hash where the context asks for it."""
    return f"sha256:{value.sha256}" if (info.context or {}).get(HASHES) else value.text()
