"""The shop amid a large mesh: the same callers, and a table as large as wanted."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from e2e.bench.big_mesh import Size, big_mesh
from e2e.enforcement import enforce
from e2e.shop_run import MANIFESTS, Shop
from generator.policy.load import load_model

_SAMPLE_NAMESPACES: Final = 20


def large_shop(shop: Shop, table_bytes: int, folder: Path) -> Shop:
    """Build the shop amid so many namespaces that its table has about that size.

    Only the shop's own endpoints are there to run. `folder` must not exist.
    """
    folder.mkdir()
    sample = _amid(shop, _SAMPLE_NAMESPACES, folder / "sample")
    own, with_sample = (len(s.product.built.table_bytes) for s in (shop, sample))
    per_namespace = (with_sample - own) / _SAMPLE_NAMESPACES
    return _amid(shop, round((table_bytes - own) / per_namespace), folder / "large")


def _amid(shop: Shop, namespaces: int, folder: Path) -> Shop:
    folder.mkdir()
    manifests = folder / "manifests"
    manifests.mkdir()
    for file in big_mesh(Size(namespaces)):
        (manifests / file.name).write_text(file.text)
    model = load_model([os.path.relpath(MANIFESTS), str(manifests)]).model
    return replace(shop, model=model, product=enforce(model, folder))
