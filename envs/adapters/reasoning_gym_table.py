"""The data sets of reasoning-gym 0.1.25 that serve as scenarios, and those that are left out. Data only.

It stands here so that listing the scenarios does not import the library, which takes seconds. A test holds it against
the library.
"""

from dataclasses import dataclass
from typing import Literal

UNBOUNDED = 2**31  # items: the library's seeds are 32 bits wide


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set, and what of it is used.

    Attributes:
        levels: the levels of its own curriculum that are our levels 0, 1, ... Left out are those that it refuses itself
            and those that take half a second an item; (0,) where it has no curriculum.
        reads: what an answer may hold. Some scorers run it as Python code, so they see none but a "formula" or plain
            "words", in which there is nothing to run.
        num_items: how many items one level has.
        example: name of the item's metadata that holds a right answer, where it names none itself.
    """

    name: str
    domain: str
    levels: tuple[int, ...]
    reads: Literal["text", "formula", "words"] = "text"
    num_items: int = UNBOUNDED
    example: str = ""


DATA_SETS: tuple[DataSet, ...] = (
    DataSet("advanced_geometry", "math", (0, 1, 2, 3)),
    DataSet("basic_arithmetic", "math", (0, 1, 2, 3, 4)),
    DataSet("bitwise_arithmetic", "math", (0, 1, 2, 3, 4)),
    DataSet("calendar_arithmetic", "math", (0, 1, 2, 3)),
    DataSet("chain_sum", "math", (0, 1, 2, 3, 4)),
    DataSet("count_bits", "math", (0, 1, 2, 3, 4)),
    DataSet("decimal_arithmetic", "math", (0, 1, 2, 3)),
    DataSet("decimal_chain_sum", "math", (0, 1, 2, 3, 4)),
    DataSet("dice", "math", (0, 1, 2, 3)),
    DataSet("fraction_simplification", "math", (0, 1, 2, 3)),
    DataSet("gcd", "math", (0, 1, 2, 3)),
    DataSet("gsm_symbolic", "math", (0,), num_items=500),
    DataSet("lcm", "math", (0, 1, 2, 3)),
    DataSet("leg_counting", "math", (0, 1, 2, 3, 4)),
    DataSet("number_format", "math", (0, 1, 2, 3)),
    DataSet("polynomial_equations", "math", (0, 1, 2, 3)),
    DataSet("power_function", "math", (0, 1, 2, 3, 4)),
    DataSet("prime_factorization", "math", (0, 1, 2, 3)),
    DataSet("products", "math", (0, 1, 2, 3, 4)),
    DataSet("simple_equations", "math", (0, 1, 2, 3)),
    DataSet("simple_geometry", "math", (0, 1, 2, 3)),
    DataSet("simple_integration", "math", (0, 1, 2, 3), reads="formula"),
    DataSet("time_intervals", "math", (0, 1, 2, 3, 4)),
    DataSet("ab", "algorithms", (0, 1, 2, 3)),
    DataSet("base_conversion", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("binary_alternation", "algorithms", (0, 1, 2, 3)),
    DataSet("binary_matrix", "algorithms", (0, 1, 2, 3), reads="words"),
    DataSet("caesar_cipher", "algorithms", (0, 1)),
    DataSet("count_primes", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("course_schedule", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("cryptarithm", "algorithms", (0, 1, 2, 3)),
    DataSet("family_relationships", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("game_of_life", "algorithms", (0, 1, 2)),
    DataSet("graph_color", "algorithms", (0, 1, 2, 3), example="possible_answer"),
    DataSet("group_anagrams", "algorithms", (0, 1, 2, 3)),
    DataSet("jugs", "algorithms", (0,)),
    DataSet("largest_island", "algorithms", (0, 1, 2, 3)),
    DataSet("letter_counting", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("letter_jumble", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("manipulate_matrix", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("number_filtering", "algorithms", (0, 1, 2, 3)),
    DataSet("number_sorting", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("palindrome_generation", "algorithms", (0, 1, 2, 3)),
    DataSet("palindrome_partitioning", "algorithms", (0, 1, 2, 3)),
    DataSet("path_star", "algorithms", (0, 1, 2, 3)),
    DataSet("quantum_lock", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("rotate_matrix", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("rotten_oranges", "algorithms", (0, 1, 2, 3)),
    DataSet("sentence_reordering", "algorithms", (0, 1, 2, 3)),
    DataSet("shortest_path", "algorithms", (0, 1, 2, 3)),
    DataSet("spell_backward", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("spiral_matrix", "algorithms", (0, 1, 2, 3), reads="words"),
    DataSet("string_insertion", "algorithms", (0, 1, 2, 3), reads="words"),
    DataSet("string_manipulation", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("string_splitting", "algorithms", (0, 1, 2, 3)),
    DataSet("string_synthesis", "algorithms", (0, 1, 2, 3)),
    DataSet("word_sequence_reversal", "algorithms", (0, 1, 2, 3)),
    DataSet("word_sorting", "algorithms", (0, 1, 2, 3, 4)),
    DataSet("aiw", "logic", (0, 1, 2, 3, 4)),
    DataSet("circuit_logic", "logic", (0, 1, 2, 3, 4)),
    DataSet("knights_knaves", "logic", (0, 1, 2, 3)),
    DataSet("propositional_logic", "logic", (0, 1, 2, 3, 4), example="example_answer"),
    DataSet("self_reference", "logic", (0, 1, 2, 3, 4)),
    DataSet("syllogism", "logic", (0, 1, 2, 3)),
    DataSet("countdown", "games", (0, 1, 2, 3, 4), reads="formula"),
    DataSet("emoji_mystery", "games", (0, 1, 2, 3, 4)),
    DataSet("futoshiki", "games", (0, 1, 2)),
    DataSet("kakurasu", "games", (0, 1, 2, 3)),
    DataSet("mahjong_puzzle", "games", (0, 1, 2, 3)),
    DataSet("maze", "games", (0, 1, 2, 3)),
    DataSet("mini_sudoku", "games", (0, 1, 2, 3, 4)),
    DataSet("n_queens", "games", (0, 1, 2, 3), reads="words"),
    DataSet("sudoku", "games", (0, 1, 2, 3, 4)),
    DataSet("survo", "games", (0, 1)),
    DataSet("color_cube_rotation", "perception", (0, 1, 2, 3, 4)),
    DataSet("figlet_font", "perception", (0, 1, 2, 3, 4)),
    DataSet("modulo_grid", "perception", (0, 2, 3, 4)),
    DataSet("needle_haystack", "perception", (0, 1, 2, 3)),
    DataSet("number_sequence", "perception", (0, 1, 2, 3)),
    DataSet("rectangle_count", "perception", (0, 1, 2, 3, 4)),
    DataSet("acre", "induction", (0,), num_items=500),
    DataSet("arc_1d", "induction", (0, 1, 2, 3)),
    DataSet("arc_agi", "induction", (0, 1, 2, 3)),
    DataSet("rearc", "induction", (0, 1, 2, 3, 4)),
)

LEFT_OUT: dict[str, str] = {
    "bf": "prints while it makes its items",
    "boxnet": "names no right answer",
    "codeio": "its items differ from process to process, and it runs code to make them",
    "coin_flip": "scores 0 as right for any probability that begins with 0",
    "complex_arithmetic": "scores nan as right",
    "composite": "holds no questions of its own",
    "game_of_life_halting": "scores any text as right",
    "intermediate_integration": "its items differ from process to process",
    "isomorphic_strings": "its items differ from process to process",
    "knight_swap": "its curriculum gives settings that it refuses",
    "list_functions": "draws from a generator without a seed",
    "polynomial_multiplication": "its items differ from process to process",
    "pool_matrix": "sets the seed of the whole process's generator",
    "puzzle24": "takes any four numbers for the given ones, so one answer is right for all",
    "ransom_note": "its items differ from process to process",
    "rubiks_cube": "names no right answer",
    "rush_hour": "names no right answer",
    "sokoban": "takes ten seconds an item",
    "tower_of_hanoi": "prints every move that is wrong",
    "tsumego": "cannot make an item for some seeds",
    "word_ladder": "its items differ from process to process",
    "zebra_puzzles": "needs pycosat, which has to be compiled",
}
