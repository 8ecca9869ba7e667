# SPDX-License-Identifier: Apache-2.0
"""Keys, hashes and signatures: Ed25519 and SHA-256."""
from __future__ import annotations

import ctypes
import os
from typing import Any, Callable, Optional, Tuple

from . import _native
from ._base import Carrier, Context, Handle, encode, lend, put_bytes
from ._native import library
from .errors import error_class


def sha256(data: bytes) -> bytes:
    """SHA-256, by the library's own hand."""
    pointer, n = lend(data, what="data")
    made = (ctypes.c_uint8 * 32)()
    status = library().mgc_sha256(pointer, n, made)
    if status < 0:
        raise error_class(status)(status)
    return bytes(made)


def verify_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature is good; a key that is no key raises."""
    key, text, sign = lend(public_key, 32, "public_key"), lend(message, what="message"), lend(signature, what="signature")
    status = library().mgc_signature_verify(key[0], *text, *sign)
    if status == _native.MGC_E_BAD_SIGNATURE:
        return False
    if status < 0:
        raise error_class(status)(status)
    return True


class Key(Handle):
    """A signing key.  The private half stays inside, and is wiped when the key is closed or collected."""

    def __init__(self, context: Context, handle: Any, *kept: object) -> None:
        super().__init__(context)
        self._carrier: Optional[Carrier] = next((one for one in kept if isinstance(one, Carrier)), None)
        self._own(handle, library().mgc_key_destroy, *kept)

    @classmethod
    def _made(cls, make: Callable[..., int], *arguments: Any, kept: Tuple[Any, ...] = ()) -> "Key":
        context, raw = Context(), ctypes.POINTER(_native.mgc_key)()
        context.check(make(context.handle, *arguments, ctypes.byref(raw)))
        return cls(context, raw, *kept)

    @classmethod
    def generate(cls) -> "Key":
        """A new key from the system's random numbers."""
        return cls.from_seed(os.urandom(32))

    @classmethod
    def from_seed(cls, seed: bytes) -> "Key":
        """From 32 secret bytes."""
        return cls._made(library().mgc_key_from_seed, lend(seed, 32, "seed")[0])

    @classmethod
    def from_pem(cls, text: str, passphrase: Optional[str] = None) -> "Key":
        """From a PKCS #8 text, encrypted or not."""
        data = text.encode()
        return cls._made(library().mgc_key_from_pem, data, len(data), encode(passphrase, "passphrase"))

    @classmethod
    def from_signer(cls, public_key: bytes, sign: Callable[[bytes], bytes]) -> "Key":
        """A key whose private half is elsewhere: sign(message) gives 64 bytes.  What it gives is verified before use."""
        carrier = Carrier()

        def call(message: Any, n: int, signature: Any) -> None:
            made = bytes(sign(ctypes.string_at(message, n)))
            if len(made) != 64:
                raise ValueError(f"the signer gave {len(made)} bytes; a signature has 64")
            put_bytes(signature, made)

        thunk = carrier.thunk(_native.mgc_sign_fn, call)
        return cls._made(library().mgc_key_from_callback, lend(public_key, 32, "public_key")[0], thunk, None,
                         kept=(thunk, carrier))

    def _finish(self, status: int) -> None:
        if self._carrier is not None:
            self._carrier.raise_if_any()
        self._check(status)

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        made = (ctypes.c_uint8 * 32)()
        self._call(library().mgc_key_public, made)
        return bytes(made)

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same for the same message."""
        pointer, n = lend(message, what="message")
        made = (ctypes.c_uint8 * 64)()
        with self._context.guard:
            self._finish(library().mgc_key_sign(self._handle, pointer, n, made))
        return bytes(made)

    def to_pem(self, passphrase: str) -> str:
        """Encrypted PKCS #8 text; a key is never written in the clear."""
        made, n = ctypes.create_string_buffer(_native.MGC_PEM_BYTES_MAX), ctypes.c_size_t()
        self._call(library().mgc_key_to_pem, encode(passphrase, "passphrase"), made, len(made), ctypes.byref(n))
        return made.raw[:n.value].decode()

    def __repr__(self) -> str:
        return "Key(closed)" if self.closed else f"Key({self.public.hex()[:16]}...)"
