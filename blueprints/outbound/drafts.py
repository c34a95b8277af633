"""A form as it was typed, for the page that comes next: every form is answered with a redirect."""

from dataclasses import dataclass, field, replace

import msgspec
from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from blueprints.outbound.choices import NOTHING, Offer
from blueprints.outbound.forms import Form
from outbound.operations.types import Operation
from security import handover

OWN = {"csrf_token", "do", "sure"}  # fields of the form itself


@dataclass(frozen=True)
class FormDraft:
    """What was typed, and what else its page shows: what the checks say, another row, what there is to choose from."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    checked: bool = False
    more_rows: str = ""
    offered: Offer = NOTHING

    @property
    def form(self) -> Form:
        return MultiDict(self.fields)


NEXT = FormDraft()


def lead(
    operation: Operation, form: Form, draft: FormDraft = NEXT, endpoint: str = "outbound.compose"
) -> ResponseReturnValue:
    """Redirect to a page that shows what this form holds."""
    fields = [(name, value) for name, value in form.items(multi=True) if name not in OWN]
    key = handover.leave("form", replace(draft, fields=fields))
    return redirect(url_for(endpoint, operation=operation.id, form=key), 303)


def kept() -> FormDraft | None:
    """Find the draft that the address has a key for; None where that is too long ago."""
    found = handover.find("form", request.args.get("form", ""))
    return None if found is None else msgspec.convert(found, FormDraft)
