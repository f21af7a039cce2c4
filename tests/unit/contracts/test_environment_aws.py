"""What an environment says of AWS is checked as AWS checks it, and named by its knob."""

import pytest

from groundplane.core.refusal import Refusal
from rds_claims import knobs

MANY = {f"tag-{number}": "1" for number in range(43)}


def wrong(**sections: dict[str, object]) -> str:
    with pytest.raises(Refusal) as refusal:
        knobs(**sections)
    return refusal.value.message


@pytest.mark.parametrize(
    "tags",
    [
        {},
        MANY,
        {
            "Kostenstelle": "Größe 7",
            "中文": "値",
            "a b": "",
            "x" * 128: "y" * 256,
            "a_.:/=+-@b": "_.:/=+-@",
            "é": "\u2003",
        },
        {"laws:x": "my aws:", "crossplane": "1", "groundplane.devX/claim": "1"},
    ],
)
def test_tags_that_aws_takes_are_taken(tags: dict[str, str]) -> None:
    assert knobs(aws={"tags": tags}).aws.tags == tags


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({**MANY, "one-more": "1"}, "44 tags are too many: AWS takes fifty, of which 43 are left; remove 1"),
        ({"aws:team": "1"}, "aws:team: the key begins with aws:, which AWS keeps for itself"),
        ({"AWS:team": "1"}, "AWS:team: the key begins with AWS:, which AWS keeps for itself"),
        ({"rds:team": "1"}, "rds:team: the key begins with rds:"),
        ({"team": "aws:x"}, "team: the value begins with aws:"),
        ({"": "1"}, "the key has 0 characters, and AWS takes 1 to 128"),
        ({"x" * 129: "1"}, "the key has 129 characters, and AWS takes 1 to 128"),
        ({"x": "y" * 257}, "x: the value has 257 characters, and AWS takes at most 256"),
        (
            {"price": "7 \u20ac"},
            r"price: the value has the character '\u20ac', and AWS takes letters, digits, spaces and _ .",
        ),
        ({"a\nb": "1"}, r"'a\nb': the key has the character '\n'"),
        ({"a*": "1"}, "a*: the key has the character '*'"),
        ({"groundplane.dev/claim": "1"}, "groundplane.dev/claim: this tag says whose the object is"),
        ({"groundplane.dev/claim-uid": "1"}, "groundplane.dev/claim-uid: this tag says whose the object is"),
        ({"crossplane-name": "1"}, "crossplane-name: this tag says whose the object is"),
    ],
)
def test_a_tag_that_aws_refuses_is_refused_by_its_knob(tags: dict[str, str], words: str) -> None:
    message = wrong(aws={"tags": tags})
    assert message.startswith("environment aws: aws.tags: ")
    assert words in message


@pytest.mark.parametrize("name", ["databases", "data bases_1.x-y", "a" * 255, "default"])
def test_a_db_subnet_group_is_named_as_rds_keeps_it(name: str) -> None:
    assert knobs(rds={"dbSubnetGroupName": name}).rds.db_subnet_group_name == name


@pytest.mark.parametrize("name", ["Data Bases_1", "1st", "", "a" * 256, "a/b", "ab\n", "\u00e4"])
def test_a_db_subnet_group_that_cannot_be_is_refused_by_its_knob(name: str) -> None:
    assert "rds.dbSubnetGroupName: " in wrong(rds={"dbSubnetGroupName": name})


@pytest.mark.parametrize("name", ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"])
def test_an_authority_of_today_is_taken(name: str) -> None:
    assert knobs(rds={"caCertificateIdentifier": name}).rds.ca_certificate_identifier == name


@pytest.mark.parametrize("name", ["rds-ca-2019", "rds-ca-2015", "rds-ca-rsa2048", "", "rds-ca-ecc384-g1\n"])
def test_an_authority_that_has_expired_or_never_was_is_refused_by_its_knob(name: str) -> None:
    assert "rds.caCertificateIdentifier: " in wrong(rds={"caCertificateIdentifier": name})


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"])
def test_a_region_of_every_form_is_taken(region: str) -> None:
    assert knobs(aws={"region": region}).aws.region == region


@pytest.mark.parametrize("region", ["Frankfurt", "eu-central-1a", "EU-CENTRAL-1", "eu_central_1", ""])
def test_what_has_no_form_of_a_region_is_refused_by_its_knob(region: str) -> None:
    assert "aws.region: " in wrong(aws={"region": region})
