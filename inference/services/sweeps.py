"""Run a model over scenes, in a child process."""

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings

from inference.core.errors import InferenceError
from inference.core.sweep import Box, SweepResult, SweepSettings, SweepTarget
from inference.models import ModelVersion
from inference.services.registry import weights_of
from labelling.services.children import listen_to_child
from labelling.services.jobs import JobHandle, log_of

MODULE = "inference.engines.sweep"


def sweep(
    *,
    model: ModelVersion,
    targets: Sequence[SweepTarget],
    settings: SweepSettings,
    handle: JobHandle | None,
    strict: bool = True,
    done: int = 0,
    total: int | None = None,
) -> Generator[SweepResult, None, None]:
    """Look at scenes with a model; results come one by one, in the order of the targets.

    The child process, and with it the GPU, is free again when the iterator ends, is closed or fails.

    Args:
        model: the model version.
        targets: scenes, each with a key of its own.
        settings: least score, overlap of windows, batch, merging.
        handle: the job to keep alive and to ask about a cancel; None where there is none.
        strict: end with an error at the first scene that cannot be read, rather than give a result that says so.
        done: how many scenes of the job are behind it, for the progress that it tells.
        total: how many scenes the job has; None for those that are behind it and the targets.

    Yields:
        One result a target; boxes are merged across the seams of windows.

    Raises:
        InferenceError: strict, and a scene cannot be read.
        ModelMissing: the weights are gone.
        ChildFailed: the child ended with an error, such as weights that it refused.
        JobCancelled: somebody asked to cancel.
        LostJob: the job was given to another worker.
    """
    if not targets:
        return
    spec = {
        "weights": str(weights_of(model)),
        "engine": model.engine,
        "preparation": model.preparation,
        "types": model.types,
        "targets": [target.to_json() for target in targets],
        "settings": settings.to_json(),
        "done": done,
        "total": total or done + len(targets),
    }
    with closing(listen_to_child(handle=handle, module=MODULE, spec=spec, log=_log(model, handle))) as events:
        for event in events:
            result = _result(event)
            if strict and result.error:
                raise InferenceError(result.error)
            yield result


def _log(model: ModelVersion, handle: JobHandle | None) -> Path:
    if handle is not None:
        return log_of(handle)
    return Path(django_settings.LOG_ROOT) / "sweeps" / f"model-{model.pk}.log"


def _result(event: dict[str, Any]) -> SweepResult:
    if event["event"] == "failed":
        return SweepResult(event["key"], (), 0, error=event["reason"])
    return SweepResult(event["key"], tuple(Box(*row) for row in event["boxes"]), event["windows"])
