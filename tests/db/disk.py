"""A disk that goes wrong on demand: stands between SQLite and the operating system."""

import _sqlite3
import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass

import pytest

FULL, READONLY, IOERR_WRITE, IOERR_FSYNC = 13, 8, 10 | 3 << 8, 10 | 4 << 8
"""What SQLite's own layer for the operating system would return."""

_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)


class _Methods(Structure):
    """sqlite3_io_methods."""

    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", _Write),
        ("truncate", c_void_p),
        ("sync", _Sync),
        ("others", c_void_p * 13),
    )


class _File(Structure):
    """sqlite3_file."""

    _fields_ = (("methods", POINTER(_Methods)),)


class _System(Structure):
    """sqlite3_vfs, as far as it is needed."""

    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _Open),
    )


@dataclass
class Disk:
    """What goes wrong with files that were opened through it; 0: nothing."""

    on_write: int = 0
    on_sync: int = 0
    slow: float = 0.0
    """Seconds that a sync takes longer."""

    def mend(self) -> None:
        """Have nothing go wrong any more."""
        self.on_write = self.on_sync = 0
        self.slow = 0.0


@contextmanager
def faulty_disk() -> Iterator[Disk]:
    """Have every database that is opened in the block lie on a disk that can go wrong."""
    try:
        find = ctypes.CDLL(_sqlite3.__file__).sqlite3_vfs_find
    except (AttributeError, OSError):
        pytest.skip("this Python's SQLite is built in, nothing can stand before it")
    find.restype = POINTER(_System)
    system = find(None).contents
    disk, kept = Disk(), []
    original = _Open(ctypes.cast(system.open, c_void_p).value or 0)

    def opened(vfs: int, path: int, file: int, flags: int, out: int) -> int:
        result = int(original(vfs, path, file, flags, out))
        handle = _File.from_address(file)
        if result == 0 and handle.methods:
            methods = _between(disk, handle.methods.contents)
            kept.append(methods)
            handle.methods = ctypes.pointer(methods)
        return result

    system.open = _Open(opened)
    try:
        yield disk
    finally:
        system.open = original
        disk.mend()
        _OUTLIVING.extend(kept)


_OUTLIVING: list[_Methods] = []
"""Connections may close after the block."""


def _between(disk: Disk, real: _Methods) -> _Methods:
    write, sync = (
        kind(ctypes.cast(function, c_void_p).value or 0)
        for kind, function in ((_Write, real.write), (_Sync, real.sync))
    )

    def writes(file: int, data: int, size: int, offset: int) -> int:
        return disk.on_write or int(write(file, data, size, offset))

    def syncs(file: int, flags: int) -> int:
        time.sleep(disk.slow)
        return disk.on_sync or int(sync(file, flags))

    methods = _Methods.from_buffer_copy(real)
    methods.write, methods.sync = _Write(writes), _Sync(syncs)
    return methods
