"""nginx, haproxy and caddy before hypercorn, passing WebSockets on: only haproxy takes extended CONNECT."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from . import hypercorn
from .process import HOST, ServerProcess
from .programs import find_program
from .workspace import Workspace

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port} ssl http2;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        location / {{
            proxy_pass http://{host}:{behind};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
        }}
    }}
}}
"""

HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend front
    bind {host}:{port} ssl crt {joined} alpn h2,http/1.1
    default_backend back
backend back
    server one {host}:{behind}
"""

CADDY = """
{{
    admin off
    auto_https off
}}
https://{host}:{port} {{
    bind {host}
    tls {cert} {key}
    reverse_proxy {host}:{behind}
}}
"""

COMMANDS = {
    "nginx": (NGINX, ["-c", "{file}"]),
    "haproxy": (HAPROXY, ["-db", "-f", "{file}"]),
    "caddy": (CADDY, ["run", "--adapter", "caddyfile", "--config", "{file}"]),
}


@contextmanager
def run(workspace: Workspace, name: str) -> Iterator[ServerProcess]:
    """The proxy of that name over TLS, and hypercorn in the clear behind it."""
    program = find_program(name)
    folder = workspace.server_folder(name)
    text, arguments = COMMANDS[name]
    file = folder / "proxy.conf"
    with hypercorn.run(workspace, tls=False) as behind:

        def command(port: int) -> list[str]:
            file.write_text(
                text.format(
                    folder=folder,
                    host=HOST,
                    port=port,
                    behind=behind.port,
                    cert=workspace.cert_file,
                    key=workspace.key_file,
                    joined=workspace.joined_file,
                )
            )
            return [program, *(argument.format(file=file) for argument in arguments)]

        home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        process = ServerProcess(command, folder, env=home)
        try:
            process.start()
            yield process
        finally:
            process.stop()
