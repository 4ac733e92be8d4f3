"""Look at no request: the yardstick for what a filter costs.

    pepmesh py2wasm filters/examples/nothing.py -o nothing.wasm

Load nothing.wasm as filters/examples/README.md shows. It needs no configuration. What
a request costs more with it than without is the price of entering Wasm at all.
"""

from __future__ import annotations

from filters.abi import Action
from filters.lang import export, u32


@export
def proxy_on_request_headers(context_id: u32, count: u32, end_of_stream: u32) -> u32:
    return Action.CONTINUE
