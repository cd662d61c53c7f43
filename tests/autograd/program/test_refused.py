"""What cannot be translated is refused where it is decorated: the words, the line and what to write instead."""

import linecache
import math
import re

import numpy as np
import pytest

import autograd as ag
from autograd.errors import UnsupportedError

ARRAY = np.ones(3)


class Counter:
    total = 0.0


COUNTER = Counter()


def loop_while(x):
    while x > 1:  # here
        x = x / 2
    return x


def loop_over_data(x):
    total = 0.0
    for v in x:  # here
        total += v
    return total


def data_dependent_range(x, n):
    for _ in range(n):  # here
        x = x * 2
    return x


def endless_range(x):
    for _ in range(10**7):  # here
        x = x * 2
    return x


def nested_ranges(x):
    for _ in range(1000):
        for _ in range(1000):
            x = x * 2  # here
    return x


def catching(x):
    try:  # here
        return 1 / x
    except ZeroDivisionError:
        return 0.0


def raising(x):
    if x < 0:
        raise ValueError("negative")  # here
    return x


def asserting(x):
    assert x > 0  # here
    return x


def indexing(x):
    return x[0]  # here


def indexing_by_data(x):
    return (1.0, 2.0)[x]  # here


def changing_an_attribute(x):
    COUNTER.total = x  # here
    return x


def changing_an_element(x):
    parts = [x, x]
    parts[0] = 1.0  # here
    return parts[1]


def reading_an_attribute(x):
    return x.real  # here


def calling_a_method(x):
    return x.sum()  # here


def making_a_string(x):
    print(f"{x}")  # here
    return x


def printing(x):
    print(x)  # here
    return x


def adding_a_string(x):
    return x + "1"  # here


def calling_fmod(x):
    return math.fmod(x, 2.0)  # here


def calling_a_reduction(x):
    return x + ag.sum(x)  # here


def calling_numpy(x):
    return np.linalg.norm(x)  # here


def reading_an_array(x):
    return x * ARRAY  # here


def reading_nothing(x):
    return x * unknown_number  # noqa: F821  # here


def complex_constant(x):
    return x * 1j  # here


def complex_power(x):
    return x * (-8.0) ** 0.5  # here


def division_of_constants(x):
    return x + 1 / 0  # here


def list_comprehension(x):
    return sum([x * k for k in range(3)])  # here


def inner_function(x):
    def double(t):  # here
        return 2 * t

    return double(x)


def inner_lambda(x):
    double = lambda t: 2 * t  # noqa: E731  # here
    return double(x)


def walrus(x):
    return (y := x + 1) * y  # here


def one_side(x):
    if x > 0:
        y = x
    return y  # here


def unlike_sides(x):
    y = (x, 1.0) if x > 0 else x  # here
    return y


def unlike_variables(x):
    y = 1.0
    if x > 0:
        y = None
    return y + x  # here


def no_result(x):  # here
    if x > 0:
        return x


def empty_result(x):
    return  # here


def two_results(x):  # here
    return x, x + 1


def unlike_results(x):  # here
    if x > 0:
        return (x, x)
    else:
        return (x, None)


def unlike_returns(x):
    if x > 0:
        return (x, x)
    return x  # here


def unpacking(x):
    a, b, c = x, x  # here
    return a + b + c


def unpacked_arguments(x):
    return max(*[x, 1.0])  # here


def wrong_arguments(x):
    return one_side(x, x)  # here


def endless_recursion(x):
    return endless_recursion(x - 1) if x > 0 else 0.0  # here


def bits(x):
    return x & 1  # here


def inverted(x):
    return x if ~x else 0.0  # here


def membership(x):
    return 1.0 if x in (1.0, 2.0) else 0.0  # here


def importing(x):
    import math as m  # here

    return m.exp(x)


def globally(x):
    global ARRAY  # here
    return x


def with_block(x):
    with ag.no_grad():  # here
        return x


def matching(x):
    match x:  # here
        case 0:
            return 1.0
    return x


def inside_a_helper(x):
    return 2 * loop_while_helper(x)


def loop_while_helper(x):
    while x > 2:  # helper
        x = x - 1
    return x


FUNCTIONS_ONLY = "Write arithmetic, functions of math, or a plain Python function of numbers."
A_LOOP = "Write `for k in range(n):` with a constant n, and an `if` inside."
REFUSED = [
    (loop_while, "a `while` loop runs as often as the data say", A_LOOP),
    (loop_over_data, "it loops over what is no range or tuple", A_LOOP),
    (data_dependent_range, "how often a loop runs depends on data", "Write range(n) with a constant n"),
    (endless_range, "a loop runs 10000000 times", "Expected at most 10000"),
    (nested_ranges, "it takes more than 10000 steps", "Write fewer turns"),
    (catching, "a `try` catches nothing here", "Write an `if` that tells the cases apart."),
    (raising, "an error is raised for data", "Return math.nan from that branch."),
    (asserting, "an `assert` looks at data", "return math.nan where it fails"),
    (indexing, "an element is taken of what is no tuple", "Pass each number as an argument of its own."),
    (indexing_by_data, "an index depends on data", "Pass each number as an argument of its own."),
    (changing_an_attribute, "an attribute is changed", "Assign to a local variable, and return it."),
    (changing_an_element, "an element is changed", "Write a variable for each number."),
    (reading_an_attribute, ".real of a number is read", FUNCTIONS_ONLY),
    (calling_a_method, ".sum of a number is read", FUNCTIONS_ONLY),
    (making_a_string, "a string is made", "Write numbers only."),
    (printing, "print has no form on symbols", FUNCTIONS_ONLY),
    (adding_a_string, "an operator is applied to what is no number", "Write numbers only."),
    (calling_fmod, "fmod has no form on symbols", FUNCTIONS_ONLY),
    (calling_a_reduction, "sum has no form on symbols", FUNCTIONS_ONLY),
    (calling_numpy, "norm has no form on symbols", FUNCTIONS_ONLY),
    (reading_an_array, "an array is read from outside the function", "Make it one of the positional arguments."),
    (reading_nothing, "unknown_number is not defined", "Define unknown_number above the function."),
    (complex_constant, "a value is complex", "Expected real numbers."),
    (complex_power, "a value is complex", "Expected real numbers."),
    (division_of_constants, "ZeroDivisionError: division by zero", "All operands are constants"),
    (list_comprehension, "a list is made", "Write a `for` loop over range(n)"),
    (inner_function, "a function is made inside", "Write it outside, as a function of its own."),
    (inner_lambda, "a function is made inside", "Write it outside, as a function of its own."),
    (walrus, "a value is assigned inside an expression", "Write the assignment on a line of its own."),
    (one_side, "y has a value on one side of an `if` only", "Give y a value before the `if`."),
    (unlike_sides, "the two sides of an `if` are not both numbers", "Write a number"),
    (unlike_variables, "y is not a number, and differs between the two sides", "Give y a value before the `if`."),
    (no_result, "some way through it returns nothing", "End it with `return` and a number."),
    (empty_result, "nothing is returned", "Return a number."),
    (two_results, "a tuple is returned", "two numbers are two functions"),
    (unlike_results, "its returns give numbers here and other things there", "Return one number everywhere."),
    (unlike_returns, "the two sides of an `if` are not both numbers", "Write a number"),
    (unpacking, "3 names are given something else", "Write as many numbers."),
    (unpacked_arguments, "arguments are unpacked", "Write each argument."),
    (wrong_arguments, "one_side: too many positional arguments", "Write the arguments that it takes."),
    (endless_recursion, "it calls itself 40 times over", A_LOOP),
    (bits, "an operator on bits or matrices is applied to numbers", "Write `and` and `or` for conditions."),
    (inverted, "~ is applied to a number", "Write `not` for conditions."),
    (membership, "data is compared with what is no number", "Write ==, !=, <, <=, > or >=."),
    (importing, "a module is imported inside", "Import it at the top of the file."),
    (globally, "a global variable is assigned to", "Return the number."),
    (with_block, "a `with` block has no form on symbols", "Write arithmetic only."),
    (matching, "a `match` looks at data", "Write `if`, `elif` and `else`."),
]


def line_of(f, mark="# here"):
    """The number and the text of the line of f that is marked."""
    first = f.__code__.co_firstlineno
    for k, line in enumerate(linecache.getlines(__file__)[first - 1 :], first):
        if mark in line:
            return k, line.strip()
    raise AssertionError(f.__name__)


@pytest.mark.parametrize(("f", "what", "instead"), REFUSED, ids=[f.__name__ for f, *_ in REFUSED])
def test_it_is_refused_with_its_line_and_what_to_write(f, what, instead):
    with pytest.raises(UnsupportedError) as caught:
        ag.elementwise(f)
    number, text = line_of(f)
    first, second, third = str(caught.value).split("\n")
    assert first.startswith(f"{f.__name__}: {what}")
    assert second == f"{__file__}:{number}: {text}"
    assert instead in third


def test_the_line_is_that_of_the_helper():
    number, text = line_of(loop_while_helper, "# helper")
    with pytest.raises(UnsupportedError, match=re.escape(f"{__file__}:{number}: {text}")):
        ag.elementwise(inside_a_helper)


def test_a_branch_that_is_known_not_to_be_taken_is_not_looked_at():
    def scaled(x, *, strict=False):
        if strict:
            raise ValueError
        return 2 * x

    op = ag.elementwise(scaled)
    assert op(3.0) == 6.0
    with pytest.raises(UnsupportedError, match="an error is raised for data"):
        op(3.0, strict=True)


def test_without_defaults_of_its_settings_the_first_call_translates():
    def repeated(x, *, times):
        for _ in range(times):
            x = x * 2
        return x

    op = ag.elementwise(repeated)
    assert op(1.0, times=3) == 8
    with pytest.raises(UnsupportedError, match="'float' object cannot be interpreted as an integer"):
        op(1.0, times=3.0)
