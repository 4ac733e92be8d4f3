"""What each optimisation of the compiler gains: bytes of the filter, and its time.

`python -m e2e.bench.compiler_bench`: the filter is compiled with all passes, without
each of them, and without any. Variants take turns in one process, under V8 (node, with
`--no-liftoff`: Envoy has no baseline compiler either) and under wasmtime; the figure
is the least time of a variant over that of all passes, so above 1 is what the pass
gains. Sizes are of the module without a table.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import wasmtime

from e2e.bench.decision_bench import Built, build
from e2e.bench.decision_cases import SHAPES
from e2e.bench.questions import FEW_AT, RING, encode_rings, make_module
from e2e.bench.recording import Recorder
from generator.build import ARENA_BYTES, FILTER
from generator.compiler import Program, compile_file, link_program, prepare_file
from generator.compiler.passes import ALL_PASSES, Pass, Passes
from generator.overlay.configuration import Traffic
from generator.wasm.host import Host
from generator.wasm.plugin import Plugin
from tests.filters import pep_mesh

PARTS: Final = Path(__file__).parent / "guest" / "parts_of_filter.py"
NODE: Final = ("node", "--no-liftoff", str(Path(__file__).with_name("replay.js")))
RULES: Final = 1000
BLOCKS: Final = 16
DECISIONS: Final = 256
EVERYTHING: Final = "all"

Steps = list[dict[str, Any]]
Times = dict[str, dict[str, float]]
"""By subject and variant, the least nanoseconds of a turn."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A module, what is called once, and what is timed: so many units of work."""

    module: bytes
    setup: Steps
    turn: Steps
    units: int = 1

    @property
    def only_call(self) -> dict[str, Any] | None:
        """The call that a turn is, if it is one and the host has no part in it."""
        (first, *others) = self.turn
        return None if others or first["hostcalls"] else first


def variants() -> dict[str, Passes]:
    named = {EVERYTHING: ALL_PASSES}
    named |= {f"without {name}": ALL_PASSES - {name} for name in Pass}
    return named | {"none": frozenset()}


@cache
def _program(passes: Passes) -> Program:
    return prepare_file(FILTER, passes=passes)


def module(passes: Passes, table: bytes = b"") -> bytes:
    embedded = {"table": table} if table else {}
    linked = link_program(_program(passes), embedded=embedded, arena_bytes=ARENA_BYTES)
    return linked.to_bytes()


# --- subjects ------------------------------------------------------------------------


def hash_turn(passes: Passes) -> Turn:
    return _recorded(_parts(passes), BLOCKS, "hash_blocks", BLOCKS)


def admission_turn(passes: Passes) -> Turn:
    return _recorded(_parts(passes), 1, "admit")


@cache
def _parts(passes: Passes) -> bytes:
    embedded = {"table": _by_peers().table}
    return compile_file(PARTS, passes=passes, embedded=embedded).to_bytes()


def decision_turn(passes: Passes) -> Turn:
    """Questions about few rules, so that the table is in the nearest caches."""
    built, case = _by_peers(), SHAPES[0].cases[0]
    rings = encode_rings(built.overlay, case.about, RULES)
    compiled = make_module(built.table, rings, passes)
    return _recorded(compiled, DECISIONS, "judge_ring", FEW_AT, RING, DECISIONS)


@cache
def _by_peers() -> Built:
    return build(SHAPES[0], RULES)


def _recorded(compiled: bytes, units: int, export: str, *arguments: int) -> Turn:
    guest = Recorder(compiled, Host())
    guest.call(export, *arguments)
    return Turn(compiled, [], guest.take(), units)


def inbound_turn(passes: Passes) -> Turn:
    """A request whose proof is remembered, on a connection that is known."""
    pep = _Recorded("wasm", "cart", Traffic.INBOUND, passes=passes)
    proof = (
        (b"x-overlay-src", pep_mesh.address("web").wire_text.encode()),
        (b"x-overlay-key", pep_mesh.key_of("web", "cart")),
    )
    with pep.connection(8080, b"10.0.0.1:4711") as connection:
        pep.receive_on(connection, proof)
        setup = pep.guest.take()
        assert pep.receive_on(connection, proof).reaches_upstream
        return Turn(pep.module, setup, pep.guest.take())


def outbound_turn(passes: Passes) -> Turn:
    pep = _Recorded("wasm", "web", Traffic.OUTBOUND, ("cart",), passes=passes)
    cluster = b"outbound|80||cart.shop.svc.cluster.local"
    pep.send(cluster)
    setup = pep.guest.take()
    assert pep.send(cluster).reaches_upstream
    return Turn(pep.module, setup, pep.guest.take())


@dataclass
class _Recorded(pep_mesh.Pep):
    """The filter of a workload of the small mesh, recorded."""

    passes: Passes = ALL_PASSES

    def __post_init__(self) -> None:
        self.module = module(self.passes, pep_mesh.mesh()[1])
        host = Host()
        host.clock_ns = pep_mesh.NOW_NS
        self.guest = Recorder(self.module, host)
        self.plugin = Plugin(self.guest)
        text = pep_mesh.configuration(self.name, self.direction, self.reachable)
        assert self.plugin.start(text), host.log_text()


SUBJECTS: Final = {
    "SHA-256": hash_turn,
    "decision": decision_turn,
    "admission": admission_turn,
    "inbound": inbound_turn,
    "outbound": outbound_turn,
}


# --- measuring -----------------------------------------------------------------------


def driver(turn: Turn, call: Mapping[str, Any]) -> bytes:
    """Make a module that makes a call over and over: `run(times)`."""
    compiled = wasmtime.Module(wasmtime.Engine(), turn.module)
    (kind,) = (e.type for e in compiled.exports if e.name == call["export"])
    assert isinstance(kind, wasmtime.FuncType)
    pushed = " ".join(f"i32.const {value}" for value in call["arguments"])
    return bytes(
        wasmtime.wat2wasm(f"""(module
          (import "m" "f" (func $f
            (param {" ".join(map(str, kind.params))})
            (result {" ".join(map(str, kind.results))})))
          (func (export "run") (param $times i32)
            (loop $again
              {pushed} call $f {"drop " * len(kind.results)}
              (local.tee $times (i32.sub (local.get $times) (i32.const 1)))
              br_if $again)))""")
    )


def in_v8(turns: Mapping[str, Mapping[str, Turn]], rounds: int) -> Times:
    subjects = [
        {"name": name, "variants": [_as_json(v, t) for v, t in made.items()]}
        for name, made in turns.items()
    ]
    plan = {"rounds": rounds, "milliseconds": 1, "subjects": subjects}
    done = subprocess.run(
        NODE, input=json.dumps(plan), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    return {s: {v: min(ns) for v, ns in by.items()} for s, by in found.items()}


def _as_json(name: str, turn: Turn) -> dict[str, Any]:
    call = turn.only_call
    made = driver(turn, call) if call else b""
    return {
        "name": name,
        "module": base64.b64encode(turn.module).decode(),
        "driver": base64.b64encode(made).decode(),
        "setup": turn.setup,
        "turn": turn.turn,
    }


def in_wasmtime(turns: Mapping[str, Mapping[str, Turn]], rounds: int) -> Times:
    """Time what needs no host."""
    found: Times = {}
    for subject, made in turns.items():
        calls = {name: (t, t.only_call) for name, t in made.items()}
        runs = {n: _runner(t, call) for n, (t, call) in calls.items() if call}
        if runs:
            found[subject] = _least(runs, rounds)
    return found


def _runner(turn: Turn, call: Mapping[str, Any]) -> partial[Any]:
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    linker = wasmtime.Linker(engine)
    compiled = wasmtime.Module(engine, turn.module)
    linker.define_unknown_imports_as_traps(compiled)
    exports = linker.instantiate(store, compiled).exports(store)
    loop = wasmtime.Module(engine, driver(turn, call))
    ran = wasmtime.Instance(store, loop, [exports[call["export"]]]).exports(store)
    run = ran["run"]
    assert isinstance(run, wasmtime.Func)
    return partial(run, store)


def _least(runs: Mapping[str, partial[Any]], rounds: int) -> dict[str, float]:
    least = dict.fromkeys(runs, float("inf"))
    first = next(iter(runs.values()))
    turns = max(1, round(1e6 / min(_ns(first, 50) for _ in range(9))))
    names = list(runs)
    for number in range(rounds):
        turn = number % len(names)
        for name in (*names[turn:], *names[:turn]):
            least[name] = min(least[name], _ns(runs[name], turns))
    return least


def _ns(run: partial[Any], turns: int) -> float:
    start = time.perf_counter_ns()
    run(turns)
    return (time.perf_counter_ns() - start) / turns


# --- the table -----------------------------------------------------------------------


def lines(passes: Mapping[str, Passes], rounds: int) -> Iterator[str]:
    sizes = {name: len(module(chosen)) for name, chosen in passes.items()}
    turns = {
        subject: {name: make(chosen) for name, chosen in passes.items()}
        for subject, make in SUBJECTS.items()
    }
    v8, cranelift = in_v8(turns, rounds), in_wasmtime(turns, rounds)
    units = {subject: made[EVERYTHING].units for subject, made in turns.items()}
    columns = [(s, "V8", v8[s]) for s in v8]
    columns += [(s, "wasmtime", cranelift[s]) for s in cranelift]
    heads = [f"{subject}, {engine}" for subject, engine, _ in columns]
    yield "| passes | bytes | " + " | ".join(heads) + " |"
    yield "| --- |" + " ---: |" * (len(columns) + 1)
    for name in passes:
        whole = name == EVERYTHING
        size = f"{sizes[name]:,}" if whole else f"{sizes[name] - sizes[EVERYTHING]:+}"
        cells = [
            f"{by[name] / units[subject]:,.0f} ns"
            if whole
            else f"{by[name] / by[EVERYTHING]:.2f}"
            for subject, _, by in columns
        ]
        yield f"| {name} | {size} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="default %(default)s")
    parser.add_argument("--only", choices=list(Pass), action="append", help="a pass")
    options = parser.parse_args()
    chosen = {f"without {name}" for name in options.only or Pass}
    passes = {
        name: made
        for name, made in variants().items()
        if name in {EVERYTHING, "none", *chosen}
    }
    for line in lines(passes, options.rounds):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
