"""What the lowering of one function shares: its code, its locals, its faults.

lower_int.py, lower_bool.py, lower_memory.py, lower_call.py and lower_statement.py are
functions over a `Lowering`; they reach each other through its `operations`, a table
that lower.py fills, so that none imports the others in a circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from generator.compiler.bounds import Fact
from generator.compiler.code import Code
from generator.compiler.ir import (
    Exit,
    Expr,
    Local,
)
from generator.compiler.ir_statements import (
    Stmt,
)
from generator.compiler.link import FAULT_GLOBAL, STEPS_GLOBAL, Fault, Linker
from generator.compiler.passes import Pass
from generator.compiler.tail import without_tail_tests
from generator.compiler.types import (
    BOOL,
    IntType,
    RecordType,
    TupleType,
    Type,
    flatten,
)
from generator.wasm.opcodes import (
    BR,
    BR_IF,
    GLOBAL_GET,
    GLOBAL_SET,
    I32_ADD,
    I32_EQZ,
    I32_LT_U,
    I32_SUB,
    RETURN,
    ValueType,
)


@dataclass(frozen=True, slots=True)
class Operations:
    """Push an integer at a width, a bool, address and length, a record's address;
    write a block of statements."""

    integer: Callable[[Lowering, Expr, int], None]
    boolean: Callable[[Lowering, Expr], None]
    pair: Callable[[Lowering, Expr], None]
    record: Callable[[Lowering, Expr], int]
    call: Callable[[Lowering, Expr], None]
    block: Callable[[Lowering, Sequence[Stmt]], None]


@dataclass(slots=True)
class Loop:
    """Labels of an enclosing loop."""

    leave: int
    again: int


@dataclass(slots=True)
class Lowering:
    """One function on its way to Wasm."""

    code: Code
    linker: Linker
    operations: Operations
    result: Type
    places: dict[Local, tuple[int, ...]] = field(default_factory=dict)
    exits: dict[Exit, tuple[int, Type]] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    facts: frozenset[Fact] = frozenset()
    faults: dict[Fault, int] = field(default_factory=dict)
    unwind_label: int = 0

    def place(self, local: Local) -> tuple[int, ...]:
        """Return the Wasm locals of a local, taken at its first mention."""
        place = self.places.get(local)
        if place is None:
            place = tuple(self.code.new_local(t) for t in flatten(local.type))
            self.places[local] = place
        return place

    @contextmanager
    def frame(self) -> Iterator[None]:
        """Forget at the end the locals that were first mentioned inside."""
        before = len(self.places)
        with self.code.scope():
            yield
        for local in list(self.places)[before:]:
            del self.places[local]

    @contextmanager
    def knowing(self, facts: frozenset[Fact]) -> Iterator[None]:
        """Leave out checks that these facts make needless, in what is written inside.

        The caller has made sure that the facts hold throughout (bounds.lasting).
        """
        before = self.facts
        if self.linker.makes(Pass.FACT_BOUNDS):
            self.facts = before | facts
        yield
        self.facts = before

    def push(self, expr: Expr, type_: Type | None = None) -> None:
        """Push a value as `type_` (its own, if none is given) is carried."""
        wanted = expr.type if type_ is None else type_
        operations = self.operations
        if isinstance(wanted, IntType):
            operations.integer(self, expr, 64 if wanted.size_bytes == 8 else 32)
        elif wanted == BOOL:
            operations.boolean(self, expr)
        elif isinstance(wanted, RecordType):
            self.add_offset(operations.record(self, expr))
        else:
            operations.pair(self, expr)

    def push_results(self, values: Sequence[Expr], type_: Type) -> None:
        """Push what a function or an inlined body of result `type_` returns."""
        if len(values) == 1 and isinstance(values[0].type, TupleType):
            self.operations.call(self, values[0])
            return
        types = type_.items if isinstance(type_, TupleType) else (type_,)
        for value, item in zip(values, types, strict=False):
            self.push(value, item)

    def add_offset(self, offset: int) -> None:
        """Add a static offset to the address on the stack."""
        if offset:
            self.code.const(offset)
            self.code.emit(I32_ADD)

    def store(self, local: Local) -> None:
        """Take the value of a local from the stack."""
        for index in reversed(self.place(local)):
            self.code.set(index)

    # --- faults ----------------------------------------------------------------------

    def fault_if(self, fault: Fault) -> None:
        """Fault if the number on the stack is not 0."""
        self.code.emit(BR_IF, self.fault_label(fault))

    def fault_now(self, fault: Fault) -> None:
        self.code.emit(BR, self.fault_label(fault))

    def fault_label(self, fault: Fault) -> int:
        if fault not in self.faults:
            self.faults[fault] = self.code.new_label()
        return self.faults[fault]

    def unwind_if_fault(self) -> None:
        """After a call that can fault: leave this function too."""
        if not self.unwind_label:
            self.unwind_label = self.code.new_label()
        self.code.emit(GLOBAL_GET, FAULT_GLOBAL)
        self.code.emit(BR_IF, self.unwind_label)

    def charge_steps(self, count: int) -> None:
        """Take steps from the budget; fault if they are used up."""
        code = self.code
        code.emit(GLOBAL_GET, STEPS_GLOBAL)
        if count == 1:
            code.emit(I32_EQZ)
        else:
            code.const(count)
            code.emit(I32_LT_U)
        self.fault_if(Fault.STEPS)
        code.emit(GLOBAL_GET, STEPS_GLOBAL)
        code.const(count)
        code.emit(I32_SUB)
        code.emit(GLOBAL_SET, STEPS_GLOBAL)

    @property
    def can_fault(self) -> bool:
        return bool(self.faults) or bool(self.unwind_label)

    def close(self, answer: Callable[[], None] | None = None) -> None:
        """Write the cold end of the function, where faults go.

        block $unwind  block $bounds  ...body...  return  end
          fault = 2
        end  zeros

        `answer` pushes other results than zeros: those of a function without a caller
        that sees the fault.
        """
        code = self.code
        if not self.can_fault:
            return
        if not code.is_left:
            code.emit(RETURN)
        if answer is None and self.linker.makes(Pass.TAIL_CALLS):
            code.instructions = without_tail_tests(code.instructions)
        if not self.faults and not code.has_branch(self.unwind_label):
            return
        unwind = self.unwind_label or code.new_label()
        last = next(reversed(self.faults), None)
        for fault, label in self.faults.items():
            code.wrap(label)
            code.const(fault)
            code.emit(GLOBAL_SET, FAULT_GLOBAL)
            if fault is not last:
                code.emit(BR, unwind)
        code.wrap(unwind)
        if answer is not None:
            answer()
            return
        for type_ in flatten(self.result):
            code.const(0, 32 if type_ is ValueType.I32 else 64)
