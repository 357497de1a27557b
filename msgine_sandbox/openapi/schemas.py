"""JSON Schemas of the structs that are served and read, and of the fields of a body.

msgspec has such a function as well, which refuses unions of structs without a tag, and takes the
decimals that are served as numbers for strings.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import cache
from inspect import cleandoc, getsource
from itertools import pairwise
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Meta, UnsetType
from msgspec.structs import FieldInfo, fields

from msgine_sandbox.api.schema import Field, FieldType

Schema = dict[str, Any]

_OURS: Final = f"{__name__.partition('.')[0]}."
REFERENCE: Final = "#/components/schemas/"
_PLAIN: Final[Mapping[object, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Decimal: {"type": "number"},
    NoneType: {"type": "null"},
    Any: {},
    object: {},
}
_META: Final = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "pattern": "pattern",
    "description": "description",
}


class Schemas:
    """The schemas of a document, by name: each struct and enumeration is there once."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}
        self._named: dict[str, type] = {}

    def of(self, kind: Any) -> Schema:
        """Return the schema of a type: a reference, where it is a struct or an enumeration.

        Raises:
            TypeError: another type has the same name, or nothing is known of the type.
        """
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return {**self.of(arguments[0]), **_restrictions(self.of(arguments[0]), arguments[1:])}
        if origin in {Union, UnionType}:
            return self._any_of([each for each in arguments if each is not UnsetType])
        if origin is not None and issubclass(origin, Mapping):
            return self._map(*arguments)
        if origin is not None and issubclass(origin, Sequence):
            return {"type": "array", "items": self.of(arguments[0])}
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._named_schema(kind, _enumeration)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._named_schema(kind, self._struct)
        raise TypeError(f"No schema is known of {kind!r}")

    def narrow(self, kind: type, **members: Iterable[str]) -> None:
        """Let members of a struct have no values but these."""
        properties = self.components[kind.__name__]["properties"]
        for name, values in members.items():
            properties[name] = {"type": "string", "enum": [str(each) for each in values]}

    def _any_of(self, kinds: Sequence[Any]) -> Schema:
        schemas = [self.of(each) for each in kinds]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def _map(self, names: Any, values: Any) -> Schema:
        schema = {"type": "object", "additionalProperties": self.of(values)}
        return schema if names is str else {**schema, "propertyNames": self.of(names)}

    def _named_schema(self, kind: type, make: Callable[[Any], Schema]) -> Schema:
        name = kind.__name__
        if self._named.setdefault(name, kind) is not kind:
            raise TypeError(f"{kind} and {self._named[name]} have the same name")
        if name not in self.components:
            self.components[name] = {}  # in place of what is made, which may refer to itself
            self.components[name] = make(kind)
        return {"$ref": REFERENCE + name}

    def _struct(self, kind: type[msgspec.Struct]) -> Schema:
        found = fields(kind)
        names = {each.name: each.encode_name for each in found}
        texts = {
            name: {"description": _with_names(text, names)}
            for name, text in _field_texts(kind).items()
        }
        schema: Schema = {
            "type": "object",
            "description": _with_names(_sentence(kind), names),
            "properties": {
                each.encode_name: {**self.of(each.type), **texts.get(each.name, {})}
                for each in found
            },
            "required": [each.encode_name for each in found if _is_required(each, kind)],
        }
        if kind.__struct_config__.forbid_unknown_fields:
            schema["additionalProperties"] = False
        return schema


def body_schema(known: Iterable[Field]) -> Schema:
    """Return the schema of a body with the fields of a table; it may have others, too."""
    found = list(known)
    return {
        "type": "object",
        "properties": {each.name: _field(each) for each in found},
        "required": [each.name for each in found if each.required or each.required_first],
    }


def _field(known: Field) -> Schema:
    is_required = known.required or known.required_first
    text: Schema = {"type": "string"}
    texts: Schema = {"type": "array", "items": text}
    if known.max_length is not None:
        text |= {"minLength": 1, "maxLength": known.max_length}
    if known.max_recipients is not None:
        text["minLength"] = 1
        texts["maxItems"] = known.max_recipients
        if is_required:  # another one may be empty where some field names a recipient
            texts["minItems"] = 1
    kinds: Mapping[FieldType, list[Schema]] = {
        FieldType.TEXTS: [text, texts],
        FieldType.SPLIT_TEXTS: [text, texts],
        FieldType.STRING_MAP: [{"type": "object", "additionalProperties": {"type": "string"}}],
    }
    schemas = kinds.get(known.type, [text])
    if not is_required:
        schemas = [*schemas, {"type": "null"}]
    described = f"{known.expected or known.type.value}. Source: {known.source.value}."
    shape = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {**shape, "description": described[0].upper() + described[1:]}


def _is_required(known: FieldInfo, kind: type[msgspec.Struct]) -> bool:
    """Return whether an object always has a field; of one that is read, whether it must have it."""
    if UnsetType in get_args(known.type):
        return False
    config = kind.__struct_config__
    has_default = known.default is not NODEFAULT or known.default_factory is not NODEFAULT
    is_read = config.forbid_unknown_fields
    return not has_default or not (is_read or config.omit_defaults or known.default is UNSET)


def _restrictions(schema: Schema, metas: Sequence[Any]) -> Schema:
    found: Schema = {}
    for meta in metas:
        if isinstance(meta, Meta):
            for name, keyword in _META.items():
                if (value := getattr(meta, name)) is not None:
                    # Python's \Z, because its $ would allow a line break after it.
                    found[keyword] = value.replace(r"\Z", "$") if name == "pattern" else value
            if meta.min_length is not None:
                is_array = schema.get("type") == "array"
                found["minItems" if is_array else "minLength"] = meta.min_length
            found |= meta.extra_json_schema or {}
    return found


def _enumeration(kind: type[Enum]) -> Schema:
    return {"type": "string", "enum": [each.value for each in kind], "description": _sentence(kind)}


def _with_names(text: str, names: Mapping[str, str]) -> str:
    """Return a docstring with the names that fields have in JSON, for those of the attributes."""
    return re.sub(r"`(\w+)`", lambda found: f"`{names.get(found[1], found[1])}`", text)


def _field_texts(kind: type) -> Mapping[str, str]:
    """Return the docstring of each field whose declaration has one."""
    return {
        name: text
        for base in reversed(kind.__mro__)
        for name, text in _texts_of_module(base.__module__).get(base.__name__, {}).items()
    }


@cache
def _texts_of_module(name: str) -> Mapping[str, Mapping[str, str]]:
    """Return the docstrings of fields by class and field, which only the source has."""
    if not name.startswith(_OURS):
        return {}
    return {
        each.name: {
            field.target.id: " ".join(cleandoc(text.value.value).split())
            for field, text in pairwise(each.body)
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        }
        for each in ast.parse(getsource(sys.modules[name])).body
        if isinstance(each, ast.ClassDef)
    }


def _sentence(kind: type) -> str:
    """Return the docstring of a class as one line, without what follows its first paragraph."""
    return " ".join(cleandoc(kind.__doc__ or "").partition("\n\n")[0].split())
