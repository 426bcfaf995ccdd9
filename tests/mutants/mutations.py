"""Small changes to the rules of a module, by cosmic-ray's operators: comparisons, boundaries, arithmetic, logic.

Only what stands inside of functions: a mutant is made by giving the functions of a running process other code, so
that nothing has to be imported anew.
"""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators import (
    binary_operator_replacement,
    boolean_replacer,
    comparison_operator_replacement,
    number_replacer,
    unary_operator_replacement,
)
from cosmic_ray.operators.operator import Operator

_COMPARISONS = ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")
_ARITHMETIC = (
    "Add_Sub",
    "Sub_Add",
    "Mul_FloorDiv",
    "Div_Mul",
    "FloorDiv_Mul",
    "Mod_Mul",
    "BitAnd_BitOr",
    "BitOr_BitAnd",
)


class Number(number_replacer.NumberReplacer):
    """Where its parent puts a space, here stays whatever stood before the number: a new line, too."""

    def mutate(self, node: Any, index: int) -> Any:
        mutated = super().mutate(node, index)
        mutated.prefix, mutated.value = node.prefix, mutated.value.strip()
        return mutated


OPERATORS: Sequence[Operator] = (
    *(
        getattr(comparison_operator_replacement, f"ReplaceComparisonOperator_{pair}")()
        for pair in _COMPARISONS
    ),
    *(getattr(binary_operator_replacement, f"ReplaceBinaryOperator_{pair}")() for pair in _ARITHMETIC),
    unary_operator_replacement.ReplaceUnaryOperator_Delete_Not(),
    unary_operator_replacement.ReplaceUnaryOperator_USub_UAdd(),
    boolean_replacer.ReplaceAndWithOr(),
    boolean_replacer.ReplaceOrWithAnd(),
    boolean_replacer.AddNot(),
    Number(),
)


@dataclass(frozen=True)
class Mutation:
    path: Path
    operator: Operator
    occurrence: int
    place: str
    """The line that it changes, and where in it: the same wherever in the file that stands."""

    @property
    def rank(self) -> bytes:
        """By which samples are drawn: no change of other lines draws others."""
        return sha256(f"{self.path.name} {type(self.operator).__name__} {self.place}".encode()).digest()

    def name(self, root: Path) -> str:
        """Such as `catalogue/pricing/cost.py: if a < b: -> if a <= b:`, the same wherever in the file that stands."""
        lines = zip(self.path.read_text("utf-8").splitlines(), self._source().splitlines(), strict=True)
        [(old, new)] = [pair for pair in lines if len(set(pair)) == 2]
        return f"{self.path.relative_to(root)}: {old.strip()} -> {new.strip()}"

    def apply(self) -> bool:
        """To the functions of this process. False where it changes none of them."""
        before, after = (
            compile(source, str(self.path), "exec")
            for source in (self.path.read_text("utf-8"), self._source())
        )
        changed = {
            _place(old): new
            for old, new in zip(_codes(before), _codes(after), strict=True)
            if old != new and old.co_name != "<module>"
        }
        functions = [each for each in functions_of(self.path) if _place(each.__code__) in changed]
        for function in functions:
            function.__code__ = changed[_place(function.__code__)]
        return bool(functions)

    def _source(self) -> str:
        mutated = mutate_code(self.path.read_text("utf-8"), self.operator, self.occurrence)
        assert mutated is not None
        return mutated


def mutations_of(path: Path) -> Iterator[Mutation]:
    source = path.read_text("utf-8")
    lines, nodes = source.splitlines(), list(ast_nodes(get_ast(source)))
    for operator in OPERATORS:
        starts = [start for node in nodes for start, _ in operator.mutation_positions(node)]
        for occurrence, (line, column) in enumerate(starts):
            yield Mutation(path, operator, occurrence, f"{lines[line - 1]}:{column}")


@cache
def functions_of(path: Path) -> Sequence[FunctionType]:
    """All that this process has of it, methods and inner ones too."""
    found = (each for each in gc.get_objects() if isinstance(each, FunctionType))
    return [each for each in found if each.__code__.co_filename == str(path)]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno
