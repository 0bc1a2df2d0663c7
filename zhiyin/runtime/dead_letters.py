"""Dead letters."""

from fastapi import APIRouter

from zhiyin.runtime.db import Database
from zhiyin.runtime.worker import Worker


def dead_letter_routes(database: Database, worker: Worker) -> APIRouter:
    return APIRouter()
