"""Makes tiny-golden.json: what tf_keras gives for a few fixtures and the network residual-block of
fixtures/golden/convert, which the load tests serve. Run it with the packages of fixtures/requirements.txt:

    TF_USE_LEGACY_KERAS=1 python tools/load/tiny_golden.py
"""

import base64
import json
from pathlib import Path

import numpy as np
import tf_keras
from keras_applications import imagenet_utils

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "fixtures/golden/convert"
NETWORK = "residual-block"
IMAGES = [
    "jpeg/quality-5.jpg",
    "png/rgb-16x16.png",
    "webp/lossy-quality-5.webp",
    "gif/16-colours.gif",
    "bmp/palette-4bit.bmp",
    "jpeg/grey-2x2.jpg",
    "jpeg/crop-256x256.jpg",
]


def load_network() -> tf_keras.Model:
    """The network as tf_keras builds it from its own JSON, every variable set by name."""
    saved = json.loads((FOLDER / f"{NETWORK}.model.json").read_text())
    model = tf_keras.models.model_from_json(json.dumps(saved["modelTopology"]["model_config"]))
    values = {}
    for group in saved["weightsManifest"]:
        raw = b"".join((FOLDER / path).read_bytes() for path in group["paths"])
        at = 0
        for weight in group["weights"]:
            count = int(np.prod(weight["shape"]))
            values[weight["name"]] = np.frombuffer(raw, "<f4", count, at).reshape(weight["shape"])
            at += 4 * count
    for variable in model.weights:
        variable.assign(values.pop(variable.name.split(":")[0]))
    if values:
        raise SystemExit(f"expected every weight to be used, these were left over: {sorted(values)}")
    return model


def check(model: tf_keras.Model) -> None:
    """The network gives what its own golden says."""
    golden = json.loads((FOLDER / f"{NETWORK}.json").read_text())
    floats = lambda part: np.frombuffer(base64.b64decode(part["values"]), "<f4").reshape(part["shape"])  # noqa: E731
    got = model.predict(floats(golden["input"]), verbose=0)
    worst = float(np.abs(got - floats(golden["output"])).max())
    if worst > golden["tolerance"]:
        raise SystemExit(f"expected the golden of {NETWORK} within {golden['tolerance']}, got {worst}")


def embed(model: tf_keras.Model, image: str) -> list[float]:
    _, height, width, _ = model.input_shape
    picture = tf_keras.utils.load_img(ROOT / "fixtures/images" / image, target_size=(height, width))
    pixels = tf_keras.utils.img_to_array(picture)[None]
    tensor = imagenet_utils.preprocess_input(
        pixels, data_format="channels_last", mode="caffe", backend=tf_keras.backend
    )
    features = model.predict(tensor, verbose=0)[0].astype(np.float64)
    return [float(value) for value in (features / np.linalg.norm(features)).astype(np.float32)]


if __name__ == "__main__":
    network = load_network()
    check(network)
    golden = {
        "golden": "portico-tiny/1",
        "network": NETWORK,
        "outputLayer": network.layers[-1].name,
        "tolerance": 1e-5,
        "pictures": [{"image": image, "vector": embed(network, image)} for image in IMAGES],
    }
    path = Path(__file__).with_name("tiny-golden.json")
    path.write_text(json.dumps(golden, indent=2) + "\n")
