"""Keep large freed buffers instead of giving them back to the system."""

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8  # of <malloc.h>


def keep_freed_memory() -> bool:
    """Tell glibc's allocator to reuse what was freed; True where that worked.

    A training step makes and frees the same tens of megabytes over and over. By
    default every round is mapped from the system and zeroed page by page: measured,
    a fifth of the step. Only speed changes; other systems are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    wanted = {
        _ARENA_MAX: 1,  # other arenas cannot hold large buffers
        _MMAP_MAX: 0,
        _TRIM_THRESHOLD: 2**31 - 1,
        _TOP_PAD: 1 << 28,
    }
    return all(mallopt(option, value) == 1 for option, value in wanted.items())
