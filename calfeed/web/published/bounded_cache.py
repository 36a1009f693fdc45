"""A thread-safe LRU cache with a limit on the total size of its values."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """An LRU cache that computes each missing value once, even for concurrent callers.

    `measure` returns the size of a key and its value, in the unit of `max_size`. A value larger
    than `max_size` is not cached.
    """

    def __init__(self, max_size: int, measure: Callable[[Key, Value], int]) -> None:
        self._max_size = max_size
        self._measure = measure
        self._size = 0
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._in_progress: dict[Key, Future[Value]] = {}
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        return self._size

    def get(self, key: Key) -> Value | None:
        """Return the cached value of a key, if any."""
        with self._lock:
            return self._get(key)

    def put(self, key: Key, value: Value) -> None:
        """Cache a value, and evict the least recently used ones."""
        size = self._measure(key, value)
        with self._lock:
            if key in self._values or size > self._max_size:
                return
            self._values[key] = value, size
            self._size += size
            while self._size > self._max_size:
                _, (_, evicted_size) = self._values.popitem(last=False)
                self._size -= evicted_size

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the cached value of a key, or call `make` and cache its result.

        Concurrent callers wait for the first one, and get its value or its exception.
        """
        with self._lock:
            cached = self._get(key)
            if cached is not None:
                return cached
            pending = self._in_progress.get(key)
            if pending is None:
                future = self._in_progress[key] = Future()
        if pending is not None:
            return pending.result()
        try:
            value = make()
            self.put(key, value)
            future.set_result(value)
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._in_progress[key]
        return value

    def _get(self, key: Key) -> Value | None:
        entry = self._values.get(key)
        if entry is None:
            return None
        self._values.move_to_end(key)
        return entry[0]
