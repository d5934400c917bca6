"""The sandbox's filter of system calls: a program for the kernel (seccomp) that refuses what namespaces do not cover.

Sockets, above all: those of a virtual machine to its host (AF_VSOCK) belong to no network namespace. Then memory that
no limit counts, such as System V's; looking into other processes; and rarely used parts of the kernel with a history of
holes. A refused call fails with EPERM, as if it were forbidden to that user. Pairs of connected sockets, which lead
nowhere else, stay.
"""

import errno
import struct

REFUSED: dict[str, tuple[int, int]] = {  # system call: its number on x86_64, on aarch64
    "socket": (41, 198),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH_..., column of the table

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # classic BPF, see linux/bpf_common.h
_NUMBER_OFFSET, _MACHINE_OFFSET = 0, 4  # in struct seccomp_data
_OTHER_CALLS = 0x40000000  # from here on x86_64 has the x32 calls, under numbers of their own
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000


def filter_for(machine: str) -> bytes | None:
    """The filter, as bubblewrap's --seccomp takes it; None for a machine (`uname -m`) whose numbers are not known."""
    if machine not in MACHINES:
        return None
    audit_name, column = MACHINES[machine]
    numbers = [calls[column] for calls in REFUSED.values()]
    checks = [(_IF_EQUAL, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    program = [
        (_LOAD, 0, 0, _MACHINE_OFFSET),
        (_IF_EQUAL, 1, 0, audit_name),
        (_RETURN, 0, 0, _KILL),  # a call in the manner of another machine, such as 32 bits
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        (_IF_AT_LEAST, len(numbers) + 1, 0, _OTHER_CALLS),
        *checks,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
