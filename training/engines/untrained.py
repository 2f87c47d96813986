"""Write an untrained network in a child process: ``python -m training.engines.untrained``, a JSON spec on stdin.

It is the floor against which a trained model is measured: same architecture, classes and channels, weights as
the random generator left them.
"""

from pathlib import Path
from typing import Any

from labelling.core.child import Emit, child_main
from training.core.errors import TrainingError, TrainingFailed


def write_untrained(spec: dict[str, Any], emit: Emit) -> None:
    """Write a checkpoint of a network that has seen nothing.

    Args:
        spec: ``architecture`` (name of a network without its suffix), ``types`` (codes in the order of the classes),
            ``channels``, ``seed`` and ``weights`` (path of the file to write).
        emit: receives ``done``.

    Raises:
        TrainingFailed: ultralytics knows no such network.
    """
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(spec["seed"])
    try:
        model = DetectionModel(
            f"{spec['architecture']}.yaml", ch=spec["channels"], nc=len(spec["types"]), verbose=False
        )
    except FileNotFoundError as error:
        msg = f"ultralytics knows no network {spec['architecture']}"
        raise TrainingFailed(msg) from error
    model.names = dict(enumerate(spec["types"]))
    torch.save({"model": model.half(), "ema": None, "epoch": -1}, Path(spec["weights"]))
    emit({"event": "done"})


if __name__ == "__main__":
    child_main(write_untrained, expected=TrainingError)
