"""What `build` and `inspect` print with `-o json`.

Stable keys; lists in the order of ids; sizes in bytes. `moduleBytes` is the module
without its table.
"""

from __future__ import annotations

from generator.analysis.api_version import API_VERSION
from generator.analysis.inspection import Inspected, Permission, ports_by_protocol
from generator.analysis.sizes import by_policy
from generator.build import table_digest
from generator.overlay.naming import overlay_id_text
from generator.policy.model import Direction
from generator.table.decode import section_sizes
from generator.table.model import RuleTable


def build_document(
    module: bytes, table_bytes: bytes, table: RuleTable
) -> dict[str, object]:
    """Return sizes, counts and the digest of a module that was just built."""
    counts = {
        "policies": len(table.policies),
        "rules": len(table.rules),
        "subjects": len(table.subjects),
        "targets": len(table.targets),
        "workloads": len(table.workloads),
    }
    return {
        **_facts("Build", module, table_bytes, table),
        "counts": counts,
        "largestPolicies": [
            {"policy": name, "bytes": size}
            for name, size in by_policy(table, table_bytes)
        ],
    }


def inspection_document(
    module: bytes, table_bytes: bytes, table: RuleTable, found: list[Inspected]
) -> dict[str, object]:
    """Return everything that can be read back from a module."""
    return {
        **_facts("Inspection", module, table_bytes, table),
        "labelKeys": list(table.label_keys),
        "rules": [
            {
                "id": number,
                "name": table.rule_name(number),
                "file": table.policies[rule.policy].file,
                "line": rule.line,
                "isDefault": rule.number is None,
            }
            for number, rule in enumerate(table.rules)
        ],
        "workloads": [_workload_fields(table, one) for one in found],
    }


def _facts(
    kind: str, module: bytes, table_bytes: bytes, table: RuleTable
) -> dict[str, object]:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "overlayId": overlay_id_text(table.overlay_id),
        "digest": table_digest(table_bytes),
        "moduleBytes": len(module) - len(table_bytes),
        "tableBytes": len(table_bytes),
        "sections": section_sizes(table_bytes),
    }


def _workload_fields(table: RuleTable, one: Inspected) -> dict[str, object]:
    row = one.workload
    fields: dict[str, object] = {
        "id": row.id,
        "namespace": table.realms[row.realm],
        "serviceAccount": row.service_account,
        "owners": list(one.owners),
        "revoked": row.revoked,
    }
    for direction in Direction:
        isolated_by = one.isolated_by[direction]
        fields[direction.value] = {
            "isolatedBy": None if isolated_by is None else table.rule_name(isolated_by),
            "allows": [
                _permission_fields(table, permission)
                for permission in one.permissions[direction]
            ],
        }
    return fields


def _permission_fields(table: RuleTable, permission: Permission) -> dict[str, object]:
    rule = permission.rule
    return {
        "peer": permission.peer,
        "ports": ports_by_protocol(permission.keys),
        "requests": list(permission.requests) or None,
        "rule": None if rule is None else table.rule_name(rule),
        "place": None if rule is None else table.rule_place(rule),
    }
