"""What a caller may wish of an import, where there is a choice of words."""

from enum import StrEnum


class OnPresent(StrEnum):
    """What becomes of a number that Catapult holds already."""

    SKIP = "skip"  # it stays as it is, and counts as present
    FAIL = "fail"
    REFRESH = "refresh"  # it is put under our application


class Verify(StrEnum):
    """Which of the imported numbers are to be proven by messages."""

    NONE = "none"
    SAMPLE = "sample"
    ALL = "all"
