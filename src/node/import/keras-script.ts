/**
 * The program that has real Keras make a model's vectors; it stays beside the model, so that its user can read it and run
 * it again. It asks nothing of Portico: `python vectors.py settings.json vectors.out.json`.
 */
export const kerasScript = `"""Vectors of a model by real Keras, for portico verify. Written by portico import.

python vectors.py SETTINGS.json VECTORS.json
"""

import base64
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
MISSING = 3


def kerases():
    """Keras 3 and tf_keras, those of them that are installed."""
    try:
        import numpy  # noqa: F401
        import PIL  # noqa: F401
    except ImportError as error:
        sys.exit(give_up(error))
    errors = []
    for name in ("keras", "tf_keras"):
        try:
            yield __import__(name)
        except ImportError as error:
            errors.append(error)
    if len(errors) == 2:
        sys.exit(give_up(errors[0]))


def give_up(error):
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return MISSING


def load(k, settings):
    """The model as Keras itself reads the file."""
    file, topology = settings["file"], settings["topology"]
    if settings["format"] == "keras-h5-weights":
        with open(topology, encoding="utf-8") as text:
            model = k.models.model_from_json(text.read())
        model.load_weights(file)
        return model
    if settings["format"] == "tfjs-layers":
        return load_tfjs(k, file)
    return k.models.load_model(file, compile=False)


def load_tfjs(k, file):
    """TensorFlow.js's layers format, which Keras does not read: its weights go to the variables of their names."""
    import numpy as np

    with open(file, encoding="utf-8") as text:
        saved = json.load(text)
    topology = saved["modelTopology"]
    model = k.models.model_from_json(json.dumps(topology.get("model_config", topology)))
    values = {}
    for group in saved["weightsManifest"]:
        parts = []
        for path in group["paths"]:
            with open(os.path.join(os.path.dirname(file), path), "rb") as shard:
                parts.append(shard.read())
        data, start = b"".join(parts), 0
        for weight in group["weights"]:
            count = int(np.prod(weight["shape"], dtype=np.int64))
            values[weight["name"]] = np.frombuffer(data, "<f4", count, start).reshape(weight["shape"])
            start += 4 * count
    for variable in model.weights:
        name = getattr(variable, "path", variable.name).split(":")[0]
        found = [key for key in values if key == name or key.endswith("/" + name)]
        if len(found) != 1:
            raise ValueError(f"{len(found)} weights are named {name}")
        variable.assign(values.pop(found[0]))
    return model


def find(model, name):
    """The layer, before it the models inside the model through which it is reached."""
    for layer in model.layers:
        if layer.name == name:
            return [layer]
        if hasattr(layer, "layers") and name.startswith(layer.name + "/"):
            inner = find(layer, name[len(layer.name) + 1 :])
            if inner:
                return [layer, *inner]
    return []


def first_call(model, layer):
    """What the layer takes and gives where the model calls it for the first time."""
    graph = getattr(model, "_functional", None) or model
    nodes = [node for level in graph._nodes_by_depth.values() for node in level]
    for node in layer._inbound_nodes:
        if any(node is other for other in nodes):
            given = node.output_tensors if hasattr(node, "output_tensors") else node.outputs
            return first(node.input_tensors), first(given)
    raise ValueError(f"layer {layer.name} is not called")


def first(tensors):
    return tensors[0] if isinstance(tensors, (list, tuple)) else tensors


def features(k, model, path):
    """A model that ends in the last layer of the path."""
    taken, given = first_call(model, path[0])
    if len(path) > 1:
        given = features(k, path[0], path[1:])(taken)
    return k.Model(model.inputs, given)


def vectors(k, settings):
    import numpy as np

    model = load(k, settings)
    path = find(model, settings["outputLayer"])
    if not path:
        raise ValueError(f"the model has no layer {settings['outputLayer']}")
    model = features(k, model, path)
    pooling = settings["pooling"]
    if len(first(model.outputs).shape) == 4 and pooling != "none":
        pool = k.layers.GlobalAveragePooling2D if pooling == "avg" else k.layers.GlobalMaxPooling2D
        model = k.Model(model.inputs, pool()(first(model.outputs)))
    made = {}
    for image in settings["images"]:
        picture = k.utils.load_img(
            image["path"],
            target_size=(settings["height"], settings["width"]),
            interpolation=settings["interpolation"],
        )
        tensor = k.utils.img_to_array(picture)[np.newaxis]
        if settings["mode"] != "none":
            tensor = k.applications.imagenet_utils.preprocess_input(tensor, mode=settings["mode"])
        vector = np.asarray(model.predict(tensor, verbose=0), np.float32).reshape(-1)
        vector = (vector / np.linalg.norm(vector)).astype("<f4")
        made[image["name"]] = base64.b64encode(vector.tobytes()).decode()
    return made


def main():
    with open(sys.argv[1], encoding="utf-8") as text:
        settings = json.load(text)
    failures = []
    for k in kerases():
        try:
            made = vectors(k, settings)
        except Exception as error:
            # Some hold the whole configuration of the model.
            why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            failures.append(f"{k.__name__} {k.__version__}: {why}")
            continue
        with open(sys.argv[2], "w", encoding="utf-8") as out:
            json.dump({"madeBy": f"{k.__name__} {k.__version__}", "vectors": made}, out)
        return 0
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
`;
