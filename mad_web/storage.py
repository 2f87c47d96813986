"""Static files under names that change with their content."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Hashes what ES modules import too, so that a browser never mixes two versions of the screens."""

    support_js_module_import_aggregation = True
