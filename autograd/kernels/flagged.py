"""A builder of LLVM's code whose floating operations carry the fast-math flags of a kernel."""

from __future__ import annotations

from typing import Any

from llvmlite import ir


class Flagged(ir.IRBuilder):  # type: ignore[misc]  # llvmlite has no types
    """A builder whose floating operations carry the fast-math flags of a kernel."""

    fast: tuple[str, ...] = ()

    def fadd(self, lhs: Any, rhs: Any, name: str = "", flags: Any = ()) -> Any:
        """A sum."""
        return super().fadd(lhs, rhs, name, flags or self.fast)

    def fsub(self, lhs: Any, rhs: Any, name: str = "", flags: Any = ()) -> Any:
        """A difference."""
        return super().fsub(lhs, rhs, name, flags or self.fast)

    def fmul(self, lhs: Any, rhs: Any, name: str = "", flags: Any = ()) -> Any:
        """A product."""
        return super().fmul(lhs, rhs, name, flags or self.fast)

    def fdiv(self, lhs: Any, rhs: Any, name: str = "", flags: Any = ()) -> Any:
        """A quotient."""
        return super().fdiv(lhs, rhs, name, flags or self.fast)

    def fneg(self, arg: Any, name: str = "", flags: Any = ()) -> Any:
        """The negative."""
        return super().fneg(arg, name, flags or self.fast)

    def call(self, fn: Any, args: Any, name: str = "", **options: Any) -> Any:
        """A call."""
        result = fn.function_type.return_type if hasattr(fn, "function_type") else fn.type.pointee.return_type
        number = result.element if isinstance(result, ir.VectorType) else result
        if isinstance(number, (ir.FloatType, ir.DoubleType)):
            options.setdefault("fastmath", self.fast)
        return super().call(fn, args, name, **options)
