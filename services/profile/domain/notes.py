"""What staff wrote down of a person, to be heeded with an order."""

from services.profile.domain.draft import Draft
from services.profile.domain.person_event import PersonEvent
from zhiyin.contracts.profiles import Note
from zhiyin.contracts.properties.customer import CustomerNoted, CustomerUnnoted


def noted(draft: Draft, event: PersonEvent, said: CustomerNoted | CustomerUnnoted) -> None:
    """The newest (at, event id, source) about a note holds; the newest notes are kept, those
    taken back among them, so that nothing older brings them back."""
    note = _note(event, said)
    known = draft.notes.get(said.note_id)
    if known is not None and _place(known) >= _place(note):
        return
    notes = {**draft.notes, said.note_id: note}
    by_age = sorted(notes, key=lambda name: (_place(notes[name]), name))
    newest = by_age[-draft.policy.limits.notes :]
    draft.notes = {name: notes[name] for name in sorted(newest)}
    draft.changed.add("notes")


def _note(event: PersonEvent, said: CustomerNoted | CustomerUnnoted) -> Note:
    told: tuple[str, str | None, bool] = ("other", None, True)
    if isinstance(said, CustomerNoted):
        told = (said.kind, said.text, said.lasting)
    return Note(*told, said.author or "", event.source, event.at, event.event_id)


def _place(note: Note) -> tuple[int, str, str]:
    return (note.at, note.event_id, note.source)
