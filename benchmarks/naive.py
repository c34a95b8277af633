"""The handler that most people would write: Flask-SQLAlchemy, get or create a member at a time, commit at the end.

It keeps no history, no log and no sessions, and removes nobody, so the comparison is kind to it.
"""

import os
from typing import Any

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


naive = SQLAlchemy(model_class=Base)


class Member(naive.Model):  # type: ignore[name-defined,misc]
    __tablename__ = "naive_member"

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[str] = mapped_column(index=True)
    distinct_id: Mapped[str] = mapped_column(index=True)
    email: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    properties: Mapped[dict[str, Any]] = mapped_column(naive.JSON)


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["NAIVE_DATABASE_URL"]
    naive.init_app(app)
    with app.app_context():
        naive.create_all()

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/webhook")
    def webhook() -> dict[str, str]:
        parameters = request.get_json()["parameters"]
        for sent in parameters["members"]:
            key = {"cohort_id": parameters["mixpanel_cohort_id"], "distinct_id": sent.pop("mixpanel_distinct_id")}
            member = Member.query.filter_by(**key).first()
            if member is None:
                member = Member(**key)
                naive.session.add(member)
            member.email, member.first_name = sent.pop("email"), sent.pop("first_name")
            member.last_name, member.properties = sent.pop("last_name"), sent
        naive.session.commit()
        return {"status": "success"}

    return app
