"""What can go wrong, said to a person: the message is complete, no traceback is needed."""

from __future__ import annotations


class RenderError(Exception):
    """A reason why there is no answer; its text says where, what is wrong and what to do."""


class BadInputError(RenderError):
    """A file or an object that an API server, or the command itself, would refuse."""


class ReconcileError(RenderError):
    """Crossplane would stop here: nothing applied, nothing deleted, ``Synced`` is False."""


class FunctionError(RenderError):
    """The function broke, which is a bug of the function whatever it was given.

    The message never repeats what was sent or answered, which may hold secret values.
    """


class UnservedError(RenderError):
    """The function could not be started or ended on this machine: no file is wrong, and the function is not either."""
