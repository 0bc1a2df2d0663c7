"""Making out what new events say, before they enter the event log."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import asdict

from services.profile import lexicon
from services.profile.arrivals import own
from services.profile.domain.logged_event import LoggedEvent
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.reading import Reader
from services.profile.domain.words import words_of
from zhiyin.contracts.events import decode_event, encode_event
from zhiyin.contracts.instants import moment
from zhiyin.runtime.batch import Connection
from zhiyin.wording import Classifier, Lexicon, Model

_NONE_YET: Final = -1


class Hearing:
    """Texts are made out by the process's model and the lexicon as it stands; batches without words
    cost nothing."""

    def __init__(self, reader: Reader, model: Model | None) -> None:
        self._reader = reader
        self._revision = _NONE_YET
        self._newest = Classifier(model, Lexicon(()))

    async def hear(self, tx: Connection, events: Sequence[PersonEvent]) -> list[PersonEvent]:
        """The same events, those with words as the event log is to have them."""
        said = {index: words for index, event in enumerate(events) if (words := words_of(event))}
        if not said:
            return list(events)
        classifier = await self.current(tx)
        heard = list(events)
        for index, words in said.items():
            event = decode_event(events[index].value)
            logged = LoggedEvent(
                **(asdict(event) | {"received_at": moment(events[index].received_at)}),
                heard=classifier.hear(words.text, words.stars),
            )
            heard[index] = own(self._reader, encode_event(logged))
        return heard

    async def current(self, connection: Connection) -> Classifier:
        revision = await lexicon.revision(connection)
        if revision != self._revision:
            entries = await lexicon.in_force(connection)
            self._newest = self._newest.knowing(Lexicon(entries, revision))
            self._revision = revision
        return self._newest
