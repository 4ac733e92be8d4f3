"""What people would use instead, as HTTP filters of Envoy, made from the same rules.

    policies      native RBAC, one policy per rule, as Istio writes AuthorizationPolicy:
                  tried one after another until one matches
    matcher       native RBAC with a matching tree: a map of ports, in it a map of
                  addresses, in it a trie of paths. The most that the filter can do, and
                  what nobody's product writes today
    lua           the checks of the overlay headers that need no HMAC
    authorizers   ext_authz: ask a process next door, by HTTP or gRPC

None of them knows proofs: they believe addresses (RBAC), or headers whose MAC nobody
looks at (Lua), or whatever the authorizer says.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Any, Final

from e2e.bench.rules import METHOD, PORT, Rule, RuleSet
from e2e.bench.sidecar import Json, typed
from generator.overlay.keys import ADDRESS_HEADER, EPOCH_SECONDS, KEY_HEADER

_API: Final = "type.googleapis.com/envoy"
_RBAC: Final = f"{_API}.extensions.filters.http.rbac.v3.RBAC"
_INPUTS: Final = f"{_API}.extensions.matching.common_inputs.network.v3"
_HEADER_INPUT: Final = f"{_API}.type.matcher.v3.HttpRequestHeaderMatchInput"
_ACTION: Final = f"{_API}.config.rbac.v3.Action"
_LUA: Final = f"{_API}.extensions.filters.http.lua.v3.Lua"
_EXT_AUTHZ: Final = f"{_API}.extensions.filters.http.ext_authz.v3.ExtAuthz"
_FIRST_CLIENT: Final = IPv4Address("10.0.0.1")


def address_of(client: int, rule_set: RuleSet, sender: str) -> str:
    """Return a client's address: the real one of who sends, or one that nobody has."""
    return sender if client == rule_set.sender else str(_FIRST_CLIENT + client)


# --- RBAC, a list of policies --------------------------------------------------------


def rbac_policies(rule_set: RuleSet, sender: str) -> Json:
    """Return native RBAC; Envoy tries policies in the order of their names."""
    policies = {
        f"rule-{number:06}": {
            "permissions": [_permission(rule)],
            "principals": [_principal(address_of(rule.client, rule_set, sender))],
        }
        for number, rule in enumerate(rule_set.rules)
    }
    return typed("rbac", _RBAC, rules={"action": "ALLOW", "policies": policies})


def _permission(rule: Rule) -> Json:
    port = {"destination_port": rule.port}
    if not rule.prefix:
        return port
    method = {"header": {"name": ":method", "string_match": {"exact": METHOD}}}
    path = {"url_path": {"path": {"prefix": f"{rule.prefix}/"}}}
    return {"and_rules": {"rules": [port, method, path]}}


def _principal(address: str) -> Json:
    return {"direct_remote_ip": {"address_prefix": address, "prefix_len": 32}}


# --- RBAC, a matching tree -----------------------------------------------------------

_Tree = dict[int, dict[str, list[str]]]


def rbac_matcher(rule_set: RuleSet, sender: str) -> Json:
    """Return native RBAC that looks up instead of searching."""
    ports: _Tree = {}
    for rule in rule_set.rules:
        address = address_of(rule.client, rule_set, sender)
        ports.setdefault(rule.port, {}).setdefault(address, []).append(rule.prefix)
    tree = _exactly(
        _common_input("DestinationPortInput"),
        {
            str(port): _exactly(
                _common_input("DirectSourceIPInput"),
                {address: _requests(found) for address, found in clients.items()},
            )
            for port, clients in ports.items()
        },
    )
    matcher = tree["matcher"] | {"on_no_match": _action("DENY")}
    return typed("rbac", _RBAC, matcher=matcher)


def _requests(prefixes: Iterable[str]) -> Json:
    """Return what a client may ask for: anything, or GET below some paths."""
    found = [prefix for prefix in prefixes if prefix]
    if not found:
        return _action("ALLOW")
    paths = {f"{prefix}/": _action("ALLOW") for prefix in found}
    below = {"input": _header_input(":path"), "prefix_match_map": {"map": paths}}
    return _exactly(
        _header_input(":method"), {METHOD: {"matcher": {"matcher_tree": below}}}
    )


def _exactly(source: Json, cases: dict[str, Json]) -> Json:
    tree = {"matcher_tree": {"input": source, "exact_match_map": {"map": cases}}}
    return {"matcher": tree}


def _common_input(name: str) -> Json:
    return typed(name, f"{_INPUTS}.{name}")


def _header_input(name: str) -> Json:
    return typed(name, _HEADER_INPUT, header_name=name)


def _action(action: str) -> Json:
    return {"action": typed("action", _ACTION, name=action.lower(), action=action)}


# --- Lua -----------------------------------------------------------------------------

_GROUP: Final = ":%x%x%x%x"
_SCRIPT: Final = f"""
local ports = {{["{PORT}"] = true}}
local address_form = "^fd%x%x{_GROUP * 5}:(%x%x)(%x%x):(%x%x)(%x%x)$"
local key_form = "^v1%.(%d+)%.(%d+)%.(%d+)%.([%w_-]+)$"

local function deny(handle, reason)
  handle:respond({{[":status"] = "403"}}, "denied: " .. reason)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local address = headers:get("{ADDRESS_HEADER}")
  local key = headers:get("{KEY_HEADER}")
  if not address or not key then return deny(handle, "missing") end
  local a, b, c, d = string.match(address, address_form)
  if not a then return deny(handle, "address malformed") end
  local key_id, epoch, target, mac = string.match(key, key_form)
  if not key_id or #mac ~= 22 then return deny(handle, "key malformed") end
  local now = math.floor(os.time() / {EPOCH_SECONDS})
  if math.abs(now - tonumber(epoch)) > 1 then return deny(handle, "key expired") end
  local stream = handle:streamInfo()
  local peer = string.match(stream:downstreamDirectRemoteAddress(), "^(.*):%d+$")
  local claimed = string.format("%d.%d.%d.%d", tonumber(a, 16), tonumber(b, 16),
                                tonumber(c, 16), tonumber(d, 16))
  if peer ~= claimed then return deny(handle, "address elsewhere") end
  local port = string.match(stream:downstreamLocalAddress(), ":(%d+)$")
  if not ports[port] then return deny(handle, "port") end
  headers:remove("{ADDRESS_HEADER}")
  headers:remove("{KEY_HEADER}")
end
"""


def lua() -> Json:
    """Return a Lua filter: presence and form of both headers, epoch, address, port."""
    return typed("lua", _LUA, default_source_code={"inline_string": _SCRIPT})


# --- ext_authz -----------------------------------------------------------------------


def ext_authz_http(cluster: str) -> Json:
    """Return ext_authz that asks an HTTP service and shows it the overlay headers."""
    shown = [{"exact": ADDRESS_HEADER}, {"exact": KEY_HEADER}]
    service = {
        "server_uri": {"uri": f"http://{cluster}", "cluster": cluster, "timeout": "1s"}
    }
    return _ext_authz(http_service=service, allowed_headers={"patterns": shown})


def ext_authz_grpc(cluster: str) -> Json:
    """Return ext_authz that asks a gRPC service, which is shown all headers."""
    service = {"envoy_grpc": {"cluster_name": cluster}, "timeout": "1s"}
    return _ext_authz(grpc_service=service)


def _ext_authz(**fields: Any) -> Json:
    return typed("ext_authz", _EXT_AUTHZ, transport_api_version="V3", **fields)
