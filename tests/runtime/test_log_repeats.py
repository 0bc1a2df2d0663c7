"""Libraries that repeat themselves."""

import logging

from zhiyin.runtime.log_repeats import Repeats


class Box(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_the_same_words_come_once_in_ten_seconds_and_are_counted() -> None:
    now = [0.0]
    box = Box()
    box.addFilter(Repeats(lambda: now[0]))
    logger = logging.getLogger("aiokafka-imitated")
    logger.addHandler(box)
    logger.propagate = False
    for node in range(300):
        logger.error("Unable to connect to node %d", node)
    logger.error("Something else")
    now[0] = 10.0
    logger.error("Unable to connect to node %d", 7)
    logger.error("Something else")
    assert box.lines == [
        "Unable to connect to node 0",
        "Something else",
        "Unable to connect to node 7 (and 299 times before)",
        "Something else",
    ]
