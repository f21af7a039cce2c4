"""What the policies make of whole lives: a claim and its data go in the order that the messages say, or not at all."""

from bareplane.waiting import always, eventually
from controlplane.cluster import Team
from controlplane.people import ANYWAY, CONSENT, claim, developer, refusal

DATA = ("cluster.postgresql.cnpg.io", "orders-db-1")
SECRET = ("secret", "orders-db-1-login-a")


def there(team: Team, *name: str) -> bool:
    return bool(team.run("get", *name, "--ignore-not-found", "-o", "name"))


def test_a_protected_claim_goes_in_the_order_that_its_refusals_say(team: Team) -> None:
    team.apply(claim(team))
    team.ready()
    who, words = developer(team), ("xdatabase", "orders", "-n", team.namespace)
    assert "is protected" in refusal(who, "delete", *words)[1]
    who("patch", *words, "--type=merge", "-p", '{"spec":{"deletionPolicy":"Delete"}}')
    who("wait", *words, "--for=jsonpath={.status.deletion.inForce}=Delete", "--timeout=60s")
    who("delete", *words)
    eventually(lambda: not there(team, *DATA) and not there(team, *SECRET))
    eventually(lambda: not there(team, "secret", "orders-db-binding"))


def test_the_data_of_a_claim_that_was_deleted_anyway_stay_until_they_are_given_up_too(team: Team) -> None:
    team.apply(claim(team))
    team.ready()
    uid = team.get(*DATA)["metadata"]["uid"]
    team.run("annotate", "xdatabase", "orders", f"{ANYWAY}=orders")
    team.run("delete", "xdatabase", "orders")
    always(lambda: there(team, *DATA) and there(team, *SECRET), 20)
    assert team.get(*DATA)["metadata"]["uid"] == uid
    team.run("annotate", *DATA, f"{ANYWAY}=orders-db-1")
    team.run("delete", *DATA, "--ignore-not-found")  # the collector may be faster
    assert there(team, *SECRET)


def test_a_namespace_goes_whole_with_a_claim_that_is_not_protected(team: Team) -> None:
    team.apply(claim(team, tier="Development"))
    team.ready()
    team.kubectl("annotate", "namespace", team.namespace, f"{CONSENT}={team.namespace}")
    team.kubectl("delete", "namespace", team.namespace, "--wait=false")
    eventually(lambda: not team.kubectl.ask("get", "namespace", team.namespace, "--ignore-not-found"), 120)


def test_a_namespace_that_goes_takes_no_protected_data_along(team: Team) -> None:
    team.apply(claim(team))
    team.ready()
    team.kubectl("annotate", "namespace", team.namespace, f"{CONSENT}={team.namespace}")
    team.kubectl("delete", "namespace", team.namespace, "--wait=false")
    always(lambda: there(team, *DATA) and there(team, *SECRET) and there(team, "xdatabase", "orders"), 20)
