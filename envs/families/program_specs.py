"""The functions that the program family asks for."""

import re
from dataclasses import dataclass

_MARK = re.compile("«(.*?)[|](.*?)»")


@dataclass(frozen=True, slots=True)
class Spec:
    """One function.

    Attributes:
        request: what it returns, to follow "a function that returns".
        template: the program, with one place marked «right|wrong»: what is right there, and a likely mistake.
        tests: calls and the values due, worked by hand; the first ones are shown as examples. The mistake fails one.
    """

    request: str
    template: str
    tests: tuple[str, ...]

    @property
    def right(self) -> str:
        [(right, _)] = _MARK.findall(self.template)
        return str(right)

    @property
    def program(self) -> str:
        return _MARK.sub(r"\1", self.template)

    @property
    def mistaken(self) -> str:
        return _MARK.sub(r"\2", self.template)

    @property
    def signature(self) -> str:
        """Such as "double(n)"."""
        return self.program.partition(":")[0].removeprefix("def ")

    @property
    def expression(self) -> str | None:
        """What the function returns, where it does nothing else."""
        head, returns, value = self.program.partition("\n    return ")
        return value if returns and "\n" not in head + value else None

    def frame(self, gap: str) -> str:
        """The program with the gap at the marked place."""
        return _MARK.sub(lambda mark: gap, self.template)


EASY: tuple[Spec, ...] = (
    Spec(
        "twice the number n",
        "def double(n):\n    return n * «2|n»",
        ("double(3) == 6", "double(0) == 0", "double(-4) == -8"),
    ),
    Spec(
        "the square of n",
        "def square(n):\n    return n «*|+» n",
        ("square(3) == 9", "square(0) == 0", "square(-5) == 25"),
    ),
    Spec(
        "n with its sign turned around",
        "def negate(n):\n    return «-n|n - 1»",
        ("negate(3) == -3", "negate(0) == 0", "negate(-7) == 7"),
    ),
    Spec(
        "True if n is even, else False",
        "def is_even(n):\n    return n % 2 == «0|1»",
        ("is_even(4) == True", "is_even(7) == False", "is_even(0) == True"),
    ),
    Spec(
        "the larger of a and b",
        "def larger(a, b):\n    return a if a «>|<» b else b",
        ("larger(3, 8) == 8", "larger(9, 2) == 9", "larger(-1, -5) == -1"),
    ),
    Spec(
        "the distance between a and b",
        "def distance(a, b):\n    return «abs(a - b)|a - b»",
        ("distance(3, 8) == 5", "distance(8, 3) == 5", "distance(0, 0) == 0"),
    ),
    Spec(
        "the last digit of the whole number n, which is not negative",
        "def last_digit(n):\n    return n % «10|2»",
        ("last_digit(128) == 8", "last_digit(0) == 0", "last_digit(77) == 7"),
    ),
    Spec(
        "the whole minutes in a number of seconds",
        "def minutes(seconds):\n    return seconds // «60|24»",
        ("minutes(150) == 2", "minutes(59) == 0", "minutes(0) == 0"),
    ),
    Spec(
        "the mean of a and b",
        "def mean(a, b):\n    return «(a + b)|a + b» / 2",
        ("mean(3, 6) == 4.5", "mean(0, 0) == 0.0", "mean(-2, 4) == 1.0"),
    ),
    Spec(
        "the text in capital letters",
        "def shout(text):\n    return text.«upper|lower»()",
        ('shout("hey") == "HEY"', 'shout("") == ""', 'shout("Oh No") == "OH NO"'),
    ),
    Spec(
        "the number of characters in the text",
        "def length(text):\n    return «len|str»(text)",
        ('length("abc") == 3', 'length("") == 0', 'length("a b") == 3'),
    ),
    Spec(
        "the first character of the text, which is not empty",
        "def first(text):\n    return text[«0|1»]",
        ('first("rome") == "r"', 'first("xyz") == "x"', 'first("7 ") == "7"'),
    ),
    Spec(
        "the text said twice in a row",
        "def twice(text):\n    return text «* 2|+ 2»",
        ('twice("ab") == "abab"', 'twice("") == ""', 'twice("x ") == "x x "'),
    ),
    Spec(
        "the text backwards",
        "def backwards(text):\n    return text[«::-1|::1»]",
        ('backwards("abc") == "cba"', 'backwards("") == ""', 'backwards("ab ba!") == "!ab ba"'),
    ),
    Spec(
        "the sum of the numbers in the list",
        "def total(numbers):\n    return «sum|max»(numbers)",
        ("total([1, 2, 3]) == 6", "total([]) == 0", "total([-5, 5, 9]) == 9"),
    ),
    Spec(
        "the smallest number of the list, which is not empty",
        "def smallest(numbers):\n    return «min|max»(numbers)",
        ("smallest([4, 2, 9]) == 2", "smallest([7]) == 7", "smallest([0, -3]) == -3"),
    ),
    Spec(
        "the last item of the list, which is not empty",
        "def last(items):\n    return items[«-1|1»]",
        ("last([4, 2, 9]) == 9", "last([7]) == 7", 'last(["a", "b"]) == "b"'),
    ),
    Spec(
        "the list in ascending order",
        "def ascending(numbers):\n    return sorted(numbers«|, reverse=True»)",
        ("ascending([3, 1, 2]) == [1, 2, 3]", "ascending([]) == []", "ascending([5, 5, -1]) == [-1, 5, 5]"),
    ),
    Spec(
        "True if the item is in the list, else False",
        "def has(items, item):\n    return item «in|not in» items",
        ("has([1, 2], 2) == True", "has([], 2) == False", 'has(["a"], "b") == False'),
    ),
    Spec(
        "True if the text is empty, else False",
        'def is_empty(text):\n    return text «==|!=» ""',
        ('is_empty("") == True', 'is_empty("a") == False', 'is_empty(" ") == False'),
    ),
)

HARDER: tuple[Spec, ...] = (
    Spec(
        "the product of the whole numbers from 1 to n, which is 1 for n = 0",
        "def factorial(n):\n    result = 1\n    for i in range(1, «n + 1|n»):\n        result *= i\n    return result",
        ("factorial(5) == 120", "factorial(0) == 1", "factorial(1) == 1", "factorial(7) == 5040"),
    ),
    Spec(
        "the sum of the whole numbers from 1 to n",
        "def sum_to(n):\n    total = 0\n    for i in range(«n + 1|n»):\n        total += i\n    return total",
        ("sum_to(4) == 10", "sum_to(0) == 0", "sum_to(100) == 5050"),
    ),
    Spec(
        "the n-th Fibonacci number, where the first two, n = 0 and n = 1, are 0 and 1",
        "def fibonacci(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, «a + b|a * b»\n    return a",
        ("fibonacci(7) == 13", "fibonacci(0) == 0", "fibonacci(1) == 1", "fibonacci(30) == 832040"),
    ),
    Spec(
        "the greatest common divisor of a and b, both above 0",
        "def divisor(a, b):\n    while b:\n        a, b = b, a «%|//» b\n    return a",
        ("divisor(12, 18) == 6", "divisor(5, 7) == 1", "divisor(9, 9) == 9"),
    ),
    Spec(
        "True if n, at least 2, is a prime number, else False",
        "def is_prime(n):\n    for d in range(«2|1», n):\n        if n % d == 0:\n"
        "            return False\n    return True",
        ("is_prime(7) == True", "is_prime(9) == False", "is_prime(2) == True", "is_prime(91) == False"),
    ),
    Spec(
        "the sum of the digits of the whole number n, which is not negative",
        "def digit_sum(n):\n    return sum(«int(d)|1» for d in str(n))",
        ("digit_sum(128) == 11", "digit_sum(0) == 0", "digit_sum(999) == 27"),
    ),
    Spec(
        "the number of vowels (a, e, i, o, u) in the text, which is in small letters",
        'def vowels(text):\n    return sum(letter in "«aeiou|aeio»" for letter in text)',
        ('vowels("banana") == 3', 'vowels("") == 0', 'vowels("sequoia") == 5'),
    ),
    Spec(
        "True if the text reads the same backwards, else False",
        "def is_palindrome(text):\n    return text «==|!=» text[::-1]",
        ('is_palindrome("level") == True', 'is_palindrome("ab") == False', 'is_palindrome("") == True'),
    ),
    Spec(
        "the number of words in the text, which are separated by spaces",
        "def count_words(text):\n    return len(text«.split()|»)",
        ('count_words("to be or not") == 4', 'count_words("") == 0', 'count_words("  a  b ") == 2'),
    ),
    Spec(
        "the longest word of the list, the first one among equals",
        "def longest(words):\n    return max(words, key=«len|min»)",
        (
            'longest(["a", "ccc", "bb"]) == "ccc"',
            'longest(["b", "a"]) == "b"',
            'longest(["it", "was", "her"]) == "was"',
        ),
    ),
    Spec(
        "how often each character occurs in the text, as a dictionary",
        "def count(text):\n    counts = {}\n    for c in text:\n        counts[c] = counts.get(c, «0|1») + 1\n"
        "    return counts",
        ('count("aba") == {"a": 2, "b": 1}', 'count("") == {}', 'count("zz") == {"z": 2}'),
    ),
    Spec(
        "the list without repetitions, in the order of the first occurrences",
        "def unique(items):\n    return list(«dict.fromkeys|»(items))",
        ("unique([2, 1, 2, 3, 1]) == [2, 1, 3]", "unique([]) == []", 'unique(["a", "a"]) == ["a"]'),
    ),
    Spec(
        "the even numbers of the list, in order",
        "def evens(numbers):\n    return [n for n in numbers if «n % 2 == 0|n % 2»]",
        ("evens([1, 2, 3, 4]) == [2, 4]", "evens([]) == []", "evens([0, -2, 5]) == [0, -2]"),
    ),
    Spec(
        "the squares of the numbers of the list, in order",
        "def squares(numbers):\n    return [«n * n|n + n» for n in numbers]",
        ("squares([1, 2, 3]) == [1, 4, 9]", "squares([]) == []", "squares([-4]) == [16]"),
    ),
    Spec(
        "the second largest of the different numbers of the list, which holds at least two",
        "def second(numbers):\n    return sorted(«set(numbers)|numbers»)[-2]",
        ("second([4, 9, 2]) == 4", "second([5, 5, 1]) == 1", "second([-1, -2]) == -2"),
    ),
    Spec(
        "the sums of the numbers up to each place of the list",
        "def running(numbers):\n    sums, total = [], 0\n    for n in numbers:\n        total «+=|=» n\n"
        "        sums.append(total)\n    return sums",
        ("running([1, 2, 3]) == [1, 3, 6]", "running([]) == []", "running([5, -5, 2]) == [5, 0, 2]"),
    ),
    Spec(
        "the list of lists as one flat list",
        "def flat(lists):\n    return [item for items in lists for item in «items|lists»]",
        ("flat([[1, 2], [3]]) == [1, 2, 3]", "flat([]) == []", 'flat([[], ["a"], []]) == ["a"]'),
    ),
    Spec(
        "the product of all numbers of the list, which is 1 for an empty list",
        "def product(numbers):\n    result = «1|0»\n    for n in numbers:\n        result *= n\n    return result",
        ("product([2, 3, 4]) == 24", "product([]) == 1", "product([5, 0]) == 0"),
    ),
    Spec(
        "the two lists added place by place, as long as the shorter one",
        "def add(a, b):\n    return [x «+|*» y for x, y in zip(a, b)]",
        ("add([1, 2], [3, 4]) == [4, 6]", "add([], [1]) == []", "add([5], [5, 9]) == [10]"),
    ),
    Spec(
        "the dictionary with keys and values exchanged",
        "def invert(pairs):\n    return {«value: key|key: value» for key, value in pairs.items()}",
        ('invert({"a": 1, "b": 2}) == {1: "a", 2: "b"}', "invert({}) == {}", 'invert({3: "x"}) == {"x": 3}'),
    ),
    Spec(
        'the number n with "Fizz" if 3 divides it, "Buzz" if 5 does, "FizzBuzz" if both do, and else n as a text',
        'def fizz(n):\n    word = "Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == «0|1»)\n    return word or str(n)',
        ('fizz(9) == "Fizz"', 'fizz(10) == "Buzz"', 'fizz(15) == "FizzBuzz"', 'fizz(7) == "7"'),
    ),
    Spec(
        "n in binary digits, as a text without a prefix",
        "def binary(n):\n    return «bin(n)[2:]|bin(n)»",
        ('binary(5) == "101"', 'binary(0) == "0"', 'binary(16) == "10000"'),
    ),
)
