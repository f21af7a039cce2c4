"""The Composition of a claim is the one its environment, its own words or its XRD choose."""

from typing import Any

import pytest

from groundplane.crossplane.errors import BadInputError
from groundplane.render.environment_policy import admitted, composition_of
from groundplane.render.installed import ClaimKind
from rendering import Manifest, claim, composition, environment

LABEL = "groundplane.dev/environment"
COMPOSITIONS = [composition("cnpg"), composition("rds")]
KIND = ClaimKind("groundplane.dev/v1alpha1", "XDatabase", "database", "xdatabase-cnpg", "")


def admit(the: Manifest, chosen: str = "", **known: Manifest) -> Manifest:
    return admitted(the, known, chosen, COMPOSITIONS, "database")


def labelled(name: str, **crossplane: Any) -> Manifest:
    found = claim(crossplane=crossplane) if crossplane else claim()
    return {**found, "metadata": {"name": "orders", "labels": {LABEL: name}}}


def chosen(the: Manifest, kind: ClaimKind = KIND, *, use_default: bool = True, **more: Any) -> str:
    compositions = more.get("compositions", COMPOSITIONS)
    found = composition_of(the, compositions, kind, use_default=use_default)
    return str(found["metadata"]["name"])


def test_an_environment_sets_its_label_and_the_composition_of_its_engine() -> None:
    found = admit(claim(), "prod", prod=environment())
    assert found["metadata"]["labels"] == {LABEL: "prod"}
    assert found["spec"]["crossplane"] == {"compositionRef": {"name": "xdatabase-rds"}}


def test_the_claims_own_label_is_enough() -> None:
    found = admit(labelled("prod"), prod=environment())
    assert found["spec"]["crossplane"]["compositionRef"] == {"name": "xdatabase-rds"}


@pytest.mark.parametrize(
    "crossplane",
    [
        {"compositionRef": {"name": "xdatabase-cnpg"}},
        {"compositionSelector": {"matchLabels": {"a": "b"}}},
    ],
)
def test_a_claim_that_chose_keeps_its_choice_and_gets_the_label(crossplane: Manifest) -> None:
    found = admit(claim(crossplane=crossplane), "prod", prod=environment())
    assert found["metadata"]["labels"] == {LABEL: "prod"}
    assert found["spec"]["crossplane"] == crossplane


def test_a_default_beside_the_choice_is_no_choice() -> None:
    the = claim(crossplane={"compositionUpdatePolicy": "Automatic"})
    crossplane = admit(the, "prod", prod=environment())["spec"]["crossplane"]
    assert crossplane["compositionRef"] == {"name": "xdatabase-rds"}
    assert crossplane["compositionUpdatePolicy"] == "Automatic"


def test_a_claim_without_environment_is_left_alone() -> None:
    assert admit(claim(), prod=environment()) == claim()


def test_a_claim_of_one_environment_cannot_be_rendered_for_another() -> None:
    with pytest.raises(BadInputError, match="belongs to environment 'prod' and cannot"):
        admit(labelled("prod"), "test", prod=environment(), test=environment("test"))


def test_an_unknown_environment_of_a_new_claim_lists_those_known() -> None:
    with pytest.raises(BadInputError, match=r"'prod': no EnvironmentConfig .* \(known: a, b\)"):
        admit(labelled("prod"), a=environment("a"), b=environment("b"))


def test_an_admitted_claim_goes_on_without_its_environment() -> None:
    the = labelled("prod", compositionRef={"name": "xdatabase-cnpg"})
    assert admit(the) == the


def test_an_environment_that_names_no_engine_is_refused() -> None:
    empty = {**environment(), "data": {}}
    with pytest.raises(BadInputError, match=r"'prod': data\.engines\.database: missing"):
        admit(claim(), "prod", prod=empty)


def test_an_engine_without_a_composition_lists_those_that_have_one() -> None:
    with pytest.raises(BadInputError, match=r"'oracle' has no Composition .*: cnpg, rds\)"):
        admit(claim(), "prod", prod=environment(engine="oracle"))


def test_the_order_is_enforced_then_named_then_selected_then_default() -> None:
    named = claim(crossplane={"compositionRef": {"name": "xdatabase-rds"}})
    labels = {"groundplane.dev/engine": "rds"}
    selected = claim(crossplane={"compositionSelector": {"matchLabels": labels}})
    enforced = ClaimKind("groundplane.dev/v1alpha1", "XDatabase", "database", "", "xdatabase-cnpg")
    assert chosen(claim()) == "xdatabase-cnpg"
    assert chosen(selected) == "xdatabase-rds"
    assert chosen(named) == "xdatabase-rds"
    assert chosen(named, enforced) == "xdatabase-cnpg"


def test_several_compositions_that_match_are_listed() -> None:
    labels = {"groundplane.dev/provider": "kubernetes"}
    the = claim(crossplane={"compositionSelector": {"matchLabels": labels}})
    with pytest.raises(BadInputError, match=r"xdatabase-cnpg, xdatabase-rds\. Crossplane would pick"):
        chosen(the)


def test_a_selector_without_labels_keeps_the_default_away() -> None:
    the = claim(crossplane={"compositionSelector": {"matchLabels": {}}})
    with pytest.raises(BadInputError, match=r"several Compositions for XDatabase: xdatabase-cnpg, xdatabase-rds\."):
        chosen(the)
    assert chosen(the, compositions=[composition("rds")]) == "xdatabase-rds"


def test_a_selector_that_matches_nothing_is_named() -> None:
    the = claim(crossplane={"compositionSelector": {"matchLabels": {"a": "b"}}})
    with pytest.raises(BadInputError, match="no Composition with labels a=b for XDatabase"):
        chosen(the)


def test_the_only_composition_there_is_needs_no_default() -> None:
    assert chosen(claim(), use_default=False, compositions=[composition("rds")]) == "xdatabase-rds"


def test_without_a_default_one_of_several_must_be_named() -> None:
    with pytest.raises(BadInputError, match="several Compositions for XDatabase"):
        chosen(claim(), use_default=False)


def test_an_unknown_composition_lists_those_known() -> None:
    the = claim(crossplane={"compositionRef": {"name": "nope"}})
    with pytest.raises(BadInputError, match=r"'nope' does not exist \(known: xdatabase-cnpg, "):
        chosen(the)


def test_a_composition_of_another_kind_is_refused() -> None:
    other = composition(compositeTypeRef={"apiVersion": "x/v1", "kind": "XCache"})
    with pytest.raises(BadInputError, match="'xdatabase-cnpg' is for XCache of x/v1, not for XDatab"):
        chosen(claim(), compositions=[other])


@pytest.mark.parametrize("spec", [{"mode": "Resources"}, {"pipeline": []}])
def test_a_composition_without_a_pipeline_is_refused(spec: Manifest) -> None:
    with pytest.raises(BadInputError, match=r"needs spec\.mode Pipeline and spec\.pipeline"):
        chosen(claim(), compositions=[composition(**spec)])
