"""Files as kubectl reads them, and what a person is told about a bad one."""

from pathlib import Path

import pytest

from groundplane.crossplane.errors import BadInputError
from groundplane.render.files import Document, check, of_file, of_file_or_folder, stored
from groundplane.render.yaml_reader import LARGEST, parse

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def values(text: str) -> object:
    (_, value), *_ = parse(text.encode(), "x.yaml")
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-24T08:59:00Z", "2026-11-24T08:59:00Z"),
        ("2026-11-24", "2026-11-24"),
        ("=", "="),
        ("1:30", "1:30"),
        ("y", True),
        ("off", False),
        ("0o17", 15),
        ("1_000", 1000),
        ("1e3", 1000),
        ("1.5", 1.5),
        ("20Gi", "20Gi"),
        ("~", None),
        ('"17"', "17"),
        ("!!str 17", "17"),
    ],
)
def test_a_scalar_means_what_it_means_to_kubectl(text: str, value: object) -> None:
    assert repr(values(f"a: {text}")) == repr({"a": value})


def test_merge_keys_and_aliases_are_written_out() -> None:
    assert values("a: &a {x: 1}\nb: {<<: *a, z: 2}\nc: *a") == {
        "a": {"x": 1},
        "b": {"x": 1, "z": 2},
        "c": {"x": 1},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "x.yaml: not YAML: line 1, column 5: mapping values are not allowed"),
        ("a: 1\nb: 2\na: 3", "x.yaml: line 3, column 1: the key 'a' is given twice"),
        ("a:\n  on: 1", "x.yaml: line 2, column 3: the key on is not a string; put it in quotes"),
        ("a: .nan", "x.yaml: line 1, column 4: not a number that JSON can say"),
        ("a: !x 1", "x.yaml: line 1, column 4: the tag !x is not for Kubernetes"),
        ("a: !!int b", "x.yaml: line 1, column 4: this is no int; put it in quotes"),
        ("a: &a [*a]", "x.yaml: line 1, column 4: an alias contains itself"),
        ("[" * 101 + "]" * 101, "x.yaml: line 1, column 101: nested too deeply"),
        ("[" * 5000, "x.yaml: not YAML: line 1, column"),
        ("a: \x07", "x.yaml: not YAML: "),
        ("", "x.yaml: empty; expected an object with apiVersion, kind and metadata"),
        ("# nothing\n---\n", "x.yaml: empty"),
        (f"{OBJECT}---\na: b: c", "x.yaml: not YAML: line 5, column 5"),
    ],
)
def test_bad_yaml_is_named_with_its_line_and_column(text: str, message: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse(text.encode(), "x.yaml")
    assert message in str(caught.value)


def test_a_short_file_that_means_an_endless_one_is_refused() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(BadInputError, match="expand to far too much"):
        parse(f"l0: &l0 [1]\n{levels}".encode(), "x.yaml")


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"x\.yaml: not UTF-8 text"):
        parse(b"\xff\xfe\x00", "x.yaml")


def test_a_document_that_no_api_server_would_store_is_refused_unread() -> None:
    # The second part is no YAML at all: its size must be noticed first.
    data = f"{OBJECT}---\n{'[' * (LARGEST + 1)}".encode()
    with pytest.raises(BadInputError, match=r"x\.yaml: part 2 has .* larger than Kubernetes stores"):
        parse(data, "x.yaml")


def test_many_documents_may_be_larger_together_than_one_may_be() -> None:
    half = "a: " + "x" * (LARGEST // 2 + 10) + "\n"
    assert len(parse(f"{half}---\n{half}".encode(), "x.yaml")) == 2


def test_empty_documents_count_in_the_numbering() -> None:
    names = [name for name, _ in parse(f"---\n---\n{OBJECT}---\n{OBJECT}".encode(), "x.yaml")]
    assert names == ["x.yaml, document 2", "x.yaml, document 3"]


def test_a_file_with_one_document_needs_no_number() -> None:
    assert [name for name, _ in parse(f"---\n{OBJECT}".encode(), "x.yaml")] == ["x.yaml"]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ([], "f: a list, not an object"),
        ("text", "f: a single value, not an object"),
        ({"kind": "X"}, "f: apiVersion: missing"),
        ({"apiVersion": "v1"}, "f: kind: missing"),
        ({"apiVersion": "v1", "kind": 3}, "f: kind: missing or no string"),
        ({"apiVersion": "v1", "kind": "X", "metadata": []}, "f: metadata: must be an object"),
        ({"apiVersion": "v1", "kind": "X"}, "f: metadata.name: missing"),
        (
            {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "status": []},
            "f: status: must be an object",
        ),
        (
            {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "labels": {"b": True}}},
            "f: metadata.labels.b: must be a string; put it in quotes",
        ),
        (
            {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "ownerReferences": ["b"]}},
            "f: metadata.ownerReferences[0]: must be an object",
        ),
    ],
)
def test_an_object_of_the_wrong_shape_is_named_with_its_field(manifest: object, message: str) -> None:
    with pytest.raises(BadInputError) as caught:
        check(Document("f", manifest))
    assert str(caught.value).startswith(message)


def test_a_list_of_kubectl_is_its_items(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(f"apiVersion: v1\nkind: List\nitems:\n- {{{OBJECT.strip().replace(chr(10), ', ')}}}\n")
    (found,) = of_file(path)
    assert found.where == f"{path}, items[0]"
    assert found.manifest["kind"] == "ConfigMap"


def test_a_folder_is_its_yaml_and_json_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(OBJECT)
    (tmp_path / "a.json").write_text('{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}}')
    (tmp_path / "notes.txt").write_text("not for us")
    assert [one.manifest["kind"] for one in of_file_or_folder(tmp_path)] == ["A", "ConfigMap"]


def test_a_folder_without_such_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"no \.yaml, \.yml, \.json file in this folder"):
        of_file_or_folder(tmp_path)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(BadInputError, match=r"a\.yaml: cannot be read: Permission denied"):
        of_file(tmp_path / "a.yaml")


def secret(**sections: object) -> Document:
    metadata = {"name": "s"}
    return Document("f", {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **sections})


def test_a_secrets_string_data_becomes_data_as_on_a_cluster() -> None:
    found = stored(secret(data={"a": "YQ=="}, stringData={"a": "b", "c": "d"}))
    assert found["data"] == {"a": "Yg==", "c": "ZA=="}
    assert "stringData" not in found


@pytest.mark.parametrize("value", ["open sesame", 5, None])
def test_secret_data_that_is_not_base64_is_refused_without_showing_it(value: object) -> None:
    with pytest.raises(BadInputError) as caught:
        stored(secret(data={"password": value}))
    assert str(caught.value) == ("f: data.password: not base64; encode the value, or use stringData")


def test_a_list_may_be_larger_than_one_object() -> None:
    item = "- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: " + "x" * 1000 + "}}\n"
    data = "apiVersion: v1\nkind: List\nitems:\n" + item * 1100
    assert len(data) > LARGEST
    assert len(parse(data.encode(), "x.yaml")) == 1


def test_a_kustomization_in_a_folder_is_no_object(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\nresources: [one.yaml]\n")
    (tmp_path / "one.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: one}\n")
    assert [found.manifest["kind"] for found in of_file_or_folder(tmp_path)] == ["Secret"]
