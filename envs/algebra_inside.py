"""The other end of `envs/algebra.py`, a process of its own: reads an expression a line, writes its result a line.

An expression is parsed to a syntax tree, and only what stands in `_build` has a meaning: numbers, one-letter names,
arithmetic, and the functions of `FUNCTIONS`. No text is ever handed to SymPy's own parser, which is `eval`. Numbers and
exponents are bounded before SymPy sees them; a limit on processor time and one on memory do the rest.
"""

import ast
import json
import re
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

MAX_LENGTH = 200  # characters
MAX_EXPONENT = 100  # of a number; of anything else, `MAX_DEGREE`
MAX_DEGREE = 20
MAX_DIGITS = 40
MEMORY_BYTES = 1 << 30
EQUALS = re.compile(r"(?<![<>=!])=(?!=)")


class AlgebraError(Exception):
    """Why there is no result, for the policy to read."""


class TooSlowError(BaseException):
    """Not an Exception, which SymPy may catch to try something else."""


def main(cpu_seconds: float) -> None:
    import sympy  # noqa: F401  (a second, before the first expression's time begins)

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _too_slow)
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), cpu_seconds)), flush=True)


def _too_slow(*_: object) -> None:
    raise TooSlowError


def _answer(text: str, cpu_seconds: float) -> tuple[bool, str]:
    """Whether there is a result, and the result or why not."""
    try:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds, 0.1)  # again and again: one may be lost in a destructor
        try:
            return True, work_out(text)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except AlgebraError as error:
        return False, str(error)
    except TooSlowError:
        return False, "it takes too long"
    except (MemoryError, RecursionError):
        return False, "it is too large"
    except Exception as error:  # SymPy raises all kinds of what it cannot do
        return False, f"no result ({type(error).__name__})"


def work_out(text: str) -> str:
    """The value of an expression or of a call, such as `solve(x**2 = 4, x)`. Raises AlgebraError."""
    import sympy

    if len(text) > MAX_LENGTH or not text.isascii():
        raise AlgebraError(f"not an expression of at most {MAX_LENGTH} ASCII characters")
    try:
        tree = ast.parse(EQUALS.sub("==", text).strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise AlgebraError("that is no expression") from None
    match tree:
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            result = FUNCTIONS[name](*map(_build, arguments)) if len(arguments) == ARITY[name] else None
            if result is None:
                raise AlgebraError(f"{name} takes {ARITY[name]} argument{'s' * (ARITY[name] > 1)}")
        case _:
            result = sympy.simplify(_build(tree))
    if isinstance(result, list):
        return ", ".join(str(item) for item in sorted(result, key=sympy.default_sort_key)) or "no solution found"
    return str(result)


def _build(node: ast.expr) -> Any:
    """What SymPy works on. Raises AlgebraError."""
    import sympy

    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() as number):
            return _bounded(sympy.Integer(number))
        case ast.Constant(value=float() as number) if abs(number) < 1e15:
            return sympy.Rational(str(number))
        case ast.Name(id=name) if len(name) == 1 and name.isalpha():
            return sympy.Symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_build(operand)
        case ast.BinOp(left=left, op=operator, right=right):
            return _bounded(_arithmetic(operator, _build(left), _build(right)))
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            return sympy.Eq(_build(left), _build(right), evaluate=False)
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            return sympy.sqrt(_build(argument))
    raise AlgebraError(f"{type(node).__name__} has no meaning here")


def _arithmetic(operator: ast.operator, a: Any, b: Any) -> Any:
    if isinstance(a, bool) or isinstance(b, bool) or not (a.is_commutative and b.is_commutative):
        raise AlgebraError("an equation is no number")
    match operator:
        case ast.Div() if b.is_zero:
            raise AlgebraError("division by zero")
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            return a / b
        case ast.Pow():
            limit = MAX_EXPONENT if a.is_number else MAX_DEGREE
            if not b.is_Integer or abs(b) > limit:
                raise AlgebraError(f"an exponent is a whole number of at most {limit} here")
            if a.is_zero and b < 0:
                raise AlgebraError("division by zero")
            return a**b
    raise AlgebraError(f"{type(operator).__name__} has no meaning here")


def _bounded(value: Any) -> Any:
    if value.is_Rational and max(abs(value.p), value.q) >= 10**MAX_DIGITS:
        raise AlgebraError(f"a number has more than {MAX_DIGITS} digits")
    return value


def _solve(equation: Any, symbol: Any) -> Any:
    """Roots of an equation, or of an expression; all of them, or a list that is empty where SymPy knows of none."""
    import sympy

    difference = equation.lhs - equation.rhs if isinstance(equation, sympy.Eq) else equation
    if sympy.simplify(difference).is_zero:
        raise AlgebraError("it holds for every value")
    return sympy.solve(difference, _symbol(symbol))


def _diff(expression: Any, symbol: Any) -> Any:
    import sympy

    return sympy.diff(expression, _symbol(symbol))


def _symbol(value: Any) -> Any:
    if not getattr(value, "is_Symbol", False):
        raise AlgebraError(f"{value} is no name such as x")
    return value


def _by_name(name: str) -> Callable[[Any], Any]:
    def run(expression: Any) -> Any:
        import sympy

        return getattr(sympy, name)(expression)

    return run


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "solve": _solve,
    "diff": _diff,
    "simplify": _by_name("simplify"),
    "expand": _by_name("expand"),
    "factor": _by_name("factor"),
}
ARITY = {"solve": 2, "diff": 2, "simplify": 1, "expand": 1, "factor": 1}

if __name__ == "__main__":
    main(float(sys.argv[1]))
