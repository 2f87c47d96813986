"""Settings, all from the environment (docs/configuration.md lists each variable)."""

import os
import sys
from pathlib import Path

from csp.constants import NONCE
from django.core.exceptions import ImproperlyConfigured

from labelling.core.gdal import wheel_library
from labelling.core.hosts import RemotePolicy
from mad_web.embedded import embedded_secret, loadable_sqlite, spatialite_library
from mad_web.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
if (BASE_DIR / ".env").is_file():
    env.read_env(str(BASE_DIR / ".env"))

# Everything that the program writes lies here: database file, blobs, logs, queue.
MAD_HOME = env.folder("MAD_HOME", default=BASE_DIR / "var")
BLOB_ROOT = MAD_HOME / "blobs"
LOG_ROOT = MAD_HOME / "logs"
WORK_ROOT = MAD_HOME / "work"
EXPORT_ROOT = MAD_HOME / "exports"
DATASET_ROOT = MAD_HOME / "datasets"
# Weights that an admin puts here, such as yolo11n.pt, may be named as the architecture of a training.
WEIGHTS_ROOT = MAD_HOME / "weights"
# Seed files that an admin puts here can be imported in the browser without an upload.
SEED_INBOX = env.folder("MAD_SEED_INBOX", default=MAD_HOME / "inbox")
SEED_UPLOAD_BYTES = env.int("MAD_UPLOAD_MB", default=500, least=1) * 1_000_000
FILE_UPLOAD_TEMP_DIR = WORK_ROOT
FILE_UPLOAD_HANDLERS = ["mad_web.uploads.LimitedUpload", "django.core.files.uploadhandler.TemporaryFileUploadHandler"]
# Drawn map tiles, so that a tile is drawn once; the oldest go when there are more than this.
TILE_ROOT = MAD_HOME / "tiles"
TILE_CACHE_BYTES = env.int("MAD_TILE_CACHE_MB", default=2048) << 20
# Imagery may be read only below these folders (os.pathsep between several); MAD_HOME is always one of them.
SCENE_ROOTS = env.folders("MAD_SCENE_ROOTS", default="/")
# Hosts, buckets and their key are read where they are used, also by processes without settings; checked here.
try:
    RemotePolicy.from_environment(os.environ)
except ValueError as error:
    msg = f"{error} (docs/configuration.md)"
    raise ImproperlyConfigured(msg) from error
SHARED_DATA = Path(env.str("MAD_SHARED_DATA", default=str(BASE_DIR.parent / "shared" / "data")))
for folder in (MAD_HOME, BLOB_ROOT, LOG_ROOT, WORK_ROOT, EXPORT_ROOT, DATASET_ROOT, WEIGHTS_ROOT):
    folder.mkdir(parents=True, exist_ok=True)

DEPLOYED = env.bool("MAD_DEPLOYED", default=False)
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or ("" if DEPLOYED else embedded_secret(MAD_HOME))
if len(SECRET_KEY) < 50:
    msg = (
        "SECRET_KEY is missing or shorter than 50 characters: set it to the output of "
        "python -c 'import secrets; print(secrets.token_urlsafe(64))'"
    )
    raise ImproperlyConfigured(msg)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if DEPLOYED else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
if DEPLOYED and not ALLOWED_HOSTS:
    msg = "ALLOWED_HOSTS is empty: set it to the names that this server answers to, such as mines.example.org"
    raise ImproperlyConfigured(msg)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "leaflet",
    "csp",
    "mad_web",
    "labelling",
    "inference",
    "training",
]

MIDDLEWARE = [
    "mad_web.prepared.PreparedStatements",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "mad_web.urls"
WSGI_APPLICATION = "mad_web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mad_web.navigation.navigation",
            ],
            "builtins": ["mad_web.templatetags.figures"],
        },
    },
]

# GeoDjango loads GDAL and GEOS from the wheels, so that no system package is needed for them.
GDAL_LIBRARY_PATH = env.library("GDAL_LIBRARY_PATH", wheel_library("rasterio", "libgdal*"))
GEOS_LIBRARY_PATH = env.library("GEOS_LIBRARY_PATH", wheel_library("shapely", "libgeos_c*"))
SPATIALITE_LIBRARY_PATH = env.library("SPATIALITE_LIBRARY_PATH", spatialite_library())

env.one_of(
    "DATABASE_URL", f"spatialite:///{MAD_HOME}", ("postgis://", "spatialite:///"), "postgis://mad:secret@db:5432/mad"
)
_database = env.db_url("DATABASE_URL", default=f"spatialite:///{MAD_HOME / 'mad.sqlite3'}")
if "spatialite" in _database["ENGINE"]:
    loadable_sqlite(sys.modules)
    _database["ENGINE"] = "mad_web.spatialite"
    _database["TEST"] = {"NAME": ":memory:"}
    _database["CONN_MAX_AGE"] = None  # to open one takes longer than most requests: it loads SpatiaLite
    _database["OPTIONS"] = {
        # One writer at a time, who says so at the start: no "database is locked" in the middle of work.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # FULL: a label that was acknowledged is on disk.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000;",
    }
else:
    _pool = {"min_size": 1, "max_size": env.int("DATABASE_POOL", default=10, least=1), "timeout": 10}
    _database["OPTIONS"] = {"pool": _pool}
    if not _database["NAME"]:
        msg = "DATABASE_URL names no database: set it to such as postgis://mad:secret@db:5432/mad"
        raise ImproperlyConfigured(msg)
DATABASES = {"default": _database}
DATABASE_PREPARED = env.bool("DATABASE_PREPARED", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["mad_web.backend.Backend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "mad_web.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = DEPLOYED
SECURE_SSL_REDIRECT = False  # the proxy's work
# W008: see above. W005 and W021: subdomains and browsers' preload lists are for the owner of the domain to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_HSTS_SECONDS = 31_536_000 if DEPLOYED else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if DEPLOYED else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

_BASEMAP_HOSTS = env.list("MAD_BASEMAP_HOSTS", default=[])
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", NONCE],
        "style-src": ["'self'", "'unsafe-inline'"],  # Leaflet and Geoman set element styles
        "img-src": ["'self'", "data:", "blob:", *_BASEMAP_HOSTS],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = MAD_HOME / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(BLOB_ROOT)},
    },
    "staticfiles": {"BACKEND": "mad_web.storage.StaticStorage"},
}

LEAFLET_CONFIG = {
    "TILES": [],  # a scene's own tiles and, where configured, a basemap; both are added by static/js/map.js
    "ATTRIBUTION_PREFIX": "",
    "RESET_VIEW": False,
    "NO_GLOBALS": False,
    "SCALE": "metric",
    "MINIMAP": False,
    "FORCE_IMAGE_PATH": False,
    "MIN_ZOOM": 2,
    "MAX_ZOOM": 19,
    "PLUGINS": {
        "geoman": {
            "css": ["vendor/leaflet-geoman/leaflet-geoman.css"],
            "js": ["vendor/leaflet-geoman/leaflet-geoman.min.js"],
            "auto-include": False,
        },
    },
}
# An XYZ basemap for orientation, such as https://tile.example.org/{z}/{x}/{y}.png; empty: none.
MAD_BASEMAP = {
    "url": env.tiles("MAD_BASEMAP_URL"),
    "attribution": env.str("MAD_BASEMAP_ATTRIBUTION", default=""),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["labelling.api.session.SignedIn"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "mad_web.errors.handle_api_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MAD Web",
    "DESCRIPTION": "Sites, proposals, decisions and labels of mines on Sentinel-2 imagery.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

CELERY_BROKER_URL = env.one_of(
    "CELERY_BROKER_URL",
    "filesystem://",
    ("filesystem://", "redis://", "rediss://", "redis+socket://"),
    "redis://redis:6379/0",
)
_queue_folders = {name: MAD_HOME / "queue" / name for name in ("messages", "processed", "control")}
# A running job outlives any redelivery: its row, not its message, is the truth about it.
_VISIBILITY_S = 48 * 3600
if CELERY_BROKER_URL.startswith("filesystem:"):
    for folder in _queue_folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue_folders["messages"]),
        "data_folder_out": str(_queue_folders["messages"]),
        "processed_folder": str(_queue_folders["processed"]),
        "control_folder": str(_queue_folders["control"]),
        "store_processed": False,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": _VISIBILITY_S}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # a job that died is found by the reaper, never run twice by the broker
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(MAD_HOME / "queue" / "beat-schedule")
(MAD_HOME / "queue").mkdir(exist_ok=True)

# A running job says so this often, and is taken for dead when it has said nothing for so long.
JOB_HEARTBEAT_S = env.int("JOB_HEARTBEAT_S", default=5, least=1)
JOB_DEAD_AFTER_S = env.int("JOB_DEAD_AFTER_S", default=40, least=3 * JOB_HEARTBEAT_S)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.level("LOG_LEVEL", default="INFO")},
    "loggers": {
        name: {"level": "ERROR"}
        for name in ("django.request", "rasterio", "numexpr", "faster_coco_eval", "kombu.connection")
    },
}
