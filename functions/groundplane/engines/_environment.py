"""Sections of an environment that more than one engine reads. Shared, not duplicated: a region is written once."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from groundplane.contracts.environment import Section

WORKLOAD_IDENTITY = "WorkloadIdentity"


class Kubernetes(Section):
    """Where in-cluster engines keep data."""

    storage_class: str | None = None
    """StorageClass of the volumes.

    It must encrypt at rest and allow expansion. Default: the cluster's default class.
    """


class BackupTarget(Section):
    """The object store, S3 or compatible, that backups go to."""

    bucket: Annotated[str, Field(min_length=3)]
    """Bucket that backups go to. "{namespace}" is replaced by the claim's namespace."""
    region: str | None = None
    """Region of the bucket. Default: what the pods' own configuration says."""
    endpoint_url: Annotated[str | None, Field(alias="endpointURL", pattern=r"^https?://.+")] = None
    """Address of an S3-compatible store. Default: AWS."""
    credentials: str = WORKLOAD_IDENTITY
    """WorkloadIdentity, or the name of a Secret in the claim's namespace with entries access-key-id and
    secret-access-key. A Secret needs one bucket per namespace, so that no team can read another's backups."""
    service_account_annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations that bind the pods' ServiceAccount to a cloud identity.

    "{namespace}" is replaced by the claim's namespace.
    """

    @model_validator(mode="after")
    def _one_bucket_per_namespace(self) -> BackupTarget:
        if self.credentials != WORKLOAD_IDENTITY and "{namespace}" not in self.bucket:
            msg = 'bucket must contain "{namespace}" when credentials names a Secret, which opens the whole bucket'
            raise ValueError(msg)
        return self

    @property
    def secret(self) -> str | None:
        """Name of the Secret with the keys, or None with workload identity."""
        return None if self.credentials == WORKLOAD_IDENTITY else self.credentials

    def path(self, namespace: str) -> str:
        """Return the folder that all backups of *namespace* share, and no other namespace's."""
        return f"s3://{self.bucket.replace('{namespace}', namespace)}/{namespace}"


class Monitoring(Section):
    """Prometheus Operator, where the platform runs it."""

    runbook_url: Annotated[str, Field(alias="runbookURL", pattern=r"^https?://.+")]
    """Address under which the runbooks are served; the alert's name is appended."""
    namespace: str = "monitoring"
    """Namespace that Prometheus scrapes from."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels by which Prometheus selects PodMonitors and PrometheusRules."""


def _canonical(cidr: str) -> str:
    """Return *cidr* if it is written as AWS writes it, else there would be a difference for ever."""
    try:
        ipaddress.IPv4Network(cidr)
    except ValueError as error:
        msg = f"{cidr} is not a network such as 10.20.0.0/16: {error}"
        raise ValueError(msg) from None
    return cidr


Cidr = Annotated[str, Field(pattern=r"^[0-9.]+/[0-9]+$"), AfterValidator(_canonical)]


class Aws(Section):
    """The account and network that AWS engines use."""

    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
    """Region that services are made in."""
    provider_config: Annotated[str, Field(min_length=1)]
    """Name of the ClusterProviderConfig of provider-upjet-aws.

    Not "default": whoever may create managed resources could use it.
    """
    vpc_id: Annotated[str, Field(pattern=r"^vpc-.+")]
    """VPC that services are made in."""
    client_cidrs: Annotated[list[Cidr], Field(min_length=1)]
    """Networks that clients connect from, the providers' pods among them. The boundary of a service is this network,
    not the namespace."""
    kms_key_id: Annotated[str, Field(pattern=r"^arn:")] | None = None
    """ARN of the KMS key that encrypts at rest. Default: the account's own key for the service."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags on everything that is made."""
