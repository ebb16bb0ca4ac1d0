"""`casekit serve`: a bundle as an HTTP service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import socket

    from rich.console import Console


def serve(
    bundle: Annotated[Path, typer.Argument(help="Bundle: a folder or a .zip file.")],
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    rate: Annotated[str, typer.Option(help="Requests allowed to one key.")] = "1200/minute",
    threads: Annotated[int, typer.Option(min=1, help="Threads that predict.")] = 2,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate, for HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key.")] = None,
    wyoming: Annotated[
        str | None, typer.Option(help="Speak Wyoming at tcp://HOST:PORT instead (a home's bundle).")
    ] = None,
) -> None:
    """Serve a bundle over HTTP until Ctrl-C.

    The bundle is verified, and answers its golden inputs before anyone else's.
    Callers send their key in the header X-API-Key. Keys are read from
    CASEKIT_API_KEYS, separated by commas; without it one is made and shown once.

    casekit serve runs/german/bundle
    casekit serve bundle.zip --host 0.0.0.0 --tls-cert c.pem --tls-key k.pem
    curl -H "X-API-Key: ..." http://127.0.0.1:8000/v1/example

    A home's bundle can also be the voice of Home Assistant. Its devices are reached over MQTT
    (CASEKIT_MQTT_HOST) or Home Assistant (CASEKIT_HOME_ASSISTANT_URL), else simulated.

    casekit serve runs/home/bundle --wyoming tcp://127.0.0.1:10300
    """
    import contextlib
    import signal
    import sys

    import uvicorn
    from rich.console import Console

    from core.deployment.bundle import Bundle
    from core.serving.app import ServiceLimits, create_app

    console = Console(stderr=True)
    if wyoming is not None:
        _wyoming(bundle, wyoming, console)
        return
    _log()
    keys, made = _keys()
    opened = Bundle.open(bundle)
    app = create_app(opened, keys=keys, limits=ServiceLimits(rate=rate, threads=threads))
    listening = _listen(host, port)
    scheme = "https" if tls_cert else "http"
    place = f"{scheme}://{host}:{listening.getsockname()[1]}"
    console.print(f"Serving {opened.id} on {place} (see {place}/openapi.json)", soft_wrap=True)
    if made:
        console.print(f"API key, shown only now: {keys[0]}", highlight=False, soft_wrap=True)
    if scheme == "http" and host not in ("127.0.0.1", "localhost", "::1"):
        console.print("Keys and inputs travel unencrypted: use --tls-cert, or a proxy that does.")
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # it would log queries; the service logs requests without them
        server_header=False,
        timeout_keep_alive=15,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
    )
    # After its clean end uvicorn raises the signal again: leave by the door, and tidy files up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _wyoming(bundle: Path, uri: str, console: Console) -> None:
    """Serve a home's bundle by the protocol of Home Assistant's voice services."""
    import contextlib
    import signal
    import sys

    from core.cases import get_case
    from core.deployment.bundle import Bundle
    from core.errors import ParameterError

    name = Bundle.open(bundle).manifest.case
    case: Any = get_case(name)
    if not hasattr(case, "serve_wyoming"):
        raise ParameterError(
            f"bundles of {name} do not speak Wyoming", where="--wyoming",
            remedy="Leave it out, or give a bundle of the voice case",
        )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # stop as Ctrl-C does: tidily
    with contextlib.suppress(KeyboardInterrupt):
        case.serve_wyoming(bundle, uri, started=lambda at: console.print(f"Listening on {at}"))


def _keys() -> tuple[list[str], bool]:
    """The keys of callers, and whether one had to be made."""
    import os
    import secrets

    given = [key.strip() for key in os.environ.get("CASEKIT_API_KEYS", "").split(",")]
    keys = [key for key in given if key]
    return (keys, False) if keys else ([secrets.token_urlsafe(32)], True)


def _listen(host: str, port: int) -> socket.socket:
    """An open socket, before anything says that the service is there."""
    import socket

    from core.errors import ParameterError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # TCP by name: asyncio sends small answers at once (TCP_NODELAY) only if the socket says so.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ParameterError(
            f"cannot listen here: {error.strerror or error}",
            where=f"{host}:{port}",
            remedy="Choose another --port, or --port 0 for a free one",
        ) from error
    return listening


def _log() -> None:
    """Show the service's log, one plain line a request: a drawn one costs more than an answer."""
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("casekit.serving").setLevel(logging.INFO)
