"""The cells of deploy/nginx.conf: what stands in for their names, and the addresses they get."""

import re
from collections.abc import Mapping

from project import ROOT

NGINX_CONF = ROOT / "deploy" / "nginx.conf"
CELLS = ("cell-0", "cell-1", "cell-2", "cell-3")


def configured(port: int, addresses: Mapping[str, str]) -> str:
    """Return the configuration as it is, with a port and with other addresses of the cells."""
    text = NGINX_CONF.read_text(encoding="utf-8").replace(
        "listen 8256;", f"listen 127.0.0.1:{port};"
    )
    for cell, address in addresses.items():
        text, count = re.subn(rf"server {cell}:8256\b", f"server {address}", text)
        assert count == 2
    return text
