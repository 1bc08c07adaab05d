"""The reference of the API figure: the least FastAPI and psycopg that returns the same rows."""

from __future__ import annotations

import json
import os

import psycopg
from fastapi import FastAPI
from fastapi.responses import Response
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool


def create_app() -> FastAPI:
    app = FastAPI()
    pool = ConnectionPool(os.environ["DATABASE_URL"], min_size=1, max_size=10, kwargs={"row_factory": dict_row}, open=True)

    @app.get("/")
    def hello() -> Response:
        return Response("hello", media_type="text/plain")

    @app.get("/signals")
    def signals() -> Response:
        with pool.connection() as db:
            db.execute("SELECT set_config('undertone.workspace', %s, true)", [os.environ["BENCH_WORKSPACE"]])
            rows = _select(db)
        return Response(json.dumps(rows, default=str), media_type="application/json")

    return app


def _select(db: psycopg.Connection[dict[str, object]]) -> list[dict[str, object]]:
    return db.execute(
        "SELECT s.*, a.name AS account, e.evidence_id, e.type, e.source, e.observed_at, e.numbers AS evidence_numbers FROM signal_current s"
        " JOIN account a USING (workspace_id, account_id) JOIN evidence e USING (workspace_id, signal_id, version) ORDER BY s.change_no DESC LIMIT 50"
    ).fetchall()
