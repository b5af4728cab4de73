"""Times and sizes outside AWS's ranges, as patterns for editors. The loader has the last word.

What a pattern cannot tell is left to it: a sum of several parts, an exponent, a fraction of a larger unit. A value that
AWS allows never matches. The bounds are those of ``profiles``.
"""

from __future__ import annotations

from typing import Any

_FRACTION = r"(?:\.[0-9]*)?"
_MB, _GB, _TB = r"\s*(?:MB|MiB)", r"\s*(?:GB|GiB)", r"\s*(?:TB|TiB)"

_BELOW_1S = (
    rf"^\s*(?:0*[0-9]{{1,3}}{_FRACTION}\s*ms|0*[0-9]{{1,6}}{_FRACTION}\s*[u\u00b5]s|0*[0-9]{{1,9}}{_FRACTION}\s*ns"
    r"|0*\.[0-9]+\s*s)\s*$"
)
# The parts of a time add up, so that one that is too long is enough.
_OVER_15M = (
    rf"(?:^|[smnhd ])0*(?:(?:90[1-9]|9[1-9][0-9]|[1-9][0-9]{{3,}}){_FRACTION}\s*s"
    rf"|[1-9][0-9]{{6,}}{_FRACTION}\s*ms|[1-9][0-9]{{9,}}{_FRACTION}\s*[u\u00b5]s|(?:1[6-9]|[2-9][0-9]|[1-9][0-9]{{2,}}){_FRACTION}\s*m(?:in)?|[1-9][0-9]*{_FRACTION}\s*[hd])(?![a-z])"
)
_UNDER_128MB = rf"^\s*0*(?:[0-9]{{1,2}}|1[01][0-9]|12[0-7])(?:\.0*)?{_MB}"
_OVER_10GB = (
    r"^\s*0*(?:(?:1024[1-9]|102[5-9][0-9]|10[3-9][0-9]{2}|1[1-9][0-9]{3}|[2-9][0-9]{4}|[1-9][0-9]{5,})"
    rf"{_FRACTION}{_MB}|(?:1[1-9]|[2-9][0-9]|[1-9][0-9]{{2,}}){_FRACTION}{_GB}|[1-9][0-9]*{_FRACTION}{_TB})"
)
_OVER_250MB = (
    rf"^\s*0*(?:(?:25[1-9]|2[6-9][0-9]|[3-9][0-9]{{2}}|[1-9][0-9]{{3,}}){_FRACTION}{_MB}"
    rf"|[1-9][0-9]*{_FRACTION}(?:{_GB}|{_TB}))"
)


def _matching(*patterns: str) -> dict[str, Any]:
    return {"type": "string", "pattern": "|".join(patterns)}


OUTSIDE_TIMEOUT = _matching(_BELOW_1S, _OVER_15M)
OUTSIDE_MEMORY = _matching(_UNDER_128MB, _OVER_10GB)
OUTSIDE_CODE_SIZE = _matching(_OVER_250MB)
# Below 10 % or above 90 %.
OUTSIDE_TARGET = _matching(r"^\s*0*(?:[0-9](?:\.[0-9]*)?|90\.0*[1-9][0-9]*|9[1-9](?:\.[0-9]*)?|100(?:\.0*)?)\s*%\s*$")
