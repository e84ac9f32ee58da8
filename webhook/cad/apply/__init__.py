"""What the CAD's events change in the database."""

from webhook.cad.apply import (  # noqa: F401 - each registers what its events change
    dispatches,
    emergencies,
    notices,
    units,
)
from webhook.cad.apply.event import apply

__all__ = ["apply"]
