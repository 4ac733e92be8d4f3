"""What a shell offers at a Tab where a workload's name stands."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from generator.policy.load import load_model


def complete_workload(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the workloads of the manifests that stand on the line already."""
    paths = [path for path in context.params.get("paths") or () if path != "-"]
    recursive = bool(context.params.get("recursive"))
    try:
        members = load_model(paths, recursive=recursive).model.members
    except Exception:  # noqa: BLE001 - a shell that completes has no place for errors
        return []
    names = sorted({f"{member.namespace}/{member.name}" for member in members})
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
