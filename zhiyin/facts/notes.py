"""What staff wrote down of a person, and which of it the next order is to heed."""

from zhiyin.contracts.profiles import Facts, Note


def standing_notes(facts: Facts) -> list[tuple[str, Note]]:
    """Notes that were not taken back, newest first."""
    notes = [(name, note) for name, note in facts.notes.items() if note.text is not None]
    return sorted(notes, key=lambda each: (each[1].at, each[0]), reverse=True)


def heeded(note: Note, facts: Facts) -> bool:
    """Whether it goes with the next order: always if it is lasting, otherwise until an order has
    come after it."""
    last = facts.orders.last_at
    return note.lasting or last is None or last <= note.at
