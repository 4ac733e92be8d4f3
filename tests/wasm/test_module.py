"""Modules as bytes: compared with what wasmtime's text assembler makes."""

from __future__ import annotations

from typing import Final

import pytest
import wasmtime

from generator.wasm import opcodes as op
from generator.wasm.module import (
    Data,
    Export,
    ExportKind,
    Function,
    FunctionType,
    Global,
    Import,
    Module,
    encode_body,
)
from generator.wasm.opcodes import EMPTY_BLOCK, Instruction, Op, ValueType
from generator.wasm.text import module_text

I32, I64 = ValueType.I32, ValueType.I64
UNARY: Final = FunctionType((I32,), (I32,))
PAIR: Final = FunctionType((), (I32, I64))

MODULE: Final = Module(
    "example",
    (UNARY, PAIR),
    (Import("env", "proxy_done", UNARY),),
    (
        Function(
            "first",
            UNARY,
            (I32, I32, I64),
            (
                Instruction(op.BLOCK, EMPTY_BLOCK),
                Instruction(op.LOOP, I32 - 0x80),
                Instruction(op.LOCAL_GET, 0),
                Instruction(op.BR_IF, 1),
                Instruction(op.I32_CONST, -2),
                Instruction(op.CALL, 0),
                Instruction(op.END),
                Instruction(op.LOCAL_TEE, 2),
                Instruction(op.I32_LOAD, 2, 300),
                Instruction(op.GLOBAL_SET, 0),
                Instruction(op.END),
                Instruction(op.I32_CONST, 2**31 - 1),
                Instruction(op.END),
            ),
        ),
        Function(
            "second",
            PAIR,
            (),
            (
                Instruction(op.BLOCK, 1),
                Instruction(op.I32_CONST, 1),
                Instruction(op.I64_CONST, -(2**63)),
                Instruction(op.END),
                Instruction(op.END),
            ),
        ),
    ),
    (Global("counter", I32, -1), Global("big", I64, 2**40)),
    (Export("run", ExportKind.FUNCTION, 1), Export("memory", ExportKind.MEMORY, 0)),
    3,
    (Data(1024, b"hello\0\xff"),),
)

TEXT: Final = r"""
(module $example
  (type (func (param i32) (result i32)))
  (type (func (result i32 i64)))
  (import "env" "proxy_done" (func $proxy_done (type 0)))
  (memory 3 3)
  (global $counter (mut i32) (i32.const -1))
  (global $big (mut i64) (i64.const 0x10000000000))
  (func $first (type 0) (local i32 i32 i64)
    block
      loop (result i32)
        local.get 0
        br_if 1
        i32.const -2
        call 0
      end
      local.tee 2
      i32.load offset=300
      global.set 0
    end
    i32.const 0x7fffffff)
  (func $second (type 1)
    block (type 1)
      i32.const 1
      i64.const 0x8000000000000000
    end)
  (export "run" (func 1))
  (export "memory" (memory 0))
  (data (i32.const 1024) "hello\00\ff"))
"""


def test_bytes_are_those_of_another_assembler() -> None:
    reference = bytes(wasmtime.wat2wasm(TEXT))
    names = reference.index(b"\x04name") - 2
    data = MODULE.to_bytes()
    assert data[:names] == reference[:names]
    wasmtime.Module.validate(wasmtime.Engine(), data)


def test_names_are_those_of_another_assembler() -> None:
    reference = bytes(wasmtime.wat2wasm(TEXT))
    assert MODULE.to_bytes() == reference


CONTROL: Final = {op.ELSE, op.END}
OPS: Final = sorted(
    (o for o in vars(op).values() if isinstance(o, Op) and o not in CONTROL),
    key=lambda o: o.code,
)
IMMEDIATES: Final = {
    "none": "",
    "index": "0",
    "label": "0",
    "block": "end",
    "signed": "5",
    "memory": "offset=7 align=1",
    "copy": "",
    "fill": "",
}


@pytest.mark.parametrize("operation", OPS, ids=lambda o: o.name)
def test_every_opcode_is_what_its_name_says(operation: Op) -> None:
    """Assemble the name in dead code, where operands do not matter."""
    text = f"{operation.name} {IMMEDIATES[operation.immediates]}"
    wat = (
        "(module (memory 1) (global (mut i32) (i32.const 0))"
        f"(func (local i32) unreachable {text}))"
    )
    first = {"signed": 5, "block": EMPTY_BLOCK}.get(operation.immediates, 0)
    ours = [Instruction(op.UNREACHABLE), Instruction(operation, first, 7)]
    ours += [Instruction(op.END)] * (1 + (operation.immediates == "block"))
    assert encode_body(ours) in bytes(wasmtime.wat2wasm(wat))


def test_memory_operations_name_their_memory() -> None:
    body = [Instruction(op.MEMORY_COPY), Instruction(op.MEMORY_FILL)]
    assert encode_body(body) == b"\xfc\x0a\0\0\xfc\x0b\0"


def test_text_of_a_module() -> None:
    text = module_text(MODULE)
    assert "import env.proxy_done (i32) -> (i32)" in text
    assert "    loop (i32)\n      local.get 0\n      br_if 1\n" in text
    assert "    i32.load +300\n    global.set $counter\n  end\n" in text
    assert "block (i32 i64)" in text
