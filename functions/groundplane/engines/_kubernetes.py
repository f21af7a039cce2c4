"""Builders for the kinds that in-cluster engines share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from groundplane.core.manifest import Kind, Manifest
from groundplane.core.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from groundplane.engines._environment import Monitoring

NETWORK_POLICY: Final = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
POD_MONITOR: Final = Kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors")
PROMETHEUS_RULE: Final = Kind("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules")
PROMETHEUS_OPERATOR: Final = Operator(
    name="Prometheus Operator",
    version="0.93",
    kinds=(POD_MONITOR, PROMETHEUS_RULE),
    labels=("app.kubernetes.io/name=prometheus-operator",),
    annotation="operator.prometheus.io/version",
)


@dataclass(frozen=True, slots=True)
class Alert:
    """A PromQL expression that is worth waking somebody, and for how long it must hold."""

    name: str
    expression: str
    hold: str
    severity: str
    summary: str


def from_namespaces(names: Iterable[str], *ports: int) -> Manifest:
    """Return an ingress rule that lets all pods of the namespaces *names* reach *ports*."""
    peers = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}} for name in sorted(set(names))
    ]
    return {"from": peers, "ports": [_tcp(port) for port in ports]}


def from_pods(labels: dict[str, str], *ports: int) -> Manifest:
    """Return an ingress rule that lets the pods with *labels* in the same namespace reach *ports*."""
    return {"from": [{"podSelector": {"matchLabels": labels}}], "ports": [_tcp(port) for port in ports]}


def network_policy(name: str, pods: dict[str, str], ingress: Sequence[Manifest]) -> Manifest:
    """Return a NetworkPolicy that lets nothing in to *pods* but *ingress*."""
    return NETWORK_POLICY.manifest(
        name,
        spec={
            "podSelector": {"matchLabels": pods},
            "policyTypes": ["Ingress"],
            "ingress": list(ingress),
        },
    )


def pod_monitor(name: str, pods: dict[str, str], port: str, monitoring: Monitoring) -> Manifest:
    """Return a PodMonitor that scrapes *port* of *pods*."""
    manifest = POD_MONITOR.manifest(
        name,
        spec={"selector": {"matchLabels": pods}, "podMetricsEndpoints": [{"port": port}]},
    )
    manifest["metadata"]["labels"] = dict(monitoring.labels)
    return manifest


def prometheus_rule(name: str, alerts: Sequence[Alert], monitoring: Monitoring) -> Manifest:
    """Return a PrometheusRule with *alerts*, each with a link to its runbook."""
    manifest = PROMETHEUS_RULE.manifest(
        name, spec={"groups": [{"name": name, "rules": [_rule(alert, monitoring) for alert in alerts]}]}
    )
    manifest["metadata"]["labels"] = dict(monitoring.labels)
    return manifest


def _rule(alert: Alert, monitoring: Monitoring) -> Manifest:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.hold,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "runbook_url": f"{monitoring.runbook_url.rstrip('/')}/{alert.name}",
        },
    }


def _tcp(port: int) -> Manifest:
    return {"port": port, "protocol": "TCP"}
