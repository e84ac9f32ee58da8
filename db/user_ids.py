"""The ids of game users, as they are stored and compared."""

import re

_IDENTIFIER = re.compile(
    r"(?:steam|license2?|discord|fivem|xbl|live|ip|char[0-9]{1,3}):[!-~]*", re.IGNORECASE
)
"""An identifier of FXServer, or what frameworks make of one for each character of a player."""


def stored_id(user_id: str) -> str:
    """Return the form in which a user's id is stored and compared.

    Blanks around it do not count, nor does the case of FXServer's identifiers: of two frameworks
    one writes the hexadecimal digits in capitals.
    """
    user_id = user_id.strip()
    return user_id.lower() if _IDENTIFIER.fullmatch(user_id) else user_id
