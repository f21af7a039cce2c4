"""What is printed of an outcome, for programs: YAML and JSON; and the words of a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from groundplane.core.manifest import JSON, Manifest
from groundplane.crossplane.outcome import Gone, Outcome
from groundplane.kubernetes.yaml_writer import stream
from groundplane.render.redact import hidden

DEFAULT_REASON = "ComposeResources"  # of the event Crossplane makes, when the function gives none


@dataclass(frozen=True, slots=True)
class Rendered:
    """One claim and what became of it."""

    where: str
    """The words that say which file it came from."""
    claim: Manifest
    """As admitted."""
    outcome: Outcome

    @property
    def shown(self) -> Manifest:
        """The claim afterwards, without a uid that was only made up."""
        metadata = dict(self.outcome.xr["metadata"])
        if not self.claim["metadata"].get("uid"):
            metadata.pop("uid", None)
        return {**self.outcome.xr, "metadata": metadata}

    @property
    def title(self) -> str:
        """Kind, namespace and name."""
        metadata = self.outcome.xr["metadata"]
        return f"{self.outcome.xr['kind']} {metadata['namespace']}/{metadata['name']}"


def as_yaml(rendered: Iterable[Rendered]) -> str:
    """Return a stream of documents: each claim, what it composes, and what would go as comments.

    A refused claim is left out: it has no manifests, and its words are on standard error.
    """
    text = ""
    for one in rendered:
        # Half of what a refused claim composes must not be applied by accident.
        if one.outcome.refused:
            continue
        text += stream([one.shown, *(hidden(found) for found in one.outcome.resources.values())])
        text += "".join(f"# {line}\n" for line in going(one.outcome))
    return text


def going(outcome: Outcome) -> list[str]:
    """Return a line for everything that would not be the claim's any more."""
    return [
        *(f"would be deleted: {gone}" for gone in outcome.deleted),
        *(f"would be leaked: {gone}" for gone in outcome.leaked),
        *(f"would be forgotten: {gone}" for gone in outcome.forgotten),
    ]


def as_json(rendered: Iterable[Rendered]) -> Manifest:
    """Return one document with an entry for every claim that could be rendered."""
    return {"claims": [_entry(one) for one in rendered]}


def _entry(one: Rendered) -> Manifest:
    outcome = one.outcome
    resources = [] if outcome.refused else [hidden(found) for found in outcome.resources.values()]
    return {
        "claim": one.shown,
        "composition": outcome.composition,
        "refused": outcome.refused,
        "resources": resources,
        "deleted": [_gone(gone) for gone in outcome.deleted],
        "leaked": [_gone(gone) for gone in outcome.leaked],
        "results": [
            {
                "step": result.step,
                "severity": result.severity,
                "reason": result.reason or DEFAULT_REASON,
                "message": result.message,
            }
            for result in outcome.results
        ],
        "footprint": outcome.footprint,
    }


def _gone(gone: Gone) -> dict[str, JSON]:
    return {
        "compositionResourceName": gone.resource_name,
        "apiVersion": gone.api_version,
        "kind": gone.kind,
        "name": gone.name,
    }


def refusal(one: Rendered, again: Sequence[str]) -> list[str]:
    """Return the lines a person reads when the claim is refused.

    Args:
        one: A claim whose outcome is a refusal.
        again: The command line that was run.
    """
    status, reason, message = one.outcome.condition("Accepted")
    texts = [message] if status == "False" else []
    texts += [found.message for found in one.outcome.results if found.severity == "Fatal"]
    if status != "False":
        reason = next(found.reason for found in one.outcome.results if found.severity == "Fatal")
    facts = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    lines = [
        f"{one.where}: {one.title} is refused: {reason}",
        *(f"  {fact}" for fact in dict.fromkeys(facts)),
        *(f"  {line}" for line in going(one.outcome)),
    ]
    return [*lines, _next(reason, again)]


def _next(reason: str, again: Sequence[str]) -> str:
    """Return the line that ends a refusal: what to run next."""
    if reason == "EnvironmentIncomplete" and "--environment" not in again:
        return f"Run it for an environment: {' '.join([*again, '--environment', 'FILE'])}"
    return f"Change what is named above, then run: {' '.join(again)}"
