"""Writes models/<name>/topology.json, as real Keras gives it, for the models whose weights come alone.

python tools/models/topologies.py, in an environment with fixtures/requirements.txt
"""

import json
import os
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tf_keras  # noqa: E402  (TensorFlow reads the environment when it is imported)
from keras_applications import densenet, inception_v3, resnet, vgg16, vgg19, xception  # noqa: E402

MODELS = Path(__file__).resolve().parents[2] / "models"
KERAS = {"backend": tf_keras.backend, "layers": tf_keras.layers, "models": tf_keras.models, "utils": tf_keras.utils}
# Each network and how it is pooled: vgg16 as Phantoscope's own operator does, all others by the average.
NETWORKS = {
    "densenet121": (densenet.DenseNet121, "avg"),
    "inception_v3": (inception_v3.InceptionV3, "avg"),
    "resnet101": (resnet.ResNet101, "avg"),
    "vgg16": (vgg16.VGG16, "max"),
    "vgg19": (vgg19.VGG19, "avg"),
    "xception": (xception.Xception, "avg"),
}
# What numbered the layers of the official files that have other names: Keras 1, and Keras 2, which began with 1.
COUNTED = {
    "inception_v3": {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization"},
    "xception": {
        "Conv2D": "convolution2d",
        "SeparableConv2D": "separableconvolution2d",
        "BatchNormalization": "batchnormalization",
    },
}


def layer_names(name: str) -> dict[str, str]:
    """The layers of the official file, and what keras_applications 1.0.8 in tf_keras calls them.

    Keras numbered the layers of each kind in the order of their making, which is the same today.
    """
    tf_keras.backend.clear_session()
    kinds = COUNTED[name]
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
    for kind in dir(tf_keras.layers):
        setattr(layers, kind, counting(kind) if kind in kinds else getattr(tf_keras.layers, kind))
    build, pooling = NETWORKS[name]
    build(weights=None, include_top=False, pooling=pooling, **{**KERAS, "layers": layers})
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
        (MODELS / name).mkdir(exist_ok=True)
        (MODELS / name / "topology.json").write_text(one_layer_a_line(json.loads(model.to_json())))
    for name in COUNTED:
        (MODELS / name / "layer-names.json").write_text(json.dumps(layer_names(name), indent=2) + "\n")


main()
