r"""How is somebody else's text shown, so that it moves no cursor and begins no line? With `\u{1b}` in it."""


def printable(text: str) -> str:
    """A text in which each character that does not print is written as its number."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else as_number(each) for each in text)


def as_number(character: str) -> str:
    r"""`\u{1b}`."""
    return f"\\u{{{ord(character):x}}}"
