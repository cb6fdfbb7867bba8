"""What a task is: a function `task(arguments, emit) -> result` that runs in a process of its own.

In a session it is `task(arguments, emit, orders) -> result`. It takes, emits and returns plain JSON values. How it gets
there and back is left to `child`, `runner` and `session`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

Emit = Callable[[dict[str, Any]], None]
"""Sends an event to the process that waits for the task; callable from any thread of the task."""

Task = Callable[[dict[str, Any], Emit], dict[str, Any]]


Orders = SimpleQueue[dict[str, Any]]
"""What was sent to the task of a session since it began, in order: `get` waits, `empty` says whether it would."""

SessionTask = Callable[[dict[str, Any], Emit, Orders], dict[str, Any]]


class TaskError(Exception):
    """The task failed in a way that it knows.

    `kind` is a stable word such as `no-audio`, on which the waiting process decides what to do next.
    """

    def __init__(self, kind: str, message: str) -> None:
        """Take the kind and a message for the operator."""
        super().__init__(message)
        self.kind = kind


def load_task(name: str) -> Task:
    """Return the function that `package.module:function` names.

    Raises:
        ImportError: there is no such module.
        AttributeError: there is no such function in it.
    """
    task: Task = _load(name)
    return task


def load_session_task(name: str) -> SessionTask:
    """Return the function of a session that `package.module:function` names.

    Raises:
        ImportError: there is no such module.
        AttributeError: there is no such function in it.
    """
    task: SessionTask = _load(name)
    return task


def _load(name: str) -> Any:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)
