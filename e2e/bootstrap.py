"""Render a `Proxy` into the files that its Envoy reads.

Files appear by rename, so that a running Envoy never reads half of one: that is also
the event on which it reads listeners and filters again.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from e2e.proxy import Plugin, Proxy

BOOTSTRAP_FILE = "bootstrap.yaml"
ACCESS_LOG_FILE = "access.log"

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # YAML, not HTML: every value goes through `tojson`
)


def write_files(proxy: Proxy, folder: Path) -> Path:
    """Write all of a proxy's files into `folder`; return the bootstrap's path."""
    if proxy.is_dynamic:
        for plugin in _plugins(proxy):
            write_filter(plugin, folder)
        write_listeners(proxy, folder)
    bootstrap = folder / BOOTSTRAP_FILE
    text = _TEMPLATES.get_template("bootstrap.yaml.j2").render(
        node=proxy.node, dynamic=proxy.is_dynamic, **_common(proxy, folder)
    )
    _replace(bootstrap, text)
    return bootstrap


def write_listeners(proxy: Proxy, folder: Path, version: str = "1") -> None:
    """Write (again) the listeners of a dynamic proxy: its LDS file."""
    text = _TEMPLATES.get_template("lds.yaml.j2").render(
        version=version, **_common(proxy, folder)
    )
    _replace(folder / "lds.yaml", text)


def write_filter(plugin: Plugin, folder: Path, version: str = "1") -> None:
    """Write (again) one filter of a dynamic proxy: its ECDS files."""
    layers = ["http", "network"] if plugin.is_network_too else ["http"]
    for layer in layers:
        text = _TEMPLATES.get_template("ecds.yaml.j2").render(
            version=version, plugin=plugin, layer=layer
        )
        _replace(folder / f"ecds.{layer}.{plugin.name}.yaml", text)


def _common(proxy: Proxy, folder: Path) -> dict[str, object]:
    origins = {listener.cluster: listener for listener in proxy.inbound}
    return {
        "inbound_listeners": proxy.inbound,
        "origins": list(origins.values()),
        "outbound_listeners": proxy.outbound,
        "folder": str(folder),
        "log": str(folder / ACCESS_LOG_FILE),
    }


def _plugins(proxy: Proxy) -> list[Plugin]:
    filters = [f for listener in proxy.inbound for f in listener.filters]
    filters += [f for listener in proxy.outbound for f in listener.filters]
    return list({f.name: f for f in filters if isinstance(f, Plugin)}.values())


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)
