"""JSON Schemas (draft 2020-12) of what people write, for editors.

The schema of OverlayPolicy is made of the CRD, so that there is one. It refuses unknown
fields, which the API server drops or refuses, and leaves out what only the API server
understands; CEL rules become part of the descriptions.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import yaml

from generator.analysis.api_version import API_VERSION
from generator.analysis.cases.reader import REASONS
from generator.schemas.parts import RULES, Schema, choice, record, text

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

CRD: Final = "crd"
NAMES: Final = {
    "overlaypolicy": "JSON Schema of OverlayPolicy, pepmesh's own kind of policy",
    "policytest": "JSON Schema of PolicyTest, the test cases beside policies",
    "traffic": "JSON Schema of Traffic, the flows for `pepmesh simulate`",
    CRD: "CustomResourceDefinition of OverlayPolicy, for `kubectl apply`",
}
"""What there is, and in which words."""

_INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_PORT: Final[Schema] = {
    "description": "A port number, or a name: of a Service's port or a container's.",
    "type": ["integer", "string"],
    "minimum": 1,
    "maximum": 65535,
}


def schema_of(name: str) -> Schema:
    """Return one of `NAMES`, the CRD included."""
    if name == CRD:
        crd: Schema = yaml.safe_load(crd_manifest())
        return crd
    return _MAKERS[name]()


def list_document() -> Schema:
    rows = [{"name": name, "description": words} for name, words in NAMES.items()]
    return {"apiVersion": API_VERSION, "kind": "SchemaList", "schemas": rows}


def crd_manifest() -> str:
    """Return the CustomResourceDefinition of OverlayPolicy, as it is installed."""
    return files("istio").joinpath("crds", "overlaypolicy.yaml").read_text()


def overlay_policy_schema() -> Schema:
    crd = schema_of(CRD)
    (version,) = crd["spec"]["versions"]
    found = _for_editors(version["schema"]["openAPIV3Schema"])
    found["properties"]["metadata"] = _metadata()
    return _document("OverlayPolicy", found)


def policy_test_schema() -> Schema:
    case = _flow("A question, and the answer that is expected.")
    case["properties"] |= {
        "name": text("What is special about this case."),
        "expect": choice("The verdict.", ("allow", "deny")),
        "rule": text("The rule that must decide, as `pepmesh explain` prints it."),
        "reason": choice("The reason that must be given.", sorted(REASONS)),
    }
    case["required"] = ["name", *case["required"], "expect"]
    cases = {"type": "array", "items": case, "minItems": 1, "description": "The cases."}
    return _document("PolicyTest", _object("Tests of policies.", "cases", cases))


def traffic_schema() -> Schema:
    flow = _flow("A flow.")
    flows = {"type": "array", "items": flow, "minItems": 1, "description": "The flows."}
    return _document("Traffic", _object("Flows to simulate.", "flows", flows))


def _document(kind: str, schema: Schema) -> Schema:
    """Return a schema of documents of one kind, which name their kind."""
    schema["properties"]["apiVersion"] = {"const": API_VERSION}
    schema["properties"]["kind"] = {"const": kind}
    schema["required"] = ["apiVersion", "kind", *schema["required"]]
    return {"$schema": DIALECT, "title": kind, **schema}


def _object(description: str, field: str, schema: Schema) -> Schema:
    properties = {"apiVersion": {}, "kind": {}, "metadata": _metadata(), field: schema}
    return _closed(description, properties, [field])


def _closed(
    description: str, properties: dict[str, Schema], required: list[str]
) -> Schema:
    found = record(description, properties, required=required)
    return {**found, "additionalProperties": False}


def _metadata() -> Schema:
    """What Kubernetes says of it is not repeated here."""
    return {"type": "object", "description": "As of every object of Kubernetes."}


def _flow(description: str) -> Schema:
    headers = {
        "type": "object",
        "description": "Headers by name; a list of values repeats one.",
        "additionalProperties": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
            ]
        },
    }
    request = {
        "method": text("Default: GET."),
        "path": text("The target of the request, with its query. Default: /"),
        "host": text("Default: the destination's own name."),
        "headers": headers,
    }
    end = "NAMESPACE/NAME of a workload, or an address."
    fields = {
        "from": text(end),
        "to": text("NAMESPACE/NAME of a workload or a Service, or an address."),
        "port": dict(_PORT),
        "protocol": choice("Default: TCP.", ("TCP", "UDP", "SCTP")),
        "http": _closed("The request. Without it, the flow is not HTTP.", request, []),
    }
    return _closed(description, fields, ["from", "to", "port"])


def _for_editors(schema: Any) -> Any:
    """Return a structural schema without what is Kubernetes' own."""
    if isinstance(schema, list):
        return [_for_editors(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        key: _for_editors(value)
        for key, value in schema.items()
        if not key.startswith("x-kubernetes-")
    }
    if schema.get(_INT_OR_STRING):
        found["type"] = ["integer", "string"]
    if RULES in schema:
        sentences = (f"{each['message']}." for each in schema[RULES])
        found["description"] = " ".join((schema["description"], *sentences))
    # Branches of `oneOf` have no type: only whole objects are closed.
    if schema.get("type") == "object" and "properties" in schema:
        found["additionalProperties"] = False
    return found


_MAKERS: Final = {
    "overlaypolicy": overlay_policy_schema,
    "policytest": policy_test_schema,
    "traffic": traffic_schema,
}
