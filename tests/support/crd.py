"""What an API server makes of a custom resource, in the order in which it does it.

Unknown fields are refused (as `kubectl` asks for), nulls dropped, defaults filled in;
then the OpenAPI schema is validated, and if it holds, the CEL rules. Kubernetes' own
code (apiextensions-apiserver 0.31) was asked about the same documents: it agreed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from ipaddress import ip_network
from typing import Any, Final

import celpy
import yaml
from celpy.adapter import json_to_cel
from jsonschema import Draft202012Validator, FormatChecker

RULES: Final = "x-kubernetes-validations"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"

_FORMATS: Final = FormatChecker(())


def _environment() -> celpy.Environment:
    """celpy raises Python's recursion limit, which other tests are about."""
    limit = sys.getrecursionlimit()
    try:
        return celpy.Environment()
    finally:
        sys.setrecursionlimit(limit)


_ENVIRONMENT: Final = _environment()


@_FORMATS.checks("cidr", ValueError)
def _is_cidr(text: object) -> bool:
    return not isinstance(text, str) or bool(ip_network(text, strict=False))


@cache
def crd() -> dict[str, Any]:
    """Return the CustomResourceDefinition that is shipped."""
    path = files("istio").joinpath("crds", "overlaypolicy.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


@cache
def schema() -> dict[str, Any]:
    (version,) = crd()["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def complaints(document: dict[str, Any]) -> list[str]:
    """Return why an API server refuses a document; nothing if it does not."""
    found = list(_unknown_fields(document, schema(), ""))
    given = _with_defaults(_without_nulls(document), schema())
    found += [error.message for error in _validator().iter_errors(given)]
    return found or [message for _, message in broken_rules(given, schema(), "")]


def every_rule(node: Any) -> Iterator[dict[str, str]]:
    """Yield the CEL rules of a schema."""
    if isinstance(node, dict):
        yield from node.get(RULES, ())
        for child in node.values():
            yield from every_rule(child)


def broken_rules(
    value: Any, node: dict[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    """Yield path and message of each CEL rule that does not hold."""
    for rule in node.get(RULES, ()):
        if not _program(rule["rule"]).evaluate({"self": json_to_cel(value)}):
            yield path, rule["message"]
    for name, child, sub in _children(value, node):
        yield from broken_rules(child, sub, f"{path}.{name}")


@cache
def _program(expression: str) -> celpy.Runner:
    return _ENVIRONMENT.program(_ENVIRONMENT.compile(expression))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(_with_types(schema()), format_checker=_FORMATS)


def _with_types(node: Any) -> Any:
    """Say in JSON Schema what numbers-or-names are."""
    if isinstance(node, list):
        return [_with_types(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {name: _with_types(each) for name, each in node.items()}
    return found | ({"type": ["integer", "string"]} if INT_OR_STRING in node else {})


def _children(
    value: Any, node: dict[str, Any]
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield what a value consists of, each part with its schema."""
    if isinstance(value, dict):
        for name, child in value.items():
            sub = node.get("properties", {}).get(name)
            sub = node.get("additionalProperties") if sub is None else sub
            if sub is not None:
                yield name, child, sub
    elif isinstance(value, list) and "items" in node:
        for number, child in enumerate(value):
            yield str(number), child, node["items"]


def _unknown_fields(value: Any, node: dict[str, Any], path: str) -> Iterator[str]:
    if path == ".metadata":  # known to every API server
        return
    if isinstance(value, dict) and node.get("type") == "object":
        known = {name for name, _, _ in _children(value, node)}
        yield from (f"unknown field {path}.{name}" for name in value.keys() - known)
    for name, child, sub in _children(value, node):
        yield from _unknown_fields(child, sub, f"{path}.{name}")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        given = {name: child for name, child in value.items() if child is not None}
        return {name: _without_nulls(child) for name, child in given.items()}
    if isinstance(value, list):
        return [_without_nulls(child) for child in value]
    return value


def _with_defaults(value: Any, node: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_with_defaults(child, node.get("items", {})) for child in value]
    if not isinstance(value, dict):
        return value
    properties = node.get("properties", {})
    missing = {name: sub for name, sub in properties.items() if "default" in sub}
    found = {name: sub["default"] for name, sub in missing.items()} | value
    return {
        name: _with_defaults(child, properties.get(name, {}))
        for name, child in found.items()
    }
