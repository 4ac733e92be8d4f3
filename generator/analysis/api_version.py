"""The version of all JSON documents that commands print, and of our own kinds."""

from __future__ import annotations

from typing import Final

API_VERSION: Final = "pepmesh.dev/v1"
