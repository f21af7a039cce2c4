"""The messages of ``crossplane internal render``, made at run time from a table of their fields.

They are of the package ``crossplane.render.v1alpha1``. What is not needed is left out; the numbers are what counts.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2

PACKAGE: Final = "crossplane.render.v1alpha1"
TEXT: Final = "string"
STRUCT: Final = struct_pb2.Struct.DESCRIPTOR.full_name
# message: {field: (number, type)}; a type in a list is repeated.
FIELDS: Final[dict[str, dict[str, tuple[int, str | list[str]]]]] = {
    "FunctionInput": {"name": (1, TEXT), "address": (2, TEXT)},
    "Event": {"type": (1, TEXT), "reason": (2, TEXT), "message": (3, TEXT)},
    "CompositeInput": {
        "composite_resource": (1, STRUCT),
        "composition": (2, STRUCT),
        "functions": (3, [f"{PACKAGE}.FunctionInput"]),
        "observed_resources": (4, [STRUCT]),
        "required_resources": (5, [STRUCT]),
        "required_schemas": (7, [STRUCT]),
        "composite_resource_definition": (8, STRUCT),
    },
    "CompositeOutput": {
        "composite_resource": (1, STRUCT),
        "composed_resources": (2, [STRUCT]),
        "deleted_resources": (3, [STRUCT]),
        "events": (4, [f"{PACKAGE}.Event"]),
        "required_resources": (5, [STRUCT]),
        "required_schemas": (6, [STRUCT]),
    },
    "RenderRequest": {"composite": (2, f"{PACKAGE}.CompositeInput")},
    "RenderResponse": {"composite": (2, f"{PACKAGE}.CompositeOutput")},
}


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="groundplane/tests/render.proto", package=PACKAGE, syntax="proto3", dependency=[struct_pb2.DESCRIPTOR.name]
    )
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            of = kind if isinstance(kind, str) else kind[0]
            described = message.field.add(name=field, number=number, json_name=field)
            described.label = described.LABEL_OPTIONAL if isinstance(kind, str) else described.LABEL_REPEATED
            described.type = described.TYPE_STRING if of == TEXT else described.TYPE_MESSAGE
            if of != TEXT:
                described.type_name = f".{of}"
    return file


descriptor_pool.Default().Add(_described())


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(f"{PACKAGE}.{name}"))


RenderRequest: Final = _class("RenderRequest")
RenderResponse: Final = _class("RenderResponse")
