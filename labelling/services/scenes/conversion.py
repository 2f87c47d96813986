"""Cloud-optimised copies of scenes that are in the catalogue."""

from dataclasses import asdict
from pathlib import Path

from django.contrib.auth.models import User

from labelling.core.blobs import remove_scratch
from labelling.core.errors import Conflict
from labelling.core.intake import uris_of
from labelling.models import Job, Scene
from labelling.services.children import run_child
from labelling.services.jobs import JobHandle, enqueue_job, log_of
from labelling.services.scenes.roots import copy_store

CONVERT = "labelling.convert_scene"


def conversion_of(*, scene: Scene) -> Job | None:
    """Find the newest job that writes, or wrote, a scene's cloud-optimised copy."""
    return Job.objects.filter(kind=CONVERT, params__scene=scene.pk).first()


def order_conversion(*, scene: Scene, user: User) -> Job:
    """Ask a worker for a scene's cloud-optimised copy; the job that is under way where there is one.

    Raises:
        Conflict: the scene has its overviews already.
    """
    if not scene.wants_overviews:
        msg = "this scene needs no copy: it is small, or has overviews"
        raise Conflict(msg)
    job = conversion_of(scene=scene)
    if job and not job.is_final and not job.is_silent:
        return job
    return enqueue_job(kind=CONVERT, title=f"Copy of {scene.name}", params={"scene": scene.pk}, user=user)


def convert_scene(*, scene: Scene, handle: JobHandle) -> Scene:
    """Write a scene's cloud-optimised copy in a child process and catalogue it in the place of the file.

    The version stays: the numbers are the same, and the tiles that were drawn from them are too.

    Args:
        scene: the scene.
        handle: the job to keep alive meanwhile.

    Raises:
        ChildFailed: the file cannot be read, or the copy not be written.
        JobCancelled: somebody asked to cancel it.
    """
    copy = Path(uris_of(scene.uri, copy_store())[1])
    spec = {"ref": asdict(scene.ref()), "target": str(copy)}
    try:
        run_child(handle=handle, module="labelling.core.cog", spec=spec, log=log_of(handle), on_event=lambda _: None)
    finally:
        remove_scratch(copy)
    scene.uri, scene.files, scene.has_overviews = str(copy), [], True
    scene.save(update_fields=["uri", "files", "has_overviews"])
    return scene
