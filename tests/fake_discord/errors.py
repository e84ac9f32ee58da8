"""How Discord refuses a request."""

from collections.abc import Iterable
from typing import Any

JSON = dict[str, Any]
Path = tuple[str | int, ...]


class DiscordError(Exception):
    """A refusal: HTTP status, Discord's own code, its message and, for a form, its faults."""

    def __init__(
        self, status: int, code: int, message: str, *, errors: JSON | None = None, **extra: Any
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.body: JSON = {"message": message, "code": code, **extra}
        if errors is not None:
            self.body["errors"] = errors


class Problems:
    """Collects the faults of one form and reports them in Discord's nested shape."""

    def __init__(self) -> None:
        self._found: list[tuple[Path, str, str]] = []

    def add(self, path: Iterable[str | int], code: str, message: str) -> None:
        """Note one fault at the path."""
        self._found.append((tuple(path), code, message))

    def raise_if_any(self) -> None:
        """Refuse the form with 50035 when anything was noted."""
        if not self._found:
            return
        errors: JSON = {}
        for path, code, message in self._found:
            node = errors
            for step in path:
                node = node.setdefault(str(step), {})
            node.setdefault("_errors", []).append({"code": code, "message": message})
        raise invalid_form(errors)


def invalid_form(errors: JSON) -> DiscordError:
    """A form with faults at the given places."""
    return DiscordError(400, 50035, "Invalid Form Body", errors=errors)


def unauthorized() -> DiscordError:
    """The token is not known."""
    return DiscordError(401, 0, "401: Unauthorized")


def missing_access() -> DiscordError:
    """The bot cannot see this place at all."""
    return DiscordError(403, 50001, "Missing Access")


def missing_permissions() -> DiscordError:
    """The bot sees this place but may not do that there."""
    return DiscordError(403, 50013, "Missing Permissions")


def unknown(what: str) -> DiscordError:
    """The thing does not exist, or no longer does."""
    codes = {
        "Channel": 10003,
        "Guild": 10004,
        "Member": 10007,
        "Message": 10008,
        "Role": 10011,
        "User": 10013,
        "Webhook": 10015,
        "interaction": 10062,
        "application command": 10063,
    }
    return DiscordError(404, codes[what], f"Unknown {what}")
