"""What messages are about, as it is stored: the categories apart, as they can be private."""

from __future__ import annotations

import json
from typing import Any

from calfeed.reminders.filters import Subject


def write_subject(subject: Subject) -> dict[str, str]:
    """A subject as columns of its message."""
    return {
        "subject": subject.model_dump_json(exclude_defaults=True, exclude={"categories"}),
        "categories": json.dumps(subject.categories),
    }


def read_subject(row: Any) -> Subject:
    """The subject of a message; without categories where these cannot be read."""
    subject = Subject.model_validate_json(row.subject)
    if row.categories in (None, "[]"):
        return subject
    return subject.model_copy(update={"categories": tuple(json.loads(row.categories))})
