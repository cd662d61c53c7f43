"""Telling valgrind, from within the program that it simulates, to begin and to stop counting instructions.

A request is a sequence of instructions that does nothing on a processor and that valgrind knows (`valgrind.h`, "client
requests"). Only x86-64's is written here.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import sys
from array import array
from functools import cache
from typing import Any

HERE = platform.machine() == "x86_64" and sys.platform == "linux"
BASE = ord("C") << 24 | ord("T") << 16  # callgrind's
START, STOP = BASE + 4, BASE + 5
SPELL = bytes.fromhex(
    "4889f8"  # mov rax, rdi: where the words of the request are
    "31d2"  # xor edx, edx: the answer, if nobody listens
    "48c1c703 48c1c70d 48c1c73d 48c1c733"  # rol rdi by 3, 13, 61 and 51, all the way round
    "4887db"  # xchg rbx, rbx
    "c3"  # ret
)


@cache
def _spoken() -> tuple[Any, mmap.mmap]:
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(SPELL)
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(place), page


def ask(request: int) -> None:
    """Make a request; nothing happens on a processor.

    >>> ask(STOP) if HERE else None
    """
    words = array("Q", (request, 0, 0, 0, 0, 0))
    _spoken()[0](words.buffer_info()[0])
