"""nginx from Debian, with a configuration, on ports that are free."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

from command import LIMIT
from needs import skip_or_fail

_MAIN = Template("""\
daemon off;
pid $folder/pid;
error_log stderr warn;
user root;
worker_processes 1;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
$http
}
""")


def executable() -> str:
    """Return the path of nginx; without one, skip the test, or fail it in CI."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        skip_or_fail("needs nginx: apt-get install nginx")
    return found


@contextmanager
def nginx(folder: Path, http: str, port: int) -> Iterator[None]:
    """Run nginx inside the block; `http` is what stands in `http { }`, and listens on a port."""
    config = folder / "nginx.conf"
    config.write_text(_MAIN.substitute(folder=folder, http=http))
    command = [executable(), "-p", str(folder), "-e", "stderr", "-c", str(config)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stderr=log)
        try:
            # It listens from before its first worker runs: connections wait for the worker.
            while process.poll() is None and not _listens(port):
                pass
            assert process.poll() is None, (folder / "log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(timeout=LIMIT)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
