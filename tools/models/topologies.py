"""Writes models/<name>/topology.json, as real Keras gives it, for the models whose weights come alone.

python tools/models/topologies.py, in an environment with fixtures/requirements.txt
"""

import json
import os
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tf_keras  # noqa: E402  (TensorFlow reads the environment when it is imported)
from keras_applications import vgg16, vgg19, xception  # noqa: E402

MODELS = Path(__file__).resolve().parents[2] / "models"
KERAS = {"backend": tf_keras.backend, "layers": tf_keras.layers, "models": tf_keras.models, "utils": tf_keras.utils}
# Each network and how it is pooled: as the operators of Phantoscope and its tutorial do.
NETWORKS = {
    "vgg16": (vgg16.VGG16, "max"),
    "vgg19": (vgg19.VGG19, "avg"),
    "xception": (xception.Xception, "avg"),
}


def xception_names() -> dict[str, str]:
    """The layers of the official file, which Keras 1 wrote, and what keras_applications 1.0.8 calls them.

    Keras 1 numbered the layers of each kind in the order of their making; 1.0.8 makes them in the same order, but
    has names of its own for all that are not on a shortcut.
    """
    tf_keras.backend.clear_session()
    kinds = {"Conv2D": "convolution2d", "SeparableConv2D": "separableconvolution2d"}
    kinds["BatchNormalization"] = "batchnormalization"
    counts = dict.fromkeys(kinds, 0)
    names = {}

    def counting(kind: str):
        def make(*args, **options):
            layer = getattr(tf_keras.layers, kind)(*args, **options)
            counts[kind] += 1
            names[f"{kinds[kind]}_{counts[kind]}"] = layer.name
            return layer

        return make

    layers = type("Layers", (), {})()
    for name in dir(tf_keras.layers):
        setattr(layers, name, counting(name) if name in kinds else getattr(tf_keras.layers, name))
    xception.Xception(weights=None, include_top=False, pooling="avg", **{**KERAS, "layers": layers})
    return names


def one_layer_a_line(topology: dict) -> str:
    layers = topology["config"]["layers"]
    compact = {"separators": (",", ":")}
    whole = json.dumps({**topology, "config": {**topology["config"], "layers": []}}, **compact)
    lines = ",\n".join(json.dumps(layer, **compact) for layer in layers)
    return whole.replace('"layers":[]', f'"layers":[\n{lines}\n]', 1) + "\n"


def main() -> None:
    for name, (build, pooling) in NETWORKS.items():
        # Or the numbers in the names of unnamed layers depend on what was made before.
        tf_keras.backend.clear_session()
        model = build(weights=None, include_top=False, pooling=pooling, **KERAS)
        (MODELS / name / "topology.json").write_text(one_layer_a_line(json.loads(model.to_json())))
    names = json.dumps(xception_names(), indent=2)
    (MODELS / "xception" / "layer-names.json").write_text(names + "\n")


main()
