"""From pods, addresses and labels to services."""

import pytest

from tools.clients.names import host_of, service_of_object, workload_of_pod
from tools.clients.rollouts import image_tag


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("checkout-6c9f7d8b5-x2k4q", "checkout"),
        ("checkout-worker-7c4d9b5f6f-bzrtl", "checkout-worker"),
        ("redis-0", "redis"),
        ("orders-db-12", "orders-db"),
        ("node-exporter-5xk2d", "node-exporter"),
        ("web-1a2b3c4d5e-abcde", "web"),
        ("plain", "plain"),
    ],
)
def test_a_pod_tells_its_workload(pod: str, workload: str) -> None:
    assert workload_of_pod(pod) == workload


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("cart", "cart"),
        ("cart:8080", "cart"),
        ("http://cart.shop.svc.cluster.local:8080/x", "cart"),
        ("cart.shop", "cart"),
        ("cart.other", "cart.other"),
        ("api.pay.example:443", "api.pay.example"),
        ("10.1.2.3:5432", "10.1.2.3"),
        ("[2001:db8::1]:443", "2001:db8::1"),
    ],
)
def test_an_address_tells_its_service(address: str, host: str) -> None:
    assert host_of(address, ("shop",)) == host


def test_labels_come_before_names() -> None:
    labels = {"app.kubernetes.io/name": "cart", "app": "other"}
    pod = {"kind": "Pod", "metadata": {"name": "x-6c9f7d8b5-x2k4q", "labels": labels}}
    assert service_of_object(pod) == "cart"
    assert service_of_object({"kind": "Pod", "metadata": {"name": "x-6c9f7d8b5-x2k4q"}}) == "x"
    assert service_of_object({}) == ""


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("registry:5000/shop/cart:v2@sha256:abc", "v2"),
        ("cart:v2.41", "v2.41"),
        ("registry:5000/shop/cart", "registry:5000/shop/cart"),
        ("", ""),
    ],
)
def test_an_image_tells_its_tag(image: str, tag: str) -> None:
    assert image_tag(image) == tag
