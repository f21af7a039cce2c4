"""A list by labels holds what a look at every object would find."""

from pathlib import Path

import pytest

from groundplane.local.apiserver.registry.api import Api
from groundplane.local.apiserver.storage.selectors import Requirement, Selector
from plane_process import widgets

CONFIG = ("v1", "ConfigMap")
LABELS: tuple[dict[str, str], ...] = (
    {"app": "shop"},
    {"app": "shop", "tier": "web"},
    {"app": "shopping"},
    {"app": ""},
    {"app.example.org/name": "shop"},
    {},
)


def made(api: Api) -> None:
    for number, labels in enumerate(LABELS):
        metadata = {"name": f"labelled-{number}", "labels": labels}
        api.create(api.request(*CONFIG, "default"), {"metadata": metadata})
        # The same text, where it is no label.
        metadata = {"name": f"annotated-{number}", "annotations": labels}
        api.create(api.request(*CONFIG, "default"), {"metadata": metadata, "data": {"app": "shop"}})


@pytest.mark.parametrize(
    "wanted",
    [
        (Requirement("app", "=", ("shop",)),),
        (Requirement("app", "==", ("shop",)), Requirement("tier", "=", ("web",))),
        (Requirement("tier", "exists"), Requirement("app", "=", ("shop",))),
        (Requirement("app", "!=", ("shop",)),),
        (Requirement("app", "in", ("shop", "shopping")),),
        (Requirement("app", "=", ("",)),),
        (Requirement("app", "=", ('sh"op',)),),
        (Requirement("app.example.org/name", "=", ("shop",)),),
        (),
    ],
    ids=str,
)
def test_a_list_by_labels_is_what_a_look_at_everything_finds(tmp_path: Path, wanted: tuple[Requirement, ...]) -> None:
    with widgets(tmp_path / "s") as api:
        made(api)
        resource, selector = api.request(*CONFIG).resource, Selector(wanted)
        everything = api.page(resource, "default").items
        assert len(everything) == 2 * len(LABELS)
        assert api.page(resource, "default", selector).items == [one for one in everything if selector.selects(one)]
        assert not selector.text() or len(api.store.objects("configmaps", holding=selector.text())) < len(everything)
