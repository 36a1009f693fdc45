"""Templates of pages, compiled once in a process: each test has an application of its own."""

from __future__ import annotations

from types import CodeType

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Compiled(BytecodeCache):
    """What was compiled, by the template's text and all that else decides what becomes of it."""

    def __init__(self) -> None:
        self._code: dict[tuple[object, ...], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(_identify(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[_identify(bucket)] = bucket.code


def _identify(bucket: Bucket) -> tuple[object, ...]:
    environment = bucket.environment
    return (
        bucket.key,
        bucket.checksum,
        environment.trim_blocks,
        environment.lstrip_blocks,
        *sorted(environment.extensions),
    )


def share_compiled_templates() -> None:
    """Let every application that is made from now on have what others compiled."""
    Flask.jinja_options = {"bytecode_cache": _Compiled()}
