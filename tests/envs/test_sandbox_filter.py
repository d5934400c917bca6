"""The filter is a program for the kernel; here it is run by hand, for machines that this one is not, too."""

import errno
import struct

import pytest

from envs.sandbox_filter import MACHINES, REFUSED, filter_for

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
READ = {"x86_64": 0, "aarch64": 63}
EXIT_GROUP = {"x86_64": 231, "aarch64": 94}


def verdict(program: bytes, audit_name: int, number: int) -> int:
    """What the kernel does with a system call: an interpreter of the few instructions that the filter uses."""
    instructions = list(struct.iter_unpack("=HBBI", program))
    data, accumulator, position = {0: number, 4: audit_name}, 0, 0
    while True:
        code, jump_true, jump_false, value = instructions[position]
        position += 1
        match code:
            case 0x20:
                accumulator = data[value]
            case 0x15:
                position += jump_true if accumulator == value else jump_false
            case 0x35:
                position += jump_true if accumulator >= value else jump_false
            case 0x06:
                return value
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_the_table_are_refused_and_all_others_allowed(machine: str) -> None:
    program = filter_for(machine)
    assert program is not None
    audit_name, column = MACHINES[machine]
    refused = {calls[column] for calls in REFUSED.values()}
    verdicts = {number: verdict(program, audit_name, number) for number in range(600)}
    assert {number for number, found in verdicts.items() if found == REFUSE} == refused
    assert set(verdicts.values()) == {ALLOW, REFUSE}
    assert verdicts[READ[machine]] == verdicts[EXIT_GROUP[machine]] == ALLOW


def test_calls_in_the_manner_of_another_machine_are_the_end() -> None:
    program = filter_for("x86_64")
    assert program is not None
    i386 = 0x40000003
    assert verdict(program, i386, 3) == KILL
    assert verdict(program, MACHINES["x86_64"][0], 0x40000000 + 41) == REFUSE  # x32


def test_a_machine_that_is_not_known_has_no_filter() -> None:
    assert filter_for("riscv64") is None
