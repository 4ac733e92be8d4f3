"""What modules are made of: exports, imports, memory, names; the same bytes twice."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest
import wasmtime

from generator.compiler import (
    DEFAULT_ARENA_BYTES,
    compile_file,
    link_program,
    prepare_file,
)
from generator.compiler.parse import PACKAGE
from generator.wasm.guest import WasmGuest
from generator.wasm.host import Host
from generator.wasm.leb128 import decode_unsigned
from generator.wasm.module import PAGE_BYTES, ExportKind, Function, Module
from tests.compiler.guests import BACKENDS, LANGUAGE, build, start, write

PEP: Final = PACKAGE / "pep.py"
EXAMPLES: Final = sorted((PACKAGE / "examples").glob("[a-z]*.py"))
ALL_FILTERS: Final = [PEP, *EXAMPLES]

SMALL: Final = """
from typing import Final

from filters.hostcalls import proxy_log
from filters.lang import Buffer, Words, embedded, export, u32

ROWS: Final = 16
TABLE = Words(ROWS)
UNUSED = Buffer(1_000_000)


def unused() -> u32:
    return UNUSED[3]


@export
def rows() -> u32:
    return len(TABLE)


@export
def first() -> u32:
    TABLE[0] = 7
    return TABLE[0]


@export
def linked(i: u32) -> u32:
    return embedded(b"table")[i]


@export
def say() -> u32:
    return proxy_log(2, b"hello")
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write(tmp_path, SMALL)


# --- the same bytes ------------------------------------------------------------------


@pytest.mark.parametrize("path", ALL_FILTERS, ids=lambda p: p.stem)
def test_built_twice_equal_bytes(path: Path) -> None:
    assert compile_file(path).to_bytes() == compile_file(path).to_bytes()


def test_equal_bytes_in_another_process() -> None:
    """Neither the order of sets nor the folder has a part in it."""
    program = (
        "import sys; from pathlib import Path; from generator.compiler import *; "
        "sys.stdout.buffer.write(compile_file(Path(sys.argv[1])).to_bytes())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, str(PEP)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(PACKAGE.parent)},
            cwd=folder,
            capture_output=True,
            check=True,
        ).stdout
        for seed, folder in (("1", "/"), ("2", str(PACKAGE)))
    ]
    assert runs[0] == runs[1] == compile_file(PEP).to_bytes()


# --- what Envoy asks of a module -----------------------------------------------------


@pytest.mark.parametrize("path", ALL_FILTERS, ids=lambda p: p.stem)
def test_envoys_rules(path: Path) -> None:
    """envoy-wasm.md, section 9: marker, memory with a maximum, malloc, no start."""
    module = wasmtime.Module(wasmtime.Engine(), build(path).to_bytes())
    exports = {e.name: e.type for e in module.exports}
    assert {"proxy_abi_version_0_2_1", "memory", "malloc"} <= exports.keys()
    assert not {"_start", "_initialize", "main"} & exports.keys()
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.MemoryType)
    assert memory.limits.max == memory.limits.min <= 256
    assert all(i.module in ("env", "wasi_snapshot_preview1") for i in module.imports)


def test_no_start_section() -> None:
    start_section = 8
    assert start_section not in _section_ids(compile_file(PEP).to_bytes())


def _section_ids(data: bytes) -> list[int]:
    ids, offset = [], 8
    while offset < len(data):
        ids.append(data[offset])
        size, offset = decode_unsigned(data, offset + 1)
        offset += size
    return ids


def test_only_used_hostcalls_are_imported(small: Path) -> None:
    module = build(small)
    assert [i.name for i in module.imports] == ["proxy_log"]


def test_only_reachable_functions_and_objects_are_in_the_module(small: Path) -> None:
    module = build(small)
    assert not [f.name for f in module.functions if "unused" in f.name]
    assert module.memory_pages == 3  # 128 KiB arena, and little else


def test_names_are_kept(small: Path) -> None:
    data = build(small).to_bytes()
    assert b"program.first" in data
    assert data.count(b"\x04name") == 1


@pytest.mark.parametrize("path", ALL_FILTERS, ids=lambda p: p.stem)
def test_size_of_the_filters(path: Path) -> None:
    """design.md, section 8: the module without its table is at most 48 KiB."""
    assert len(compile_file(path).to_bytes()) <= (48 if path == PEP else 4) * 1024


def test_time_to_compile_the_filter() -> None:
    """design.md, section 8: well under a second. CPU time: others use the machine."""
    start_time = time.process_time()
    compile_file(PEP)
    assert time.process_time() - start_time < 1


# --- memory --------------------------------------------------------------------------


def test_embedded_data_comes_last_and_aligned(small: Path) -> None:
    table = bytes(range(200)) * 1000
    module = build(small, embedded={"table": table})
    last = module.data[-1]
    assert last.contents == table
    assert last.offset % 16 == 0
    assert last.offset >= DEFAULT_ARENA_BYTES
    assert module.memory_pages * PAGE_BYTES >= last.offset + len(table)
    for backend in BACKENDS:
        guest = start(small, backend, embedded={"table": table})
        assert guest.call("linked", 300) == table[300]


def test_addresses_do_not_depend_on_embedded_data(small: Path) -> None:
    without = build(small)
    with_table = build(small, embedded={"table": b"x" * 100_000})
    names = [f.name for f in without.functions if f.name != "program.linked"]
    for name in names:
        assert _function(without, name).body == _function(with_table, name).body


def _function(module: Module, name: str) -> Function:
    return next(f for f in module.functions if f.name == name)


def test_zero_objects_take_no_bytes(tmp_path: Path) -> None:
    sizes = []
    for size in (16, 100_000):
        source = SMALL.replace("ROWS: Final = 16", f"ROWS: Final = {size}")
        sizes.append(len(build(write(tmp_path, source)).to_bytes()))
    assert sizes[1] - sizes[0] < 16


def test_arena_option(small: Path) -> None:
    assert build(small, arena_bytes=1_000_000).memory_pages == 16


def test_malloc_gives_the_arena_and_then_nothing(small: Path) -> None:
    guest = WasmGuest(build(small, arena_bytes=1024).to_bytes(), Host())
    first, second = guest.allocate(1), guest.allocate(100)
    assert second == first + 8
    assert guest.allocate(0x7FFFFFFF) == 0
    assert guest.allocate(-1 & 0xFFFFFFFF) == 0
    assert guest.allocate(1024 - 8 - 104) == second + 104
    assert guest.allocate(1) == 0
    guest.call("rows")  # a callback starts with an empty arena
    assert guest.allocate(1) == first


def test_scratch_shares_the_arena_with_the_host(tmp_path: Path) -> None:
    source = """
from filters.lang import export, scratch, u32

@export
def used(size: u32) -> tuple[u32, u32, u32]:
    area = scratch(size)
    total: u32 = 0
    for i in range(len(area)):
        total = u32(total + area[i])
        area[i] = 1
    return len(area), total, len(scratch(1))
"""
    guest = WasmGuest(build(write(tmp_path, source), arena_bytes=64).to_bytes(), Host())
    assert guest.call("used", 56) == (56, 0, 1)
    assert guest.call("used", 64) == (64, 0, 0)
    assert guest.call("used", 65) == (0, 0, 1)
    assert guest.call("used", 0xFFFFFFFF) == (0, 0, 1)
    assert guest.allocate(64) == 0


def test_guest_may_bring_its_own_malloc(tmp_path: Path) -> None:
    source = """
from filters.lang import export, u32

@export
def malloc(size: u32) -> u32:
    return 4096 if size < 100 else 0
"""
    guest = WasmGuest(build(write(tmp_path, source)).to_bytes(), Host())
    assert guest.allocate(5) == 4096
    assert guest.allocate(100) == 0


# --- several files, constants --------------------------------------------------------


def test_constants_can_be_overridden(small: Path) -> None:
    module = build(small, constants={"program.ROWS": 4})
    assert WasmGuest(module.to_bytes(), Host()).call("rows") == 4


def test_constants_of_the_package_can_be_overridden() -> None:
    more = build(PEP, constants={"filters.bundle.MAX_KEYS": 4096})
    assert more.memory_pages > build(PEP).memory_pages


@pytest.mark.parametrize("backend", BACKENDS)
def test_siblings_share_one_copy_of_a_module(tmp_path: Path, backend: str) -> None:
    lang = "from filters.lang import Words, u32\n\n"
    shared = "SHARED = Words(4)\ntotal: u32 = 0\n\n"
    add = "def add(n: u32) -> u32:\n    global total\n    total = u32(total + n)\n"
    write(tmp_path, lang + shared + add + "    return total\n", "shared")
    one = "from shared import add, SHARED\n\ndef first() -> None:\n    add(2)\n"
    write(tmp_path, one + "    SHARED[1] = 5\n", "one")
    source = "from filters.lang import export, u32\nfrom one import first\n"
    source += "from shared import SHARED, add as plus\n\n@export\ndef run() -> u32:\n"
    path = write(tmp_path, source + "    first()\n    return plus(SHARED[1])\n")
    assert start(path, backend).call("run") == 7


def test_exports_of_imported_modules(tmp_path: Path) -> None:
    export = "from filters.lang import export\n\n@export\ndef {}() -> None:\n    pass\n"
    write(tmp_path, export.format("theirs"), "other")
    path = write(tmp_path, "from other import theirs\n" + export.format("ours"))
    names = [e.name for e in build(path).exports if e.kind is ExportKind.FUNCTION]
    assert {"ours", "theirs"} <= set(names)


def test_code_after_return_is_left_out(tmp_path: Path) -> None:
    source = (
        "from filters.lang import export, u32\n\n@export\ndef run(a: u32) -> u32:\n"
    )
    path = write(tmp_path, source + "    return a\n    a = u32(a + 1)\n    return a\n")
    assert start(path, "wasm").call("run", 3) == 3


def test_files_are_read_only(tmp_path: Path) -> None:
    """Compiling never runs guest code."""
    source = (
        "from filters.lang import export\n\n@export\ndef run() -> None:\n    pass\n"
    )
    path = write(tmp_path, source)
    build(path)
    assert path.stem not in sys.modules
    assert not [p for p in tmp_path.iterdir() if p != path]


@pytest.mark.parametrize("path", sorted(LANGUAGE.glob("*.py")), ids=lambda p: p.stem)
def test_language_cases_are_built_twice_equal(path: Path) -> None:
    assert build(path).to_bytes() == build(path).to_bytes()


def test_linking_again_is_compiling_again() -> None:
    """One compiled program may be linked around many tables, in any order."""
    program = prepare_file(PEP)
    for table in (b"", b"x" * 40, b"y" * 100_000, b"x" * 40):
        embedded = {"table": table}
        linked = link_program(program, embedded=embedded).to_bytes()
        assert linked == compile_file(PEP, embedded=embedded).to_bytes()
