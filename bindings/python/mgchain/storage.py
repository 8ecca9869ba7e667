# SPDX-License-Identifier: Apache-2.0
"""Where the bytes of a ledger go: a folder of files, memory, or a storage of your own."""
from __future__ import annotations

import ctypes
import os
import weakref
from typing import Any, Dict, Iterable, List, Optional, Tuple, Union

from . import _native
from ._base import Carrier, Context, decode, encode, put_bytes
from ._native import library
from .errors import StorageError


class Storage:
    """A flat set of named files; make a class of it to keep a ledger wherever you like.

    Names are up to 63 characters of [a-z0-9.-].  What the library relies upon, and nothing else: bytes whose sync() came
    back survive loss of power unchanged; bytes appended since may survive in part, torn or not at all; names are durable
    once sync_names() came back.  Failures are told by raising: OSError, or an MgcError with its status.  Every call comes
    on the thread that called the library; it may not use the ledger that is calling.
    """

    def lock(self) -> None:
        """Hold the store against every other writer; BlockingIOError where one holds it."""

    def unlock(self) -> None:
        """Let it go."""

    def list(self) -> Iterable[Tuple[str, int]]:
        """Name and size of every file, in any order."""
        raise NotImplementedError

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Exactly length bytes from offset; OSError where the file ends before."""
        raise NotImplementedError

    def append(self, name: str, data: bytes) -> None:
        """Append to a file, which is created where it is absent."""
        raise NotImplementedError

    def sync(self, name: str) -> None:
        """Come back only when every earlier append to the file survives loss of power."""
        raise NotImplementedError

    def truncate(self, name: str, size: int) -> None:
        """Cut a file down; fine where it is absent and size is 0."""
        raise NotImplementedError

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in one step; a file of that name is replaced."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Remove a file."""
        raise NotImplementedError

    def sync_names(self) -> None:
        """Come back only when every earlier creation, rename and removal survives loss of power."""
        raise NotImplementedError

    # The two below are for nodes of several members, whose consensus log needs them.

    def reserve(self, name: str, size: int) -> None:
        """Create a file of size zero bytes, really written; a file of that name is replaced."""
        raise NotImplementedError

    def write(self, name: str, offset: int, data: bytes) -> None:
        """Overwrite bytes that the file has already."""
        raise NotImplementedError


class MemoryStorage(Storage):
    """Files in memory, gone with the object: for trying things out."""

    def __init__(self) -> None:
        self.files: Dict[str, bytearray] = {}
        self._locked = False

    def lock(self) -> None:
        if self._locked:
            raise BlockingIOError("the store is in use")
        self._locked = True

    def unlock(self) -> None:
        self._locked = False

    def list(self) -> List[Tuple[str, int]]:
        return [(name, len(data)) for name, data in self.files.items()]

    def read(self, name: str, offset: int, length: int) -> bytes:
        data = self.files.get(name, b"")[offset:offset + length]
        if len(data) != length:
            raise OSError(f"{name} ends before {offset + length}")
        return bytes(data)

    def append(self, name: str, data: bytes) -> None:
        self.files.setdefault(name, bytearray()).extend(data)

    def sync(self, name: str) -> None:
        pass

    def truncate(self, name: str, size: int) -> None:
        if name in self.files:
            del self.files[name][size:]
        elif size:
            raise FileNotFoundError(name)

    def rename(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)

    def remove(self, name: str) -> None:
        del self.files[name]

    def sync_names(self) -> None:
        pass

    def reserve(self, name: str, size: int) -> None:
        self.files[name] = bytearray(size)

    def write(self, name: str, offset: int, data: bytes) -> None:
        if offset + len(data) > len(self.files[name]):
            raise OSError(f"{name} ends before {offset + len(data)}")
        self.files[name][offset:offset + len(data)] = data


class Attached:
    """A storage as C takes it: the table, its user pointer, and the exception that a call left behind."""

    def __init__(self, context: Context, storage: Union[Storage, str, "os.PathLike[str]"], create: bool) -> None:
        self.carrier = Carrier()
        self._earlier: Optional[BaseException] = None
        self.ops = _native.mgc_storage_ops()
        self.user = ctypes.c_void_p()
        self.storage = storage
        if isinstance(storage, (str, os.PathLike)):
            lib, folder = library(), encode(os.fspath(storage), "folder")
            context.check(lib.mgc_storage_files(context.handle, folder, int(create), ctypes.byref(self.ops),
                                                ctypes.byref(self.user)))
            self._finalizer = weakref.finalize(self, _destroy_files, lib.mgc_storage_files_destroy, self.user, context)
        elif isinstance(storage, Storage):
            self._fill(storage)
        else:
            raise TypeError(f"a folder or a Storage is wanted, not {type(storage).__name__}")

    def _fill(self, s: Storage) -> None:
        ops, carrier = self.ops, self.carrier
        ops.struct_size, ops.version = ctypes.sizeof(ops), 1

        def guarded(function: Any) -> Any:
            def call(*arguments: Any) -> Any:
                try:
                    return function(*arguments)
                except BlockingIOError as error:
                    carrier.keep(error)
                    return _native.MGC_E_LOCKED
                except NotImplementedError as error:
                    carrier.keep(error)
                    return _native.MGC_E_UNSUPPORTED
            return call

        def listed(visit: Any, visit_user: Any) -> Optional[int]:
            for name, size in s.list():
                answer = visit(visit_user, encode(name, "name"), size)
                if answer < 0:
                    return answer
            return None

        def read(name: bytes, offset: int, target: Any, n: int) -> None:
            data = s.read(decode(name), offset, n)
            if len(data) != n:
                raise OSError(f"read of {decode(name)} gave {len(data)} bytes, not {n}")
            if n:
                put_bytes(target, bytes(data))

        calls = {
            "lock": lambda: s.lock(), "unlock": lambda: s.unlock(), "list": listed, "read": read,
            "append": lambda name, data, n: s.append(decode(name), ctypes.string_at(data, n)),
            "sync": lambda name: s.sync(decode(name)),
            "truncate": lambda name, size: s.truncate(decode(name), size),
            "rename": lambda old, new: s.rename(decode(old), decode(new)),
            "remove": lambda name: s.remove(decode(name)),
            "sync_names": lambda: s.sync_names(),
        }
        kind = type(s)
        if kind.reserve is not Storage.reserve and kind.write is not Storage.write:  # the table says that they are there
            calls["reserve"] = lambda name, size: s.reserve(decode(name), size)
            calls["write"] = lambda name, offset, data, n: s.write(decode(name), offset, ctypes.string_at(data, n))
        for name, call in calls.items():
            setattr(ops, name, carrier.thunk(_native.callback(_native.mgc_storage_ops, name), _nothing(guarded(call)),
                                             failed=_native.MGC_E_IO))

    def finish(self, context: Context, status: int) -> int:
        """Raise what the host's own call raised, else what the status says; forget what the library got over."""
        if status < 0:
            self.carrier.raise_if_any()
            try:
                context.check(status)
            except StorageError as error:  # MGC_E_FAILED comes later than what failed
                raise error from self._earlier
        self._earlier = self.carrier.error or self._earlier
        self.carrier.error = None
        return status


def _nothing(function: Any) -> Any:
    """Storage calls answer by coming back; what they return is of no interest, a status apart."""
    def call(*arguments: Any) -> Optional[int]:
        answer = function(*arguments)
        return answer if isinstance(answer, int) and not isinstance(answer, bool) and answer < 0 else None
    return call


def _destroy_files(destroy: Any, user: Any, *_kept: object) -> None:
    destroy(user)


__all__ = ["MemoryStorage", "Storage", "StorageError"]
