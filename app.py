"""Cohort Relay: the app, put together. Settings, database, security, blueprints, commands."""

from server import loading  # before all others: it holds the garbage collector back while they are imported

# isort: split
import signal
import threading
from contextlib import suppress
from pathlib import Path

from flask import Flask
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

import commands
from blueprints import (
    api,
    dashboard,
    error_reports,
    errors,
    health,
    language,
    outbound,
    static_files,
    telemetry,
    tracing,
    webhook,
)
from blueprints.dashboard import provider
from blueprints.urls import RowId
from blueprints.webhook.addresses import SameAddress
from config import clock as clocks
from config import logs
from config.clock import Clock
from config.database_url import parameters, says_pooler, sqlite_file
from config.settings import Settings, load
from models import connect
from models.database import Database, db
from models.engines import (
    postgresql_limits,
    postgresql_options,
    postgresql_url,
    sqlite_options,
    sqlite_url,
    writer_options,
)
from runtime import Runtime
from security import allowed_hosts, rate_limits
from security.concurrency_limit import refuse_too_many_at_once
from security.encryption import Cipher
from security.headers import init_app as init_browser_headers
from security.key_check import KeyGuard, hold_key
from security.key_cookies import KeyCookies
from security.public import anyone
from security.sign_in_guard import dashboard_guard, visitor
from security.tokens import api_guard
from security.webhook import webhook_guard
from sync.failures import FailureLog


def create_app(settings: Settings | None = None, clock: Clock = clocks.now) -> Flask:
    """The app for these settings (the environment's by default); raises config.settings.WrongSetting."""
    settings = settings or load()
    logs.configure(settings.log_level, settings.log_format)
    error_reports.init_app(settings)
    app = Flask(__name__, instance_path=str(settings.instance))
    app.secret_key = settings.secret_key
    app.session_interface = KeyCookies(settings)
    app.url_map.merge_slashes = False  # an id may hold slashes
    app.url_map.converters["int"] = RowId
    app.ensure_sync = lambda function: function  # type: ignore[assignment, method-assign]  # nothing here is a coroutine
    app.wsgi_app = SameAddress(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops, hops)  # type: ignore[method-assign]
    database = _database(app, settings)
    cipher = Cipher(*settings.secret_keys, follow=settings.keys_now)
    app.extensions["runtime"] = runtime = Runtime(settings, database, clock, cipher)
    app.extensions["key"] = KeyGuard(runtime)
    app.extensions["failures"] = FailureLog(database)
    rate_limits.init_app(app, settings)
    tracing.init_app(app, settings)
    telemetry.init_app(app, settings)
    app.before_request(refuse_too_many_at_once)
    allowed_hosts.init_app(app, settings)
    app.before_request(hold_key)
    init_browser_headers(app, settings)
    Htmx(app)
    errors.init_app(app)
    static_files.init_app(app)
    language.init_app(app)
    for blueprint, guard in (
        (webhook.blueprint, webhook_guard),
        (api.blueprint, api_guard),
        (api.public, anyone),
        (health.blueprint, anyone),
        (dashboard.sign, visitor),
        (dashboard.blueprint, dashboard_guard),
        (outbound.blueprint, dashboard_guard),
    ):
        app.before_request_funcs[blueprint.name].append(guard)
        app.register_blueprint(blueprint)
    provider.init_app(app, settings)
    commands.init_app(app)
    _hear_of_stopping(runtime)
    return app


def _hear_of_stopping(runtime: Runtime) -> None:
    """SIGUSR1 from our server says that this process is about to stop; only a main thread can listen."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, lambda *_: runtime.stopping.set())


def _database(app: Flask, settings: Settings) -> Database:
    """Flask-SQLAlchemy's engines: one for everything on PostgreSQL; on SQLite one that reads, and one that writes over
    a single connection."""
    return _sqlite(app, settings) if settings.on_sqlite else _postgresql(app, settings)


def _sqlite(app: Flask, settings: Settings) -> Database:
    file = sqlite_file(settings.database_url)
    _make_for_us_alone(file)
    url, options = sqlite_url(file), sqlite_options()
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    app.config["SQLALCHEMY_BINDS"] = {"writer": writer_options(options) | {"url": url}}
    db.init_app(app)
    with app.app_context():
        reader, writer = db.engine, db.engines["writer"]
    return connect.sqlite(reader, writer)


def _make_for_us_alone(file: Path) -> None:
    """SQLite makes its file, and the two beside it, with the rights that it finds: ours alone, whatever the umask."""
    if file.parent.is_dir() and not file.exists():
        with suppress(OSError):  # SQLite says why, at the first statement
            file.touch(mode=0o600)


def _postgresql(app: Flask, settings: Settings) -> Database:
    address = parameters(settings.database_url)
    app.config["SQLALCHEMY_DATABASE_URI"] = postgresql_url(address)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = postgresql_options(address, settings.database_pool_size)
    if settings.database_read_url:
        standby = parameters(settings.database_read_url)
        options = postgresql_options(standby, settings.database_pool_size, "prefer-standby")
        app.config["SQLALCHEMY_BINDS"] = {"replica": options | {"url": postgresql_url(standby)}}
    db.init_app(app)
    with app.app_context():
        engine, replica = db.engine, db.engines.get("replica")
    limits = postgresql_limits(settings.database_statement_seconds)
    pooled = says_pooler(settings.database_url)
    return connect.postgresql(engine, limits, says_pooler=pooled, replica=replica)


loading.done()
