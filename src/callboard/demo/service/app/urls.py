"""What may be kept as a link's address."""


def is_address(url: object) -> bool:
    """True if links may lead there."""
    return isinstance(url, str) and url != ""
