"""What a terminal could obey, and what is shown instead of it."""

from __future__ import annotations

_DIRECTION_MARKS = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
VISIBLE = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    **dict.fromkeys((*range(0x7F, 0xA0), *_DIRECTION_MARKS), 0xFFFD),
}
"""For `str.translate`: control and direction characters but tabs and line ends -> what is shown for them."""
