"""The clients that `make clients` connects with: libraries that people use, each in a program of tests/clients.

A program reads the binding `orders` below SERVICE_BINDING_ROOT, writes its name into the table `written`, and reads it.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "tests" / "clients"
PINS = ROOT / "requirements" / "clients.txt"
BINDING = "orders"
# Of the program's sources: where in the binding it looks, for a reader of the page.
MOUNT = f"$SERVICE_BINDING_ROOT/{BINDING}"


@dataclass(frozen=True, slots=True)
class Client:
    """A program that connects by a binding.

    Attributes:
        name: What it writes into the table.
        family: The folder of tests/clients that holds it.
        libraries: Packages that matter, with the name that the page gives them.
        reads: How it comes from the binding to a connection.
        source: The file that holds `line`, below `family`.
        line: The one line that a person writes; it stands in `source`. Empty when `variables` are enough.
        variables: What the pod needs in its environment, beside SERVICE_BINDING_ROOT.
        leave_out: Entries that should not be mounted, because a library shows them in its log.
    """

    name: str
    family: str
    libraries: dict[str, str]
    reads: str
    source: str
    line: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()

    def versions(self) -> str:
        """Return its libraries with the versions that are pinned."""
        return ", ".join(f"{shown} {pinned(self.family, package)}" for package, shown in self.libraries.items())

    def words(self) -> list[str]:
        """Return what a person writes, one word a line."""
        found = [f"{name}={value}" for name, value in self.variables.items()]
        return [*found, self.line] if self.line else found


SPRING = {"ORG_SPRINGFRAMEWORK_CLOUD_BINDINGS_BOOT_ENABLE": "true"}
CLIENTS = (
    Client(
        "spring-jdbc",
        "java",
        {"spring-boot": "Spring Boot", "spring-cloud-bindings": "spring-cloud-bindings", "pgjdbc": "pgjdbc"},
        "builds `spring.datasource.url` from the entries",
        "spring-jdbc/src/main/java/clients/SpringJdbc.java",
        variables=SPRING,
    ),
    Client(
        "spring-r2dbc",
        "java",
        {
            "spring-boot": "Spring Boot",
            "spring-cloud-bindings": "spring-cloud-bindings",
            "r2dbc-postgresql": "r2dbc-postgresql",
        },
        "builds `spring.r2dbc.url` from the entries, with a name for the certificates that the driver does not know",
        "spring-r2dbc/src/main/resources/application.properties",
        "spring.r2dbc.properties.sslRootCert=${SERVICE_BINDING_ROOT}/orders/certificates",
        SPRING,
    ),
    Client(
        "quarkus",
        "java",
        {"quarkus": "quarkus-kubernetes-service-binding", "pgjdbc": "pgjdbc"},
        "builds `quarkus.datasource.jdbc.url` from the entries",
        "quarkus/src/main/java/Quarkus.java",
        variables={"QUARKUS_KUBERNETES_SERVICE_BINDING_ENABLED": "true"},
        leave_out=("uri",),
    ),
    Client(
        "r2dbc",
        "java",
        {"r2dbc-postgresql": "r2dbc-postgresql"},
        "the program reads `uri`",
        "r2dbc/src/main/java/R2dbc.java",
        'ConnectionFactories.get("r2dbc:" + uri + "&sslMode=verify-full&sslRootCert=" + orders + "/certificates")',
    ),
    Client(
        "kube-service-bindings",
        "node",
        {"kube-service-bindings": "kube-service-bindings", "pg": "pg"},
        "takes the entries, and `root.crt` for the authority",
        "kube-service-bindings.js",
        'new pg.Client(bindings.getBinding("POSTGRESQL", "pg"))',
    ),
    Client(
        "pg",
        "node",
        {"pg": "pg"},
        "the program reads `uri`",
        "pg.js",
        "new pg.Client(`${uri}&sslrootcert=${orders}/certificates`)",
    ),
    Client(
        "pgx",
        "go",
        {"github.com/jackc/pgx/v5": "pgx"},
        "the program reads `uri`",
        "pgx/main.go",
        'pgx.Connect(background, uri+"&sslrootcert="+orders+"/certificates")',
    ),
    Client(
        "pq",
        "go",
        {"github.com/lib/pq": "lib/pq"},
        "the program reads `uri`",
        "pq/main.go",
        'sql.Open("postgres", uri+"&sslrootcert="+orders+"/certificates")',
    ),
    Client(
        "psycopg",
        "python",
        {"psycopg": "psycopg"},
        "the program reads `uri`",
        "with_psycopg.py",
        'psycopg.connect(f"{uri}&sslrootcert={orders}/certificates")',
    ),
    Client(
        "asyncpg",
        "python",
        {"asyncpg": "asyncpg"},
        "the program reads `uri`",
        "with_asyncpg.py",
        'asyncpg.connect(f"{uri}&sslrootcert={orders}/certificates")',
    ),
)


def pinned(family: str, package: str) -> str:
    """Return the version of *package* that the files of *family* pin."""
    if family == "node":
        found: str = json.loads((SOURCES / "node" / "package.json").read_text())["dependencies"][package]
        return found
    name = re.escape(package)
    file, pattern = {
        "java": (SOURCES / "java" / "pom.xml", rf"<{name}\.version>(.+?)</"),
        "go": (SOURCES / "go" / "go.mod", rf"{name} v(\S+)"),
        "python": (PINS, rf"(?m)^{name}==(\S+)"),
    }[family]
    match = re.search(pattern, file.read_text())
    if match is None:
        raise ValueError(f"{package} is not pinned in {file.relative_to(ROOT)}")
    return match[1]
