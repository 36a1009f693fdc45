"""A cache of values that are made on first use, with a bound on its size."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """What was made, by key, those used last up to a total size; for many threads.

    `size_of` says what a key and its value take; its unit is that of `most`. A value that is
    larger than `most` by itself is given out and not kept.
    """

    def __init__(self, most: int, size_of: Callable[[Key, Value], int]) -> None:
        self._most = most
        self._size_of = size_of
        self._size = 0
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._making: dict[Key, Future[Value]] = {}
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """How much is kept now."""
        return self._size

    def find(self, key: Key) -> Value | None:
        """The value that is kept under a key, if one is."""
        with self._lock:
            return self._find(key)

    def keep(self, key: Key, value: Value) -> None:
        """Keep a value, and let those go that were not used for the longest time."""
        size = self._size_of(key, value)
        with self._lock:
            if key in self._values or size > self._most:
                return
            self._values[key] = value, size
            self._size += size
            while self._size > self._most:
                _, (_, dropped) = self._values.popitem(last=False)
                self._size -= dropped

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value that is kept under a key; where none is, one thread makes it.

        Others that ask meanwhile wait, and get the same value, or the error that `make` raised.
        """
        with self._lock:
            found = self._find(key)
            if found is not None:
                return found
            making = self._making.get(key)
            if making is None:
                mine = self._making[key] = Future()
        if making is not None:
            return making.result()
        try:
            value = make()
            self.keep(key, value)
            mine.set_result(value)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._making[key]
        return value

    def _find(self, key: Key) -> Value | None:
        kept = self._values.get(key)
        if kept is None:
            return None
        self._values.move_to_end(key)
        return kept[0]
