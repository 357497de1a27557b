"""Reading the bodies of control calls into Structs, and naming the field where one is wrong.

msgspec checks a body against its Struct. If it does not match, the same types are searched for the
field, instead of parsing msgspec's message: its wording is no interface, and it quotes names that
the client chose.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, TypeVar, get_type_hints

import msgspec
from msgspec import Meta, inspect
from starlette.requests import Request

from msgine_sandbox.asgi.body import content_of
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import invalid_field, missing_field
from msgine_sandbox.model.errors import ApiError, InvalidRequest

Number = Annotated[float, Meta(gt=-1e15, lt=1e15, description="a number")]
"""A number that calculations cannot overflow with: JSON such as `1e400` is read as infinity."""


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A JSON object that a client sends; null is the same as absent.

    If a field's type has a `Meta(description=…)`, `details.expected` says that of the field.
    """


_Body = TypeVar("_Body", bound=Body)
_WHOLE: Final = "The body"


def read_body_as(request: Request, kind: type[_Body]) -> _Body:
    """Return a request's body as a Struct.

    Raises:
        UnsupportedMediaType: it is not sent as JSON in UTF-8.
        InvalidRequest: it does not match; `details.field` is the path of the field.
    """
    return convert(content_of(context_of(request)), kind)


def convert(content: object, kind: type[_Body], whole: str = _WHOLE) -> _Body:
    """Return JSON as a Struct; `whole` is how error messages call the outermost object.

    Raises:
        InvalidRequest: it does not match; `details.field` is the path of the field.
    """
    try:
        return msgspec.convert(content, kind)
    except _MISMATCHES as error:
        raise _problem(content, kind, whole) from error


# UnicodeEncodeError: a lone surrogate in the name of a field, or where a member of an enumeration
# is expected. SystemError: before msgspec 0.22, a number too large for a float.
_MISMATCHES: Final = (msgspec.ValidationError, UnicodeEncodeError, SystemError)


def _problem(content: object, kind: type[Body], whole: str) -> InvalidRequest:
    if not isinstance(content, dict):
        expected = "a JSON object"
        return InvalidRequest(
            f"{whole} must be {expected}", field="body", value=content, expected=expected
        )
    # The default is for a mismatch of no single field, which the types of today cannot have.
    unknown = InvalidRequest(f"{whole} is invalid", field="body", expected="what the docs show")
    return next(_problems(content, kind, "", whole), unknown)


def _problems(
    content: Mapping[str, Any], kind: type[msgspec.Struct], path: str, whole: str = _WHOLE
) -> Iterator[InvalidRequest]:
    """Yield the problems of an object: first its unknown fields, then the others in their order."""
    fields = inspect.type_info(kind)
    assert isinstance(fields, inspect.StructType)  # noqa: S101  (it is, for a Struct)
    names = [field.encode_name for field in fields.fields]
    for name in content:
        if name not in names:
            yield _unknown(name, path, names, whole)
    hints = get_type_hints(kind, include_extras=True)
    for field in fields.fields:
        value, where = content.get(field.encode_name), _join(path, field.encode_name)
        if value is None:
            if field.required:
                expected = _expected(field.type)
                yield _at(where, missing_field(where, expected))
        elif not _matches(value, hints[field.name]):
            yield from _problems_inside(value, hints[field.name], _without_null(field.type), where)


def _problems_inside(
    value: Any, hint: Any, kind: inspect.Type, path: str
) -> Iterator[InvalidRequest]:
    """Yield the problems of the members of a field's value, or else that of the field itself."""
    match kind, value:
        case (
            inspect.StructType(cls=struct) | inspect.Metadata(type=inspect.StructType(cls=struct)),
            dict(),
        ):
            yield from _problems(value, struct, path)
        case inspect.DictType(), dict():
            yield from _problems_of_map(value, hint, kind, path)
        case inspect.ListType(item_type=item), list():
            wrong = [index for index, each in enumerate(value) if not _matches([each], hint)]
            for index in wrong:
                yield from _problems_inside(value[index], Any, item, f"{path}[{index}]")
            if not wrong:  # it is too short
                yield _invalid(path, value, _expected(kind))
        case _:
            yield _invalid(path, value, _expected(kind))


def _problems_of_map(
    value: Mapping[str, Any], hint: Any, kind: inspect.DictType, path: str
) -> Iterator[InvalidRequest]:
    for name, member in value.items():
        if not _matches({name: None}, hint):
            yield _unknown(name, path, _choices(kind.key_type), _WHOLE)
        elif not _matches({name: member}, hint):
            yield _invalid(_join(path, name), member, _expected(kind.value_type))


def _matches(value: Any, hint: Any) -> bool:
    try:
        msgspec.convert(value, hint)
    except _MISMATCHES:
        return False
    return True


def _without_null(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        return next(each for each in kind.types if not isinstance(each, inspect.NoneType))
    return kind


_IN_WORDS: Final = {
    inspect.BoolType: "true or false",
    inspect.StrType: "a string",
    inspect.ListType: "an array of objects",
    inspect.StructType: "an object",
    inspect.DictType: "an object",
}


def _expected(kind: inspect.Type) -> str:
    """Return what a value of a type is, in words, as `details.expected` has it."""
    kind = _without_null(kind)
    match kind:
        case inspect.Metadata(extra_json_schema={"description": str(description)}):
            return description
        case inspect.IntType(ge=least, le=most):
            return f"a whole number from {least} to {most}"
        case inspect.FloatType(ge=least, le=most):
            return f"a number from {least} to {most}"
        case inspect.EnumType():
            return "one of " + ", ".join(_choices(kind))
        case inspect.ListType(item_type=inspect.EnumType() as choice):
            return "an array of " + ", ".join(_choices(choice))
    return _IN_WORDS[type(kind)]


def _choices(kind: inspect.Type) -> list[str]:
    return [each.value for each in kind.cls] if isinstance(kind, inspect.EnumType) else []


def _unknown(name: str, path: str, names: list[str], whole: str) -> InvalidRequest:
    where = _join(path, name)
    error = InvalidRequest(
        f"{path or whole} has no field {name}", field=where, expected=", ".join(sorted(names))
    )
    return _at(where, error)


def _invalid(path: str, value: Any, expected: str) -> InvalidRequest:
    return _at(path, invalid_field(path, value, expected))


def with_full_path(error: ApiError, where: str) -> InvalidRequest:
    """Return an error about a part of a body as one about the whole, with the field's full path.

    `where` is the path of the part. The message has the path once, however deep parts are nested.
    """
    field: str = error.path or error.details.get("field") or ""
    path = _join(where, field).rstrip(".")
    reason = error.details.get("reason")  # such as why a text is no phone number
    why = f" ({reason.rstrip('.')})" if reason else ""
    message = error.message.removesuffix(why)
    # Some begin with the path of the field, or with that of the object that has no such field.
    names = [name for name in (field, field.rpartition(".")[0]) if name]
    has_path = message.startswith(tuple(f"{name}{end}" for name in names for end in (" ", ": ")))
    message = _join(where, message) if has_path else f"{path}: {message}"
    return _at(path, InvalidRequest(f"{message}{why}", **{**error.details, "field": path}))


def _at(path: str, error: InvalidRequest) -> InvalidRequest:
    error.path = path
    return error


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
