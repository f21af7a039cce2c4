"""Sections of an environment that more than one engine reads. Shared, not duplicated: a region is written once."""

from __future__ import annotations

import ipaddress
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from groundplane.contracts.environment import Section
from groundplane.core.manifest import GROUP

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


# What AWS says of tags: letters, separators and digits in any script, and these; its own keys begin with one of them.
_TAG_CATEGORIES: Final = "LZN"
_TAG_CHARACTERS: Final = "_.:/=+-@"
_TAG_PREFIXES: Final = ("aws:", "rds:")
_TAG_KEY: Final = 128
_TAG_VALUE: Final = 256
# An object may have fifty: three are the provider's, four tell whose the object is.
TAGS: Final = 43
_PROVIDERS_TAGS: Final = ("crossplane-kind", "crossplane-name", "crossplane-providerconfig")


def _tags(tags: dict[str, str]) -> dict[str, str]:
    """Return *tags* if AWS takes them all on one object beside those that are there anyway.

    Raises:
        ValueError: it does not; the message names the first that it refuses.
    """
    if len(tags) > TAGS:
        msg = f"{len(tags)} tags are too many: AWS takes fifty, of which {TAGS} are left; remove {len(tags) - TAGS}"
        raise ValueError(msg)
    for key, value in sorted(tags.items()):
        if trouble := _tag_trouble(key, value):
            shown = key if len(key) <= _TAG_KEY and key.isprintable() else ascii(key[:_TAG_KEY])
            msg = f"{shown}: {trouble}"
            raise ValueError(msg)
    return tags


def _tag_trouble(key: str, value: str) -> str | None:
    if key.startswith(f"{GROUP}/") or key in _PROVIDERS_TAGS:
        return "this tag says whose the object is, and is not the environment's to set; choose another key"
    if not 1 <= len(key) <= _TAG_KEY:
        return f"the key has {len(key)} characters, and AWS takes 1 to {_TAG_KEY}"
    if len(value) > _TAG_VALUE:
        return f"the value has {len(value)} characters, and AWS takes at most {_TAG_VALUE}"
    for what, text in (("key", key), ("value", value)):
        if text.lower().startswith(_TAG_PREFIXES):
            return f"the {what} begins with {text[:4]}, which AWS keeps for itself"
        for character in text:
            if unicodedata.category(character)[0] not in _TAG_CATEGORIES and character not in _TAG_CHARACTERS:
                taken = f"letters, digits, spaces and {' '.join(_TAG_CHARACTERS)}"
                return f"the {what} has the character {character!a}, and AWS takes {taken}"
    return None


class Aws(Section):
    """The account and network that AWS engines use."""

    region: Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$")]
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
    tags: Annotated[dict[str, str], AfterValidator(_tags)] = Field(default_factory=dict)
    """Tags on everything that is made, at most 43, as AWS takes them."""
