"""The only way out of an answer."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a claim is not accepted; the reasons of its condition ``Accepted``."""

    NOT_OFFERED = "NotOffered"
    UNSAFE_CHANGE = "UnsafeChange"
    WOULD_LOSE_DATA = "WouldLoseData"
    SWAP_NOT_APPROVED = "SwapNotApproved"
    ENVIRONMENT_INCOMPLETE = "EnvironmentIncomplete"
    ENGINE_NOT_INSTALLED = "EngineNotInstalled"
    NOT_PERMITTED = "NotPermitted"
    NAME_TAKEN = "NameTaken"
    RETAINED_DATA_EXISTS = "RetainedDataExists"
    RESTORE_SOURCE_NOT_FOUND = "RestoreSourceNotFound"


class Refusal(Exception):  # noqa: N818  # The word of the contract; it is no error of the program.
    """This request cannot be honoured, so nothing at all may change.

    The message is for the person who wrote the claim: which field, what is wrong, what to do. It holds no secret
    and no time, so that it does not flap.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        """Refuse for *reason*; *message* says which field, what is wrong and what to do."""
        super().__init__(message)
        self.reason = reason
        self.message = message
