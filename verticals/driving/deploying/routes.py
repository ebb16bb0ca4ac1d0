"""The ways in which the road network is written and run, by name."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ParameterError


@dataclass(frozen=True)
class Route:
    """One way to run it."""

    name: str
    file: str  # in an export's folder
    beside: str = ""  # a second file that belongs to it
    package: str = ""  # what has to be installed
    extra: str = ""  # ... and casekit's extra that holds it; empty for its own requirements
    torch: bool = False  # whether it needs torch to run


ROUTES = {
    one.name: one
    for one in (
        Route("torch", "network.safetensors", package="torch", torch=True),
        Route("compiled", "network.safetensors", package="torch", torch=True),
        Route("onnx", "network.onnx", package="onnxruntime"),
        Route("onnx_int8", "network_int8.onnx", package="onnxruntime"),
        Route("openvino", "network.xml", "network.bin", "openvino", "edge"),
        Route("openvino_bf16", "network.xml", "network.bin", "openvino", "edge"),
        Route("openvino_int8", "network_int8.xml", "network_int8.bin", "openvino", "edge"),
        Route(
            "executorch",
            "network.pte",
            "network.pte.json",
            package="executorch",
            extra="edge",
            torch=True,
        ),
    )
}


def route(name: str) -> Route:
    """The route of a name.

    Raises:
        ParameterError: There is none.
    """
    if name not in ROUTES:
        raise ParameterError(
            f"there is no runtime {name!r}", where="kind",
            remedy=f"Choose from {', '.join(ROUTES)}",
        )  # fmt: skip
    return ROUTES[name]
