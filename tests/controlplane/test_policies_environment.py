"""The environment policies: what a claim is served by is its namespace's to say."""

import json

import pytest

from bareplane.waiting import eventually
from controlplane.cluster import ENVIRONMENT_LABEL, Cluster, Manifest, Team
from controlplane.people import bind, claim, developer, environment, labelled, refusal, unlabelled

CREATE = ("create", "--dry-run=server", "-f", "-")
SHOWN = ("-o", "jsonpath={.metadata.labels} {.spec.crossplane.compositionRef.name}")


def made(team: Team, **words: object) -> str:
    """Return label and Composition of a claim that the developer creates in a dry run."""
    return developer(team)(*CREATE, *SHOWN, stdin=[claim(team, **words)])  # type: ignore[arg-type]  # Words of a claim.


def belongs_to(team: Team) -> str:
    """Return the environment of the claim as it is stored."""
    return str(team.claim()["metadata"]["labels"][ENVIRONMENT_LABEL])


@pytest.mark.parametrize(("name", "engine"), [("kubernetes", "cnpg"), ("aws", "rds")])
def test_a_claim_gets_label_and_composition_from_its_namespace(cluster: Cluster, name: str, engine: str) -> None:
    assert made(cluster.team(name)) == f"{json.dumps(labelled(name)).replace(' ', '')} xdatabase-{engine}"


def test_a_namespace_without_a_label_belongs_to_the_default_environment(cluster: Cluster) -> None:
    shown = made(unlabelled(cluster), tier="Development")
    assert shown == '{"groundplane.dev/environment":"default"} xdatabase-cnpg'


def test_a_label_that_lies_is_written_over(team: Team) -> None:
    assert made(team, labels=labelled("aws")) == '{"groundplane.dev/environment":"kubernetes"} xdatabase-cnpg'


def test_an_environment_that_does_not_exist_is_named(cluster: Cluster) -> None:
    team = cluster.team("nowhere")
    policy, said = refusal(developer(team), *CREATE, stdin=[claim(team)])
    assert policy == "environment-label"
    assert said.startswith("EnvironmentConfig nowhere does not exist")
    assert f"kubectl label --overwrite namespace {team.namespace} groundplane.dev/environment=<environment>" in said


def test_nor_does_it_help_to_write_the_label_of_an_environment_that_does_not_exist(cluster: Cluster) -> None:
    team = cluster.team("nowhere")
    policy, said = refusal(developer(team), *CREATE, stdin=[claim(team, labels=labelled("nowhere"))])
    assert policy == "environment-label"
    assert said.startswith("EnvironmentConfig nowhere names no engine for database, or does not exist")


def test_an_environment_without_an_engine_for_the_contract_is_named(cluster: Cluster) -> None:
    environment(cluster, "empty")
    team = cluster.team("empty")
    policy, said = refusal(developer(team), *CREATE, stdin=[claim(team)])
    assert policy == "environment-label"
    assert "EnvironmentConfig empty names no engine for database" in said
    assert "set data.engines.database" in said


@pytest.mark.parametrize("engines", [{"database": "mysql"}, {"databse": "cnpg"}, ["cnpg"], {"database": ["cnpg"]}, "x"])
def test_an_environment_names_only_engines_there_are(cluster: Cluster, engines: object) -> None:
    patch = json.dumps({"data": {"engines": engines}})
    words = ("patch", "environmentconfig", "kubernetes", "--type=merge", "--dry-run=server", "-p", patch)
    policy, said = refusal(cluster.kubectl, *words)
    assert policy == "environment-config"
    assert "There are: database: cnpg, local, rds" in said


USERS = [{}, {"crossplane": []}, {"crossplane": "a", "garbageCollector": "b", "restore": "c"}, {"restore": None}]


@pytest.mark.parametrize("users", USERS)
def test_the_settings_name_users(cluster: Cluster, users: dict[str, object]) -> None:
    settings = cluster.kubectl.get("environmentconfig", "groundplane-companion")
    settings["data"]["users"] = {**settings["data"]["users"], **users} if users else {}
    policy, said = refusal(cluster.kubectl, "replace", "--dry-run=server", "-f", "-", stdin=[settings])
    assert policy == "environment-config"
    assert "data.users needs the lists crossplane and garbageCollector" in said


def test_an_environment_config_of_somebody_else_is_left_alone(cluster: Cluster) -> None:
    environment(cluster, "somebody-elses", region="eu-central-1", users=["a"])


CHOICES = {
    "another Composition": ({"compositionRef": {"name": "xdatabase-rds"}}, "environment-engine"),
    "a selector": ({"compositionSelector": {"matchLabels": {"groundplane.dev/engine": "rds"}}}, "environment-label"),
    "a revision": ({"compositionRevisionRef": {"name": "xdatabase-cnpg-1"}}, "environment-label"),
    "a revision selector": ({"compositionRevisionSelector": {"matchLabels": {"a": "b"}}}, "environment-label"),
    "manual updates": ({"compositionUpdatePolicy": "Manual"}, "environment-label"),
}


@pytest.mark.bare("a role decides who may")
@pytest.mark.parametrize("choice", CHOICES)
def test_choosing_needs_the_verb_choose(team: Team, choice: str) -> None:
    crossplane, wanted = CHOICES[choice]
    chooses = claim(team, crossplane=crossplane)
    who = developer(team)
    policy, said = refusal(who, *CREATE, stdin=[chooses])
    assert policy == wanted
    assert "verb choose on engines.groundplane.dev (ClusterRole groundplane:choose)" in said
    bind(team, "clusterrole/groundplane:choose", "choose engines.groundplane.dev")
    assert "groundplane.dev/environment" in who(*CREATE, *SHOWN, stdin=[chooses])


def test_writing_the_composition_of_the_environment_is_no_choice(team: Team) -> None:
    assert made(team, crossplane={"compositionRef": {"name": "xdatabase-cnpg"}}).endswith("xdatabase-cnpg")


def replaced(team: Team) -> Manifest:
    """Replace the claim and return it: again when Crossplane wrote after kubectl had read which version to replace."""
    answers, who = [], developer(team)

    def is_taken() -> bool:
        done = who.run("replace", "-f", "-", "-o", "json", stdin=[claim(team)])
        assert done.returncode == 0 or "the object has been modified" in done.stderr, done.stderr
        answers.append(done.stdout)
        return done.returncode == 0

    eventually(is_taken)
    answer: Manifest = json.loads(answers[-1])
    items: list[Manifest] = answer.get("items", [answer])
    return items[0]


def test_a_replaced_claim_keeps_label_and_composition(cluster: Cluster) -> None:
    team = cluster.team("aws")
    team.apply(claim(team))
    team.wait(lambda it: it["spec"]["crossplane"].get("resourceRefs"))
    after = replaced(team)  # what the API server answers, before Crossplane could choose again
    assert after["metadata"]["labels"][ENVIRONMENT_LABEL] == "aws"
    assert after["spec"]["crossplane"]["compositionRef"] == {"name": "xdatabase-rds"}
    assert {"compositionRevisionRef", "resourceRefs"} < after["spec"]["crossplane"].keys()


def test_applying_again_changes_nothing(team: Team) -> None:
    who = developer(team)
    who.apply(claim(team))
    team.ready()  # before that Crossplane still adds references, the last one to the binding
    before = team.claim()["metadata"]["generation"]
    assert "unchanged" in who.apply(claim(team))
    assert who.run("diff", "-f", "-", stdin=[claim(team)]).stdout == ""
    assert team.claim()["metadata"]["generation"] == before


def test_the_label_of_a_claim_is_fixed(team: Team) -> None:
    team.apply(claim(team))
    who, name = developer(team), ("xdatabase", "orders", "-n", team.namespace)
    policy, said = refusal(who, "label", *name, "--overwrite", "groundplane.dev/environment=aws")
    assert policy == "environment-label"
    assert "groundplane.dev/environment is kubernetes for the life of the claim" in said
    who("label", *name, "groundplane.dev/environment-")
    assert belongs_to(team) == "kubernetes"
    team.kubectl("label", "namespace", team.namespace, "--overwrite", "groundplane.dev/environment=aws")
    who("annotate", *name, "a=b")
    assert belongs_to(team) == "kubernetes"


@pytest.mark.parametrize("tier", ["Standard", "Development"])
def test_what_is_protected_stands_in_a_namespace_that_is(cluster: Cluster, tier: str) -> None:
    team = unlabelled(cluster)
    protected = claim(team, tier=tier)
    if tier == "Development":
        protected["spec"]["deletionPolicy"] = "Protect"
    policy, said = refusal(developer(team), *CREATE, stdin=[protected])
    assert policy == "environment-label"
    assert f"kubectl label --overwrite namespace {team.namespace} groundplane.dev/environment=<environment>" in said


def test_nor_does_a_claim_become_protected_in_a_namespace_that_is_not(cluster: Cluster) -> None:
    team = unlabelled(cluster)
    team.apply(claim(team, tier="Development"))
    who, patch = developer(team), '{"spec":{"deletionPolicy":"Protect"}}'
    words = ("patch", "xdatabase", "orders", "-n", team.namespace, "--type=merge", "-p", patch)
    assert refusal(who, *words)[0] == "environment-label"


def test_a_protected_claim_goes_on_when_its_namespace_lost_the_label(team: Team) -> None:
    team.apply(claim(team))
    team.kubectl("annotate", "namespace", team.namespace, f"groundplane.dev/delete-consent={team.namespace}")
    team.kubectl("label", "namespace", team.namespace, "groundplane.dev/environment-")
    developer(team)("annotate", "xdatabase", "orders", "-n", team.namespace, "a=b")
