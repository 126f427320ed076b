"""One engine in a process of its own, for engine-peers.ts: reads numbers of runs, a line each, and tells their times.

python bench/peers/python_engine.py keras|openvino THREADS MODEL TENSOR
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

import numpy as np  # noqa: E402  (TensorFlow reads the environment when it is imported)

Run = Callable[[np.ndarray], np.ndarray]


def open_keras(model: str, threads: int) -> tuple[str, Run]:
    """As the original operator calls it, with `predict`."""
    import tensorflow as tf
    import tf_keras
    from generation.keras_model import KERAS
    from keras_applications import resnet50

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = resnet50.ResNet50(weights=None, include_top=False, pooling="avg", **KERAS)
    network.load_weights(model)
    return f"tf_keras {tf_keras.__version__}", lambda tensor: network.predict(tensor, verbose=0)


def open_openvino(model: str, threads: int) -> tuple[str, Run]:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    version = openvino.__version__.split("-")[0]
    return f"OpenVINO {version}", lambda tensor: request.infer([tensor])[0]


def tell(facts: object) -> None:
    print(json.dumps(facts), flush=True)


def main(name: str, threads: str, model: str, tensor_file: str) -> None:
    started = time.perf_counter()
    version, run = {"keras": open_keras, "openvino": open_openvino}[name](model, int(threads))
    load_ms = (time.perf_counter() - started) * 1000
    tensor = np.fromfile(tensor_file, "<f4").reshape(1, 224, 224, 3)
    tell({"version": version, "loadMs": load_ms, "features": run(tensor)[0].tolist()})
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            run(tensor)
            times.append((time.perf_counter() - start) * 1000)
        tell(times)


if __name__ == "__main__":
    main(*sys.argv[1:])
