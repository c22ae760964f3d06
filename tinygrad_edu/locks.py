"""Arrays that are read-only as long as somebody uses them."""

import threading
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Locks:
    """Which arrays are read-only, for whom, in whichever thread.

    A user is a number. Users whose graph the garbage collector frees are only noted, because it may
    run in the middle of ``lock``; whoever holds the lock, or gets it next, unlocks their arrays.
    """

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._used_by: dict[int, list[Array]] = {}
        self._users: dict[int, set[int]] = {}  # of each array that was locked here, by its id
        self._waiting: dict[int, list[Array]] = {}  # unused views, by the id of a base in use
        self._dropped: deque[int] = deque()

    def lock(self, user: int, values: list[Any]) -> None:
        """Make arrays, and what they are views of, read-only until ``user`` is released."""
        with self._changing:
            used = self._used_by[user] = []
            for array in values:
                while isinstance(array, np.ndarray):  # the array itself, and what it is a view of
                    if array.flags.writeable and self._can_be_unlocked(array):
                        array.setflags(write=False)
                        self._users.setdefault(id(array), set())
                    if id(array) in self._users:
                        self._users[id(array)].add(user)
                        used.append(array)
                    array = array.base
        self._release_dropped()

    def release(self, users: list[int]) -> None:
        """Unlock what these users have used, and nobody else does."""
        with self._changing:
            for user in users:
                self._unlock_arrays_of(user)
        self._release_dropped()

    def drop(self, user: int) -> None:
        """As ``release``, from the finalizer of a result, which may run at any time."""
        self._dropped.append(user)
        self._release_dropped()

    def _release_dropped(self) -> None:
        while self._dropped and self._changing.acquire(blocking=False):
            try:
                while self._dropped:
                    self._unlock_arrays_of(self._dropped.popleft())
            finally:
                self._changing.release()

    def _unlock_arrays_of(self, user: int) -> None:
        for array in reversed(self._used_by.pop(user, [])):
            self._users.get(id(array), set()).discard(user)
            self._unlock(array)

    def _unlock(self, array: Array) -> None:
        if self._users.get(id(array)) != set():
            return
        if id(array.base) in self._users:
            self._waiting.setdefault(id(array.base), []).append(array)
            return
        array.setflags(write=True)
        del self._users[id(array)]
        for view in self._waiting.pop(id(array), ()):
            self._unlock(view)

    def _can_be_unlocked(self, array: Array) -> bool:
        """Not if it belongs to a read-only array, or to an object that NumPy cannot ask."""
        if id(array.base) in self._users:
            return True
        try:
            array.setflags(write=True)
        except ValueError:
            return False
        return True


locks = Locks()  # of all threads: they may use one array
