"""What people put into the form, out of a payload's view (docs.slack.dev/reference/views/view-object, ``state.values``).

A field that is absent there is unchanged; one that is present and null was emptied.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.blocks.fields import param_field
from bot.blocks.form import FormState
from bot.domain.requests import Ask, Kind, ReceivedFile

View = Mapping[str, Any]

#: The last second of the year 9999; Python's dates end there.
_LATEST = 253_402_300_799


def read_state(view: View) -> FormState:
    """The form as it stands now. ``ask.files`` stay those that were received before; `read_files` has the new ones.

    ``ask.params`` are the kept parameters and the newly typed ones; after a change of the provider only the latter.
    """
    state = FormState.load(view["private_metadata"])
    values = _values(view)
    given = {name: read(values[name]) for name, read in _READ.items() if name in values}
    ask = replace(state.ask, **given)
    kept = state.ask.params if ask.provider == state.ask.provider else ()
    typed = _typed(ask, values)
    return replace(state, ask=replace(ask, params=tuple(dict.fromkeys((*kept, *typed)))))


def read_typed(view: View) -> dict[str, str]:
    """The typed DNS parameters of the chosen provider by key. They are secret: hand them to the vault and nowhere else."""
    return _typed(read_state(view).ask, _values(view))


def read_files(view: View) -> list[dict[str, Any]] | None:
    """The newly given files as Slack's file objects; None when there are none."""
    files = _values(view).get("files", {}).get("files")
    return [dict(file) for file in files] if files else None


def received(files: Sequence[Mapping[str, Any]]) -> tuple[ReceivedFile, ...]:
    """Slack's file objects as what a request remembers of them (docs.slack.dev/reference/objects/file-object)."""
    return tuple(
        ReceivedFile(file["id"], file.get("name") or file["id"], int(file.get("size") or 0), file.get("permalink") or "")
        for file in files
    )


def read_reason(view: View) -> str:
    """Why an approver approves or rejects; may be shorter than asked for once the spaces around it are gone."""
    return _text(_values(view)["reason"])


def read_emergency_pbx(view: View) -> str:
    """The PBX's name as it was typed out for an emergency; it is compared and not kept."""
    return _text(_values(view).get("emergency_pbx", {}))


def _values(view: View) -> dict[str, Mapping[str, Any]]:
    """Each field's element by the field's name; every input block has one element."""
    blocks = view.get("state", {}).get("values", {})
    named = ((block.partition(":")[2] or block, elements) for block, elements in blocks.items())
    return {name: element for name, elements in named for element in elements.values()}


def _typed(ask: Ask, values: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    prefix = param_field(ask.provider, "")
    given = {name.removeprefix(prefix): _any(values[name]) for name in values if name.startswith(prefix)}
    return {key: value for key, value in given.items() if value}


def _any(element: Mapping[str, Any]) -> str:
    return _chosen(element) if "selected_option" in element else _text(element)


def _text(element: Mapping[str, Any]) -> str:
    """What was typed; PostgreSQL cannot keep the character NUL, and nobody means it."""
    return (element.get("value") or "").replace("\0", "").strip()


def _chosen(element: Mapping[str, Any]) -> str:
    return (element.get("selected_option") or {}).get("value", "")  # type: ignore[no-any-return]


def _kind(element: Mapping[str, Any]) -> Kind:
    return Kind(_chosen(element))


def _ticked(element: Mapping[str, Any]) -> bool:
    return bool(element.get("selected_options"))


def _moment(element: Mapping[str, Any]) -> str:
    """In UTC; "" where it was emptied. Slack's value are seconds since 1970."""
    seconds = element.get("selected_date_time")
    return datetime.fromtimestamp(min(seconds, _LATEST), UTC).isoformat() if seconds else ""


_READ: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "pbx": _chosen,
    "kind": _kind,
    "domain": _text,
    "auto_renewal": _ticked,
    "dns": _chosen,
    "provider": _chosen,
    "reason": _text,
    "start": _moment,
    "emergency": _ticked,
}
