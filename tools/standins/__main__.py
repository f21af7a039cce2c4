"""Play the operators and providers in a cluster: `python -m standins KUBECONFIG`, until SIGTERM.

Each acts under the ServiceAccount of the real one, so that roles and policies meet who they will meet. It reads and
writes over the API alone and keeps only what it wrote last: after a restart it goes on where it was. The provider for
AWS, which forgets, has an account beside the kubeconfig that does not.
"""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import config
from kubernetes.client import ApiClient, ApiException
from urllib3.exceptions import HTTPError

from groundplane.core.manifest import JSON, Kind, Manifest, at
from groundplane.generate import companion
from standins.account import Account
from standins.aws import EXTERNAL_NAME, FINALIZER, Provider
from standins.served import secrets_made_for
from standins.stages import reached, statuses

AWS = "m.upbound.io"
ACCOUNTS = {
    "cnpg.io": "system:serviceaccount:cnpg-system:cnpg-manager",
    AWS: "system:serviceaccount:crossplane-system:provider-aws",
    "m.crossplane.io": "system:serviceaccount:crossplane-system:provider-sql",
}
BIRTH_SECONDS = 3  # of an instance
STAGE_SECONDS = 1.5  # slow enough to be seen, at Crossplane's pace
ROUND_SECONDS = 1
TIMEOUT_SECONDS = 10
MERGE = "application/merge-patch+json"


@dataclass
class Operator:
    """One operator, with the kinds that it serves."""

    api: ApiClient
    account: str
    kinds: list[Kind]
    first_seen: dict[str, float] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)

    def work(self) -> None:
        """Look at every object once and write what is due."""
        for kind in self.kinds:
            for found in self._all(kind):
                # Someone else may have changed or deleted it meanwhile: the next round sees to it.
                with contextlib.suppress(ApiException):
                    self._serve(kind, {**found, "apiVersion": kind.api_version, "kind": kind.kind})

    def _serve(self, kind: Kind, found: Manifest) -> None:
        managed = kind.group.endswith(".m.crossplane.io") and kind.kind != "ProviderConfig"
        if "deletionTimestamp" in found["metadata"]:
            if managed:
                self._patch(kind, found, {"metadata": {"finalizers": None}})
            return
        if managed and FINALIZER not in found["metadata"].get("finalizers", []):
            # What is inside a server is called as its object, unless the composition chose the name.
            named = {EXTERNAL_NAME: found["metadata"]["name"], **found["metadata"].get("annotations", {})}
            self._patch(kind, found, {"metadata": {"finalizers": [FINALIZER], "annotations": named}})
        uid = found["metadata"]["uid"]
        due = statuses(found)
        if uid not in self.first_seen:
            there = reached(found, due)
            self.first_seen[uid] = time.monotonic() - max(there, 0) * STAGE_SECONDS
            self.written[uid] = json.dumps(due[there], sort_keys=True) if there >= 0 else ""
        stage = min(int((time.monotonic() - self.first_seen[uid]) / STAGE_SECONDS), len(due) - 1)
        if stage >= 0 and (wanted := json.dumps(due[stage], sort_keys=True)) != self.written.get(uid):
            self._patch(kind, found, {"status": due[stage]}, "status")
            self.written[uid] = wanted
        if stage == len(due) - 1:
            self._make_secrets(kind, found)

    def _make_secrets(self, kind: Kind, found: Manifest) -> None:
        for secret in secrets_made_for([found]):
            identity = f"{found['metadata']['uid']}/{secret['metadata']['name']}"
            if identity in self.written:
                continue
            metadata = found["metadata"]
            owner = {
                "apiVersion": kind.api_version,
                "kind": kind.kind,
                "name": metadata["name"],
                "uid": metadata["uid"],
            }
            secret["metadata"]["ownerReferences"] = [{**owner, "controller": True, "blockOwnerDeletion": True}]
            path = f"/api/v1/namespaces/{metadata['namespace']}/secrets"
            try:
                self._call("POST", path, secret)
            except ApiException as error:
                if error.status != 409:  # noqa: PLR2004  # It is there: an operator makes it once.
                    raise
            self.written[identity] = ""

    def _all(self, kind: Kind) -> Iterator[Manifest]:
        try:
            yield from self._call("GET", f"/apis/{kind.api_version}/{kind.plural}?resourceVersion=0")["items"]
        except ApiException as error:
            if error.status != 404:  # noqa: PLR2004  # Not installed, perhaps not yet.
                raise

    def _patch(self, kind: Kind, found: Manifest, patch: Manifest, subresource: str = "") -> None:
        metadata = found["metadata"]
        path = f"/apis/{kind.api_version}/namespaces/{metadata['namespace']}/{kind.plural}/{metadata['name']}"
        self._call("PATCH", f"{path}/{subresource}".rstrip("/"), patch)

    def _call(self, method: str, path: str, body: Manifest | None = None) -> Any:
        headers = {"Accept": "application/json", "Impersonate-User": self.account}
        headers["Content-Type"] = MERGE if method == "PATCH" else "application/json"
        # A cluster that knows us by a certificate asks for no token.
        if token := self.api.configuration.api_key.get("BearerToken"):  # type: ignore[attr-defined]  # The same.
            headers["Authorization"] = token
        url = f"{self.api.configuration.host}{path}"  # type: ignore[attr-defined]  # The stubs are of an older client.
        response = self.api.call_api(  # type: ignore[attr-defined]  # The stubs are of an older client.
            method, url, headers, body, _request_timeout=TIMEOUT_SECONDS
        )
        content = response.read()
        if not 200 <= response.status < 300:  # noqa: PLR2004  # HTTP's success
            raise ApiException(status=response.status, reason=content.decode())
        return json.loads(content)


@dataclass
class AwsOperator(Operator):
    """The provider for AWS: a new one knows nothing but what stands in its objects, and asks the same account."""

    cloud: Account = field(default_factory=Account)

    def __post_init__(self) -> None:
        """Begin with an empty memory."""
        self._provider = Provider(self.cloud, self._write, self._find)

    def _serve(self, kind: Kind, found: Manifest) -> None:
        self._stored = found
        self._provider.reconcile(deepcopy(found))
        if at(self._stored, "status", "atProvider", "address") and "deletionTimestamp" not in found["metadata"]:
            self._make_secrets(kind, self._stored)

    def _write(self, manifest: Manifest, part: str) -> None:
        kind = next(one for one in self.kinds if one.kind == manifest["kind"])
        sections = ("status",) if part else ("metadata", "spec")
        self._patch(kind, manifest, {key: _change(self._stored.get(key), manifest[key]) for key in sections}, part)
        self._stored = manifest

    def _find(self, kind: str, namespace: str, name: str) -> Manifest | None:
        (wanted,) = (one for one in self.kinds if one.kind == kind)
        try:
            found: Manifest = self._call(
                "GET", f"/apis/{wanted.api_version}/namespaces/{namespace}/{wanted.plural}/{name}"
            )
        except ApiException:
            return None
        return found


def _change(before: JSON, after: JSON) -> JSON:
    """Return the merge patch that makes *after* of *before*."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return after
    gone: Manifest = dict.fromkeys(before.keys() - after.keys())
    return gone | {key: _change(before.get(key), value) for key, value in after.items() if value != before.get(key)}


def operators(kubeconfig: str) -> list[Operator]:
    """Return one operator per ServiceAccount, with the kinds of every engine that are its own."""
    found: list[Operator] = []
    for suffix, account in ACCOUNTS.items():
        api = config.new_client_from_config(kubeconfig)
        kinds = [kind for kind in companion.kinds() if kind.group.endswith(suffix)]
        if suffix == AWS:
            cloud = Account(Path(kubeconfig).parent / "aws-account.json", birth_seconds=BIRTH_SECONDS)
            found.append(AwsOperator(api, account, kinds, cloud=cloud))
        else:
            found.append(Operator(api, account, kinds))
    return found


def main(kubeconfig: str) -> None:
    """Work until told to end."""
    everyone = operators(kubeconfig)
    while True:
        for operator in everyone:
            # The API server may be away for a while: an embedded plane goes when its Crossplane does.
            with contextlib.suppress(HTTPError):
                operator.work()
        time.sleep(ROUND_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
