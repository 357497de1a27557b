"""The files for Compose and Kubernetes: valid, and true of the sandbox and of deploy/nginx.conf."""

from dataclasses import fields
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cells import CELLS, NGINX_CONF
from project import ROOT

from msgine_sandbox.settings import Settings, environment_name

KUBERNETES = list(yaml.safe_load_all((ROOT / "deploy/kubernetes.yaml").read_text("utf-8")))
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.cells.yaml").read_text("utf-8"))
SETTINGS = {environment_name(each) for each in fields(Settings)}


def of_kind(kind: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in KUBERNETES if each["kind"] == kind}


@pytest.mark.parametrize(
    "document", KUBERNETES, ids=lambda it: f"{it['kind']} {it['metadata']['name']}"
)
def test_each_document_has_the_schema_of_its_kind(document: Any) -> None:
    kubernetes_validate.validate(document, "1.31", strict=True)


def test_a_document_with_a_mistake_is_noticed() -> None:
    document = {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"port": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, "1.31", strict=True)


def test_kubernetes_has_the_configuration_of_nginx_as_it_is() -> None:
    config = of_kind("ConfigMap")["sandbox-proxy"]["data"]["default.conf"]
    assert config == NGINX_CONF.read_text("utf-8")


def test_kubernetes_has_as_many_cells_as_nginx_names() -> None:
    cells = of_kind("StatefulSet")["cell"]
    assert cells["spec"]["replicas"] == len(CELLS)
    services = of_kind("Service")
    for name in CELLS:
        selector = services[name]["spec"]["selector"]
        assert selector == {"statefulset.kubernetes.io/pod-name": name}
    labels = cells["spec"]["template"]["metadata"]["labels"].items()
    assert labels >= services["cells"]["spec"]["selector"].items()
    assert services["cells"]["metadata"]["name"] == cells["spec"]["serviceName"]


def test_a_cell_in_kubernetes_is_set_up_as_the_docs_say() -> None:
    cells = of_kind("StatefulSet")["cell"]
    pod = cells["spec"]["template"]["spec"]
    [container] = pod["containers"]
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert {name for name in given if name.startswith("MSGINE")} <= SETTINGS
    assert given["MSGINE_SANDBOX_ROOT_PATH"] == "/cells/$(POD)"
    assert pod["enableServiceLinks"] is False
    mounted = {each["mountPath"] for each in container["volumeMounts"]}
    assert mounted == {"/data", "/tmp"}
    assert given["MSGINE_SANDBOX_DATABASE"].startswith("/data/")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] == "/_sandbox/health"
    assert given["MSGINE_SANDBOX_ALLOWED_HOST"] in of_kind("Service")
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert f"--uid {pod['securityContext']['runAsUser']}" in dockerfile


def test_compose_has_the_cells_that_nginx_names() -> None:
    services = COMPOSE["services"]
    assert services.keys() == {"proxy", *CELLS}
    assert services["proxy"]["depends_on"] == list(CELLS)
    addresses = set()
    for number, name in enumerate(CELLS):
        cell = services[name]
        assert cell["environment"].keys() <= SETTINGS
        assert cell["environment"]["MSGINE_SANDBOX_ROOT_PATH"] == f"/cells/{number}"
        assert cell["volumes"] == [f"{name}:/data"]
        assert cell["restart"] == "always"
        assert (ROOT / "deploy" / cell["build"] / "Dockerfile").is_file()
        addresses.add(cell["networks"]["cells"]["ipv4_address"])
        Settings(database="/data/sandbox.db", root_path=f"/cells/{number}")
    assert len(addresses) == len(CELLS)
    assert COMPOSE["volumes"].keys() == set(CELLS)
    [mount] = services["proxy"]["volumes"]
    assert (ROOT / "deploy" / mount.split(":")[0]).samefile(NGINX_CONF)
